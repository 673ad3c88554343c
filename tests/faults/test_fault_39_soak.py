"""Fault 39: memory stays flat and no file descriptor stays open.

Half a minute of what `wutong bench soak` does for days. Beside the room runs a process that leaks on purpose: the
measurement must find it, and nothing else.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
from rich.console import Console

from wutong.bench.soak import FD_GROWTH, measure

LEAKING = "import os,time\nkept=[]\nwhile True: kept.append(bytearray(os.urandom(1 << 20))); os.dup(0); time.sleep(.2)"


async def test_half_a_minute_of_a_room_leaks_nothing(tmp_path: Path) -> None:
    leak = psutil.Popen([sys.executable, "-c", LEAKING], stdin=subprocess.DEVNULL)
    try:
        figures = await measure(tmp_path, 30 / 3600, Console(quiet=True), beside=lambda: {"leak": leak})
    finally:
        leak.kill()
        leak.wait()
    assert figures["leaking"] == ["leak"]
    assert figures["restarts"] == 0
    assert figures["hearings"] >= 2
    leaked = figures["processes"].pop("leak")
    assert leaked["rss_growth_mib"] > 20
    assert leaked["fd_growth"] > 20
    assert set(figures["processes"]) >= {"recorder", "edge", "uplink", "transcriber", "recorder/camera"}
    assert all(one["fd_growth"] <= FD_GROWTH for one in figures["processes"].values())
