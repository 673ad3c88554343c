"""A service tells systemd that it serves, that it lives, and that it stops: over the socket that systemd gives it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

WUTONG = Path(sys.executable).parent / "wutong"

SMALLEST = """
import asyncio, sys
from sync.runtime.process.service import Lifeline, run_service

async def main(lifeline: Lifeline) -> None:
    lifeline.ready()
    await asyncio.Event().wait()

sys.exit(run_service("smallest", main))
"""

CONFINED = """
import ctypes, os, sys

PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit(77)
os.execvp(sys.argv[1], sys.argv[1:])
"""

STANDS_ALONE = """
[room]
court = "jianshan"
room = "3"
court_name = "尖山区人民法院"
room_name = "第三法庭"
[[seats]]
id = "judge"
roles = ["审判长"]
channel = 0
[microphones]
driver = "simulated"
channels = 1
[[cameras]]
id = "bench"
name = "审判席"
driver = "simulated"
[storage]
data = "data"
reserve_gib = 0
[transcriber]
engine = "off"
[panel]
port = 0
"""


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket that systemd listens on for a unit of `Type=notify`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(1)
        yield listener


def start(listener: socket.socket, *command: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"NOTIFY_SOCKET": str(listener.getsockname()), "WATCHDOG_USEC": "200000"}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def said(listener: socket.socket, process: subprocess.Popen[bytes]) -> bytes:
    """The next word of the service; its own last words when it ends without one."""
    while True:
        try:
            return listener.recv(100)
        except TimeoutError:
            assert process.stderr is not None
            assert process.poll() is None, process.stderr.read().decode()


def received(listener: socket.socket) -> list[str]:
    """All that was said and not read yet."""
    words = []
    listener.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            words.append(listener.recv(2000).decode())
    return words


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()


def test_ready_alive_and_stopping_are_said_in_this_order(systemd: socket.socket) -> None:
    process = start(systemd, sys.executable, "-c", SMALLEST)
    try:
        assert said(systemd, process) == b"READY=1"
        assert said(systemd, process) == b"WATCHDOG=1"
        assert said(systemd, process) == b"WATCHDOG=1"
        process.send_signal(signal.SIGTERM)
        while (last := said(systemd, process)) == b"WATCHDOG=1":
            pass
        assert last == b"STOPPING=1"
        assert process.wait(20) == 0
    finally:
        stop(process)


@pytest.mark.parametrize("service", ["recorder", "transcriber", "edge", "uplink", "signer"])
def test_each_service_of_a_room_says_that_it_is_ready(service: str, systemd: socket.socket, tmp_path: Path) -> None:
    profile = tmp_path / "room.toml"
    profile.write_text(STANDS_ALONE, encoding="utf-8")
    process = start(systemd, str(WUTONG), "room", service, "--profile", str(profile))
    try:
        assert said(systemd, process) == b"READY=1"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        stop(process)


@pytest.mark.parametrize("fault", ["profile", "service"])
def test_who_asks_systemd_for_the_status_reads_why_a_service_does_not_start(
    fault: str, systemd: socket.socket, tmp_path: Path
) -> None:
    """One that is wrong in the profile, and one that is found only when the service opens what it needs."""
    profile = tmp_path / "room.toml"
    text = STANDS_ALONE.replace("port = 0", "port = -1") if fault == "profile" else STANDS_ALONE
    profile.write_text(text, encoding="utf-8")
    if fault == "service":
        (tmp_path / "data").write_text("no folder", encoding="utf-8")
    process = start(systemd, str(WUTONG), "room", "edge", "--profile", str(profile))
    try:
        assert process.wait(60) == 2
        assert process.stderr is not None
        printed = process.stderr.read().decode()
        words = [one for one in received(systemd) if one.startswith("STATUS=")]
        assert len(words) == 1
        assert words[0].removeprefix("STATUS=") in printed
        assert ("port" if fault == "profile" else "data") in words[0]
    finally:
        stop(process)


@pytest.mark.parametrize("service", ["recorder", "edge", "uplink", "signer"])
def test_a_service_starts_without_memory_that_is_written_and_run(
    service: str, systemd: socket.socket, tmp_path: Path
) -> None:
    """`MemoryDenyWriteExecute=`, which these units have, as far as the kernel itself can forbid it."""
    profile = tmp_path / "room.toml"
    profile.write_text(STANDS_ALONE, encoding="utf-8")
    command = [str(WUTONG), "room", service, "--profile", str(profile)]
    if subprocess.run([sys.executable, "-c", CONFINED, "true"]).returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    process = start(systemd, sys.executable, "-c", CONFINED, *command)
    try:
        assert said(systemd, process) == b"READY=1"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        stop(process)
