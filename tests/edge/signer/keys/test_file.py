"""The key in a file: made once, moved once from where rooms of before have it, and never two."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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


@pytest.mark.skipif(os.geteuid() != 0, reason="giving files away takes root")
def test_root_gives_the_key_to_the_folders_owner_and_looks_once(layout: RoomPaths) -> None:
    layout.signer.mkdir(parents=True, mode=0o700)
    os.chown(layout.signer, 65534, 65534)
    before = make_key(layout.earlier_device_key)
    assert take_as_root(layout.signer, layout.earlier_device_key)
    assert {path.stat().st_uid for path in layout.signer.iterdir()} == {65534}
    make_key(layout.earlier_device_key)  # what a service puts there later is none of ours any more
    assert take_as_root(layout.signer, layout.earlier_device_key)
    assert make_key(layout.device_key).public_key() == before.public_key()
