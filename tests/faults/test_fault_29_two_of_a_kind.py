"""Fault 29: two agents on one spool. The second of each service is refused in one line, and the first does not notice.

Lost: nothing; no event is said twice, no socket is taken away.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from sync.errors import ConfigError
from sync.room.feed import FeedServer
from sync.room.paths import RoomPaths
from tests.support.rooms.recorder_room import profile_text


@pytest.mark.parametrize("service", ["recorder", "transcriber", "edge", "uplink"])
async def test_the_second_is_refused(service: str, tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path / "data")
    first = FeedServer(layout.feed(service))
    await first.start()
    second = FeedServer(layout.feed(service))
    with pytest.raises(ConfigError, match=f"another {service} already works"):
        await second.start()
    await second.stop()
    assert layout.feed(service).exists(), "the first keeps its socket"
    await first.stop()
    await second.start()  # and when the first is gone, its place is free
    await second.stop()


async def test_a_second_uplink_ends_with_one_line(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path / "data")
    first = FeedServer(layout.feed("uplink"))
    await first.start()
    (tmp_path / "room.toml").write_text(profile_text(), encoding="utf-8")
    command = [sys.executable, "-m", "wutong", "room", "uplink", "--profile", str(tmp_path / "room.toml")]
    second = await asyncio.to_thread(subprocess.run, command, stderr=subprocess.PIPE, text=True, timeout=60)
    assert second.returncode == 2
    assert "another uplink already works" in second.stderr
    assert "Traceback" not in second.stderr
    await first.stop()
