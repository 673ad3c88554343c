"""Fault 39: memory stays flat, no file descriptor, thread or process stays, no file is left.

Some seconds of what `wutong bench soak` does for days, of a whole room with its center and broker. Beside them runs a
process that leaks on purpose: the measurement must find it, and nothing else.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
from rich.console import Console

from tests.support.ports import free_ports
from wutong.bench.soak.growth import FD_GROWTH
from wutong.bench.soak.measure import measure

LEAKING = """
import os, threading, time
kept, wait = [], threading.Event().wait
while True:
    kept.append(bytearray(os.urandom(1 << 20)))
    os.dup(0)
    threading.Thread(target=wait, daemon=True).start()
    time.sleep(.2)
"""
POOLS = 8
"""Threads that a short run may still see started: pools fill as they are needed."""


async def test_hearing_after_hearing_leaves_nothing_behind(tmp_path: Path) -> None:
    leak = psutil.Popen([sys.executable, "-c", LEAKING], stdin=subprocess.DEVNULL)
    try:
        figures = await measure(
            tmp_path,
            18 / 3600,
            Console(quiet=True),
            port_base=free_ports(),
            hearing_s=1.0,
            beside=lambda: {"leak": leak},
        )
    finally:
        leak.kill()
        leak.wait()
    assert "leak" in figures["leaking"]
    leaked = figures["processes"].pop("leak")
    assert leaked["rss_growth_mib"] > 15
    assert leaked["fd_growth"] > 15
    assert leaked["thread_growth"] > 15
    assert figures["restarts"] == 0
    assert figures["hearings"] >= 2
    assert figures["live_messages"] > 0
    assert figures["uploads_unfinished"] < 20
    assert set(figures["processes"]) >= {"center", "mosquitto", "room-01.recorder", "room-01.edge", "room-01.uplink"}
    for name, one in figures["processes"].items():
        assert one["fd_growth"] <= FD_GROWTH + POOLS, name
        assert one["thread_growth"] <= POOLS, name
        assert one["child_growth"] <= 2, name
        assert one["rss_growth_mib"] < leaked["rss_growth_mib"], name
