"""Following the log: events that nobody can read are left out, and everything after them is seen."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sync.errors import StorageError
from sync.record.event import DAMAGED
from sync.record.hearing import State
from sync.room.event_log import RoomLog
from sync.room.follower import Follower

BAD: dict[str, dict[str, Any]] = {
    "segment": {"track": "bench"},
    "mark": {"id": 1},
    "gap": {"from_ns": [], "to_ns": 1},
    "pause": {},
}


async def test_no_screen_hangs_on_an_event_that_nobody_can_read(tmp_path: Path) -> None:
    log = RoomLog(tmp_path / "room.db")
    log.append("open", {"tracks": []}, hearing="h", room_ns=1, utc_ns=1)
    running = Follower(log)
    await running.start()
    for kind, body in BAD.items():
        log.append(kind, body, hearing="h", room_ns=2, utc_ns=2)
    mark = {"id": "m", "kind": "note", "text": "好"}
    log.append("mark", mark, hearing="h", room_ns=3, utc_ns=3)
    log.append("close", {}, hearing="h", room_ns=4, utc_ns=4)
    with contextlib.closing(sqlite3.connect(tmp_path / "room.db")) as db, db:
        db.execute("UPDATE event SET body = '[]' WHERE kind = 'close'")
    anew = Follower(log)
    await anew.start()
    assert [event.kind for event in await running.poll()] == [*BAD, "mark", "close"]
    for follower in (running, anew):
        assert follower.hearing is not None
        assert follower.hearing.state is State.CLOSED
        assert [m.id for m in follower.hearing.marks] == ["m"]
        assert await follower.poll() == []
    log.close()


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "7", "[" * 100_000])
def test_a_damaged_body_is_a_fault_of_the_disk_or_marked(tmp_path: Path, body: str) -> None:
    log = RoomLog(tmp_path / "room.db")
    log.append("mark", {}, hearing="h", room_ns=5, utc_ns=6)
    with contextlib.closing(sqlite3.connect(tmp_path / "room.db")) as db, db:
        db.execute("UPDATE event SET body = ?", (body,))
    reads: list[Callable[[], object]] = [lambda: log.since(0), lambda: log.of_hearing("h"), log.pending]
    for read in reads:
        with pytest.raises(StorageError, match="event 1 in the room's log is damaged"):
            read()
    [event] = log.since(0, mark=True)
    assert log.of_hearing("h", mark=True) == [event]
    assert (event.kind, event.room_ns, list(event.body)) == ("mark", 5, [DAMAGED])
    log.close()
