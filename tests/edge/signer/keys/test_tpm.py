"""The key sealed by a TPM, swtpm at its socket: no plain key is on the disk, and another TPM opens nothing."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.signer.keys.home import open_key
from hardware.signer_settings import SignerSettings
from sync.errors import ConfigError
from sync.ledger.keys import make_key
from sync.room.paths import RoomPaths

pytestmark = pytest.mark.process  # the tools of the TPM


@contextlib.contextmanager
def software_tpm(folder: Path) -> Iterator[SignerSettings]:
    """A TPM whose memory is `folder`."""
    folder.mkdir(exist_ok=True)
    path = folder / "tpm"
    command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}", "--flags", "not-need-init,startup-clear"]
    command += ["--server", f"type=unixio,path={path}", "--ctrl", f"type=unixio,path={folder / 'tpm.ctrl'}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            with socket.socket(socket.AF_UNIX) as line, contextlib.suppress(OSError):
                line.connect(str(folder / "tpm.ctrl"))
                break
            assert time.monotonic() < deadline
            time.sleep(0.02)  # another process's socket: there is no event to wait for
        yield SignerSettings(key="tpm", tcti=f"swtpm:path={path}")
    finally:
        process.terminate()
        process.wait()


def all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_key_is_made_sealed_and_opened_again(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path / "data")
    with software_tpm(tmp_path / "tpm") as settings:
        key = open_key(settings, layout.signer, layout.earlier_device_key)
        assert isinstance(key, Ed25519PrivateKey)
        assert not layout.device_key.exists()
        assert key.private_bytes_raw() not in all_bytes(layout.data)
    with software_tpm(tmp_path / "tpm") as settings:  # the machine was started again
        again = open_key(settings, layout.signer, layout.earlier_device_key)
        assert again.public_key() == key.public_key()


def test_the_key_of_a_room_of_before_is_sealed_and_its_file_goes(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path / "data")
    before = make_key(layout.earlier_device_key)
    with software_tpm(tmp_path / "tpm") as settings:
        key = open_key(settings, layout.signer, layout.earlier_device_key)
    assert key.public_key() == before.public_key()
    assert not layout.device_key.exists()
    assert not layout.earlier_device_key.exists()
    assert before.private_bytes_raw() not in all_bytes(layout.data)


def test_a_disk_in_another_machine_holds_no_key(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path / "data")
    with software_tpm(tmp_path / "tpm") as settings:
        open_key(settings, layout.signer, layout.earlier_device_key)
    with software_tpm(tmp_path / "other") as settings, pytest.raises(ConfigError, match="sealed on this machine"):
        open_key(settings, layout.signer, layout.earlier_device_key)


def test_a_tpm_that_is_not_there_and_tools_that_are_not_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = SignerSettings(key="tpm", tcti=f"swtpm:path={tmp_path / 'none'}")
    with pytest.raises(ConfigError, match="tcti"):
        open_key(settings, tmp_path / "signer", tmp_path / "earlier")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="tpm2-tools"):
        open_key(settings, tmp_path / "signer", tmp_path / "earlier")
