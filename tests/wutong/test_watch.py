"""`wutong doctor ROOM --watch`: one screen says what runs, what does not, and what is wrong."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from pathlib import Path
from typing import Any

import pytest

from sync.room.event_log import RoomLog
from sync.room.feed import FeedServer
from sync.room.paths import RoomPaths
from tests.support.words.doctor_profile import PROFILE

TRACK: dict[str, Any] = {"kind": "video", "state": "running", "kept": True, "kept_bytes": 5 << 20, "restarts": 2}
STATUS = {
    "tracks": [{**TRACK, "id": "bench", "why": ""}, {**TRACK, "id": "mics", "state": "failed", "why": "device lost"}],
    "disk": {"free_bytes": 3 << 30, "hours_left": 4.25},
    "clock": {"source": "chrony", "error_ms": 0.8},
    "alarms": [{"code": "source", "subject": "mics", "text": "设备中断"}],
}


def command(tmp_path: Path, *options: str) -> list[str]:
    path = tmp_path / "room.toml"
    path.write_text(PROFILE.format(mics="simulated", camera='driver = "simulated"', reserve=0), encoding="utf-8")
    return [sys.executable, "-c", "from wutong.cli import main; main()", "doctor", str(path), "--watch", *options]


async def once(tmp_path: Path) -> str:
    environment = {"COLUMNS": "80", "LINES": "24", "PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"}
    process = await asyncio.create_subprocess_exec(
        *command(tmp_path, "--once"), env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, out.decode()
    return out.decode()


@pytest.mark.process
async def test_a_room_at_work_fits_one_small_screen(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path / "data")
    log = RoomLog(layout.log)
    log.append("open", {"case": {"case_no": "(2026)黑05民初7号"}}, hearing="h1", room_ns=1, utc_ns=1)
    recorder, uplink = FeedServer(layout.feed("recorder")), FeedServer(layout.feed("uplink"))
    await recorder.start()
    await uplink.start()

    async def speak() -> None:
        link = {
            "broker": True,
            "center": False,
            "pending_events": 7,
            "pending_bytes": 4096,
            "last_receipt_utc_ns": None,
        }
        while True:
            recorder.publish_json("status", STATUS)
            recorder.publish_json("levels", {"at_ns": 1, "seats": {"judge": {"peak_db": -10.0, "rms_db": -21.4}}})
            uplink.publish_json("link", link)
            await asyncio.sleep(0.1)

    speaking = asyncio.create_task(speak())
    try:
        out = await once(tmp_path)
    finally:
        speaking.cancel()
        await recorder.stop()
        await uplink.stop()
        log.close()
    lines = out.splitlines()
    assert len(lines) <= 24
    for words in (
        "第三法庭", "open (2026)黑05民初7号", "审判长", "-21 dB", "● kept", "5.0 MiB", "device lost", "restarts 2",
        "3.0 GiB free, 4.2 h left", "chrony, ± 0.8 ms", "7 events, 4 KiB wait", "center AWAY", f"pid {os.getpid()}",
        "! source mics: 设备中断",
    ):  # fmt: skip
        assert words in out, (words, out)
    assert any(line.startswith("transcriber ") and "not running" in line for line in lines)
    assert any(line.startswith("edge ") and "not running" in line for line in lines)


@pytest.mark.process
async def test_a_room_that_does_not_run_is_shown_as_such(tmp_path: Path) -> None:
    out = await once(tmp_path)
    assert "recorder: says nothing" in out
    assert out.count("not running") == 4
    assert not (tmp_path / "data" / "room.db").exists()


@pytest.mark.process
async def test_q_ends_the_view(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    process = await asyncio.create_subprocess_exec(*command(tmp_path), env=environment, stdin=theirs, stdout=theirs)
    os.close(theirs)
    loop = asyncio.get_running_loop()
    shown = b""
    while b"not running" not in shown:
        shown += await asyncio.wait_for(loop.run_in_executor(None, os.read, ours, 4096), 60)
    os.write(ours, b"q")
    drain = loop.run_in_executor(None, _drain, ours)
    assert await asyncio.wait_for(process.wait(), 30) == 0
    await drain
    os.close(ours)


def _drain(fd: int) -> None:
    try:
        while os.read(fd, 4096):
            pass
    except OSError:  # the other end is closed: that is how a pty ends
        return
