"""The signer as the machine runs it: a process of an account of its own, killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sync.errors import LedgerError
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.keys import make_key
from sync.room.paths import RoomPaths
from sync.room.signer import RoomSigner
from tests.support.rooms.edge_room import PROFILE

ROOM = "jianshan/c03"
SERVICES, SIGNER, GROUP = 65_501, 65_502, 65_503
"""Accounts that no machine has: that of the services, that of the signer, and the group of both."""


def head(size: int, root: int = 1) -> bytes:
    return Checkpoint(ROOM, "h", size, bytes([root] * 32), size, 1).to_text().encode()


def command(profile: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "wutong", "room", "signer", "--profile", str(profile), *more]


def until_answers(asked: RoomSigner, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            asked.probe()
        except LedgerError:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)  # another process's socket: there is no event to wait for
        else:
            return


def test_a_signer_that_is_killed_comes_back_with_its_key_and_its_memory(tmp_path: Path) -> None:
    profile = tmp_path / "room.toml"
    profile.write_text(PROFILE % 0)
    layout = RoomPaths(tmp_path / "data")
    asked, keys = RoomSigner(layout.signer_socket), set()
    for size in (3, 5):
        process = subprocess.Popen(command(profile), stderr=subprocess.PIPE)
        until_answers(asked, process)
        asked.sign(head(size))
        keys.add(asked.public_key().public_bytes_raw())
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with pytest.raises(LedgerError, match="wutong-signer"):
            asked.sign(head(size))
    process = subprocess.Popen(command(profile), stderr=subprocess.PIPE)
    until_answers(asked, process)
    with pytest.raises(LedgerError, match="不一致"):
        asked.sign(head(4))
    process.terminate()
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert b"signer_serving" in said
    assert len(keys) == 1
    assert not layout.signer_socket.exists()


_SERVICE = """
import sys
from pathlib import Path
from sync.errors import LedgerError
from sync.room.signer import RoomSigner
asked = RoomSigner(Path(sys.argv[1]))
for what in (lambda: len(asked.sign(Path(sys.argv[2]).read_bytes())), lambda: Path(sys.argv[3]).read_bytes()):
    try:
        print(what())
    except (OSError, LedgerError) as error:
        print(type(error).__name__)
"""


def started_by_others() -> bool:
    """Whether other accounts may start this Python and import the project.

    The folders above both would not tell it: an interpreter is a link, its libraries lie elsewhere again.
    """
    attempt = [sys.executable, "-c", "import edge.signer, wutong"]
    try:
        return subprocess.run(attempt, user=SIGNER, group=GROUP, extra_groups=[], capture_output=True).returncode == 0
    except PermissionError:
        return False


@pytest.mark.skipif(os.geteuid() != 0, reason="other accounts take root")
def test_the_services_have_checkpoints_signed_with_a_key_that_none_of_them_can_read(tmp_path: Path) -> None:
    if not started_by_others():
        pytest.skip("this Python, or the project, lies in a folder that other accounts cannot enter")
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(folder.stat().st_mode | 0o711)
    profile = tmp_path / "room.toml"
    profile.write_text(PROFILE % 0)
    profile.chmod(0o644)
    layout, own = RoomPaths(tmp_path / "data"), tmp_path / "wutong-signer"
    before = make_key(layout.earlier_device_key)  # a room of before
    layout.signer_socket.parent.mkdir()
    own.mkdir(mode=0o700)
    for path, user, mode in (
        (layout.data, SERVICES, 0o750),
        (layout.keys, SERVICES, 0o700),
        (layout.earlier_device_key, SERVICES, 0o600),
        (layout.signer_socket.parent, SERVICES, 0o770),
        (own, SIGNER, 0o700),
    ):
        os.chown(path, user, GROUP)
        path.chmod(mode)
    start = command(profile, "--folder", str(own))
    early = subprocess.run(start, user=SIGNER, group=GROUP, extra_groups=[], capture_output=True, text=True)
    assert early.returncode == 2
    assert "--take-key" in early.stderr, "it makes no second key where it cannot see the first"
    took = subprocess.run([*start, "--take-key"], check=True, capture_output=True, text=True)
    assert "the device's key is in" in took.stdout
    assert not layout.earlier_device_key.exists()
    process = subprocess.Popen(start, user=SIGNER, group=GROUP, extra_groups=[], umask=0o077, stderr=subprocess.PIPE)
    try:
        asked = RoomSigner(layout.signer_socket)
        until_answers(asked, process)
        assert asked.public_key() == before.public_key()
        (tmp_path / "head").write_bytes(head(1))
        (tmp_path / "head").chmod(0o644)
        question = [sys.executable, "-c", _SERVICE, str(layout.signer_socket), str(tmp_path / "head")]
        question.append(str(own / "device.key"))
        for user, group, said in (
            (SERVICES, GROUP, ["64", "PermissionError"]),
            (SERVICES, 65_504, ["LedgerError", "PermissionError"]),
            (65_505, 65_504, ["LedgerError", "PermissionError"]),
        ):
            done = subprocess.run(question, user=user, group=group, extra_groups=[], capture_output=True, text=True)
            assert done.stdout.split() == said, done.stderr
        memory = Path(f"/proc/{process.pid}/mem")
        assert memory.stat().st_uid == 0, "not even its own account looks into its memory"
    finally:
        process.kill()
        process.communicate()
