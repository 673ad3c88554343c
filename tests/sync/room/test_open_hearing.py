"""Whether a hearing is open, for who asks whether services may be stopped."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from sync.errors import StorageError
from sync.room.event_log import RoomLog
from sync.room.open_hearing import open_hearing, until_idle
from sync.room.paths import RoomPaths


async def test_a_recess_counts_as_open_and_a_room_without_a_log_has_none(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path)
    assert await open_hearing(layout) is None
    assert not layout.log.exists()
    with contextlib.closing(RoomLog(layout.log)) as log:
        log.append("open", {"tracks": []}, hearing="h", room_ns=1, utc_ns=1)
        assert await open_hearing(layout) == "h"
        log.append("pause", {"reason": ""}, hearing="h", room_ns=2, utc_ns=2)
        assert await open_hearing(layout) == "h"
        log.append("close", {}, hearing="h", room_ns=3, utc_ns=3)
        assert await open_hearing(layout) is None
        await until_idle(layout)


async def test_a_log_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path)
    layout.log.write_bytes(b"no database" * 400)
    with pytest.raises(StorageError):
        await open_hearing(layout)
