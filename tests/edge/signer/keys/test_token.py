"""The key in a token: made in SoftHSM by its module, as in any token's; it signs, and is never read out."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pkcs11
import pytest

from edge.signer.guarded_key import GuardedKey
from edge.signer.keys.home import open_key
from edge.signer.keys.token import TokenKey
from hardware.signer_settings import SignerSettings
from sync.errors import ConfigError, LedgerError
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.keys import certificate_request, make_key, request_key
from sync.room.paths import RoomPaths
from sync.room.signer import RoomSigner
from tests.support.rooms.signer_peer import signing

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
ROOM = "jianshan/c03"
PIN = "183920"
HEAD = Checkpoint(ROOM, "h", 1, bytes(32), 1, 1).to_text().encode()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """SoftHSM's folder with a token `room`. The module reads its configuration once in a process."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        command = ["softhsm2-util", "--init-token", "--free", "--label", "room", "--pin", PIN, "--so-pin", "99887766"]
        subprocess.run(command, check=True, capture_output=True)
        pkcs11.lib(str(MODULE)).get_slots()
        (folder / "pin").write_text(PIN + "\n")
        (folder / "pin").chmod(0o600)
        yield folder


def settings(tokens: Path, **more: object) -> SignerSettings:
    values = {"key": "pkcs11", "module": MODULE, "token": "room", "pin_file": tokens / "pin", **more}
    return SignerSettings.model_validate(values)


def token_key(tokens: Path, layout: RoomPaths) -> TokenKey:
    key = open_key(settings(tokens), layout.signer, layout.earlier_device_key)
    assert isinstance(key, TokenKey)
    return key


def test_the_key_is_made_in_the_token_and_signs_for_the_room(tokens: Path, tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path)
    key = token_key(tokens, layout)
    with contextlib.closing(key), signing(layout, ROOM, key=key):
        asked = RoomSigner(layout.signer_socket)
        asked.public_key().verify(asked.sign(HEAD), HEAD)
        assert request_key(certificate_request(asked, ROOM)) == asked.public_key()
    assert not layout.device_key.exists(), "no key on the disk"
    with contextlib.closing(token_key(tokens, layout)) as again:
        assert again.public_key() == key.public_key()
        other = GuardedKey(again, "jianshan/c04", tmp_path / "other")
        with contextlib.closing(other), pytest.raises(LedgerError):
            other.sign(HEAD)


def test_a_token_that_was_out_for_a_moment_signs_again(tokens: Path, tmp_path: Path) -> None:
    with contextlib.closing(token_key(tokens, RoomPaths(tmp_path))) as key:
        key.public_key().verify(key.sign(HEAD), HEAD)
        key._session.close()
        key.public_key().verify(key.sign(HEAD), HEAD)


def test_nothing_reads_the_private_key_out_of_the_token(tokens: Path, tmp_path: Path) -> None:
    key = token_key(tokens, RoomPaths(tmp_path))
    with (
        contextlib.closing(key),
        pkcs11.lib(str(MODULE)).get_token(token_label="room").open() as session,
    ):  # logged in with the key above
        private = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, label="wutong-device")
        with pytest.raises(pkcs11.exceptions.PKCS11Error):
            _ = private[pkcs11.Attribute.VALUE]


@pytest.mark.parametrize(
    "wrong", [{"token": "elsewhere"}, {"module": Path("/usr/lib/no-such-module.so")}, {"pin_file": "wrong"}]
)
def test_what_is_wrong_is_said_at_the_start(tokens: Path, tmp_path: Path, wrong: dict[str, object]) -> None:
    if wrong.get("pin_file"):
        wrong["pin_file"] = tmp_path / "pin"
        (tmp_path / "pin").write_text("000000")
        (tmp_path / "pin").chmod(0o600)
    with pytest.raises(ConfigError, match=r"module, token and pin_file"):
        open_key(settings(tokens, **wrong), tmp_path / "signer", tmp_path / "none")


def test_a_key_that_is_in_a_file_is_not_silently_replaced_by_a_tokens(tokens: Path, tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path)
    make_key(layout.earlier_device_key)
    with pytest.raises(ConfigError, match="enroll the room anew"):
        open_key(settings(tokens), layout.signer, layout.earlier_device_key)


def test_a_profile_that_names_no_token_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 'module'"):
        SignerSettings(key="pkcs11")


def test_without_the_package_the_words_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(ConfigError, match="python-pkcs11"):
        TokenKey(MODULE, "room", "wutong-device", PIN)
