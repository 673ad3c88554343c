"""The key in a file: made once, moved once from where rooms of before have it, and never two."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.signer.keys import file
from edge.signer.keys.file import file_key, take_as_root
from sync.errors import ConfigError
from sync.ledger.keys import make_key
from sync.room.paths import RoomPaths


@pytest.fixture
def layout(tmp_path: Path) -> RoomPaths:
    return RoomPaths(tmp_path / "data")


def test_a_key_is_made_once(layout: RoomPaths) -> None:
    made = file_key(layout.signer, layout.earlier_device_key)
    assert layout.device_key.stat().st_mode & 0o777 == 0o600
    assert layout.signer.stat().st_mode & 0o777 == 0o700
    assert file_key(layout.signer, layout.earlier_device_key).public_key() == made.public_key()


def test_the_key_of_a_room_of_before_is_moved_and_stays_the_same(layout: RoomPaths) -> None:
    before = make_key(layout.earlier_device_key)
    for _ in range(2):
        assert file_key(layout.signer, layout.earlier_device_key).public_key() == before.public_key()
        assert not layout.earlier_device_key.exists()
        assert layout.device_key.stat().st_mode & 0o777 == 0o600


def test_a_move_that_was_cut_short_is_finished(layout: RoomPaths) -> None:
    before = make_key(layout.earlier_device_key)
    layout.signer.mkdir(mode=0o700)
    layout.device_key.write_bytes(layout.earlier_device_key.read_bytes())
    layout.device_key.chmod(0o600)
    assert file_key(layout.signer, layout.earlier_device_key).public_key() == before.public_key()
    assert not layout.earlier_device_key.exists()


def test_two_different_keys_are_for_a_person_to_choose(layout: RoomPaths) -> None:
    make_key(layout.earlier_device_key)
    make_key(layout.device_key)
    with pytest.raises(ConfigError, match="two different keys"):
        file_key(layout.signer, layout.earlier_device_key)
    assert layout.earlier_device_key.exists()
    assert layout.device_key.exists()


@pytest.mark.parametrize("earlier", [True, False])
def test_a_key_that_others_may_read_stops_the_start(layout: RoomPaths, earlier: bool) -> None:
    key = layout.earlier_device_key if earlier else layout.device_key
    make_key(key)
    key.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 0600"):
        file_key(layout.signer, layout.earlier_device_key)


def test_root_follows_no_link_that_another_account_has_laid(layout: RoomPaths, tmp_path: Path) -> None:
    """Otherwise whoever may write the data folder has root read, and take away, any file of the machine."""
    secret = tmp_path / "shadow"
    make_key(secret)
    layout.keys.mkdir(parents=True)
    layout.earlier_device_key.symlink_to(secret)
    with pytest.raises(ConfigError, match="cannot be read"):
        take_as_root(layout.signer, layout.earlier_device_key)
    layout.earlier_device_key.unlink()
    os.link(secret, layout.earlier_device_key)
    with pytest.raises(ConfigError, match="plain file of its own"):
        take_as_root(layout.signer, layout.earlier_device_key)
    layout.earlier_device_key.unlink()
    os.mkfifo(layout.earlier_device_key, 0o600)
    with pytest.raises(ConfigError, match="plain file of its own"):
        take_as_root(layout.signer, layout.earlier_device_key)
    layout.earlier_device_key.unlink()
    layout.keys.rmdir()
    layout.keys.symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        take_as_root(layout.signer, layout.earlier_device_key)
    assert secret.exists()
    assert not layout.device_key.exists()


NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="acting as another account takes root")


@pytest.fixture
def of_nobody(layout: RoomPaths, tmp_path: Path) -> RoomPaths:
    """The signer's folder belongs to another account, which reaches it."""
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(folder.stat().st_mode | 0o711)
    layout.signer.mkdir(parents=True, mode=0o700)
    os.chown(layout.signer, NOBODY, NOBODY)
    return layout


@as_root
def test_root_gives_the_key_to_the_folders_owner_and_looks_once(of_nobody: RoomPaths) -> None:
    layout = of_nobody
    before = make_key(layout.earlier_device_key)
    assert take_as_root(layout.signer, layout.earlier_device_key)
    assert {path.stat().st_uid for path in layout.signer.iterdir()} == {NOBODY}
    make_key(layout.earlier_device_key)  # what a service puts there later is none of ours any more
    assert take_as_root(layout.signer, layout.earlier_device_key)
    assert make_key(layout.device_key).public_key() == before.public_key()
    assert (os.geteuid(), os.getegid()) == (0, 0)


@as_root
@pytest.mark.parametrize("planted", ["moved.new", "moved", "device.key.new", "device.key"])
@pytest.mark.parametrize("linked", ["symbolic", "hard"])
def test_root_writes_through_no_link_that_the_signer_has_laid(
    of_nobody: RoomPaths, tmp_path: Path, planted: str, linked: str
) -> None:
    """Otherwise the account that signs has root write, or give it, any file of the machine."""
    layout = of_nobody
    secret = tmp_path / "shadow"
    secret.write_text("root:x:")
    secret.chmod(0o600)
    make_key(layout.earlier_device_key)
    if linked == "hard":
        os.link(secret, layout.signer / planted)
    else:
        (layout.signer / planted).symlink_to(secret)
    with contextlib.suppress(ConfigError):  # told, or done without it
        take_as_root(layout.signer, layout.earlier_device_key)
    found = secret.stat()
    assert (secret.read_text(), found.st_uid, found.st_mode & 0o777) == ("root:x:", 0, 0o600)


@as_root
def test_root_takes_nothing_away_where_the_services_have_laid_another_folder(
    of_nobody: RoomPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of the earlier key is exchanged while root is at work: between its reading and its taking away."""
    layout = of_nobody
    make_key(layout.earlier_device_key)
    os.chown(layout.keys, NOBODY, NOBODY)
    os.chown(layout.earlier_device_key, NOBODY, NOBODY)
    other = tmp_path / "other"
    make_key(other / "device.key")
    true = file._key_of

    def exchanged(data: bytes, path: Path) -> Ed25519PrivateKey:
        layout.keys.rename(tmp_path / "away")
        layout.keys.symlink_to(other)
        return true(data, path)

    monkeypatch.setattr(file, "_key_of", exchanged)
    with contextlib.suppress(ConfigError, OSError):
        take_as_root(layout.signer, layout.earlier_device_key)
    assert (other / "device.key").exists()
