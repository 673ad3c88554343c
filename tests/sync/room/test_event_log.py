"""The room's log: numbered, idempotent, shared by processes, and forgotten only as told."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

from sync.errors import StorageError
from sync.room.event_log import RoomLog

WRITER = """
import sys
from pathlib import Path
from sync.room.event_log import RoomLog
log = RoomLog(Path(sys.argv[1]))
for i in range(150):
    key = f"shared/{i}" if i % 3 == 0 else None
    log.append("mark", {"by": sys.argv[2], "i": i}, hearing="h", room_ns=i, utc_ns=i, key=key)
"""


def test_two_processes_write_one_order_without_holes(tmp_path: Path) -> None:
    path = tmp_path / "room.db"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), who]) for who in ("a", "b")]
    assert [w.wait(60) for w in writers] == [0, 0]
    with contextlib.closing(RoomLog(path)) as log:
        events, waiting = log.since(0), log.pending_count()
    # 100 without a key from each, 50 shared keys once.
    assert len(events) == 250
    numbers = [e.number for e in events]
    assert numbers == sorted(set(numbers))
    for who in ("a", "b"):
        own = [e.body["i"] for e in events if e.body["by"] == who]
        assert own == sorted(own)
    assert waiting == 250


def test_a_key_said_twice_is_one_event(room_log: RoomLog) -> None:
    first = room_log.append("open", {"a": 1}, hearing="h", room_ns=1, utc_ns=1, key="k")
    again = room_log.append("open", {"a": 2}, hearing="h", room_ns=2, utc_ns=2, key="k")
    assert again == first
    assert room_log.pending_count() == 1


def test_forgetting_empties_the_outbox_and_keeps_the_log(room_log: RoomLog) -> None:
    numbers = [room_log.append("mark", {}, hearing="h", room_ns=i, utc_ns=i).number for i in range(5)]
    assert room_log.oldest_pending_utc_ns() == 0
    room_log.forget([*numbers[:2], 999])
    assert [e.number for e in room_log.pending()] == numbers[2:]
    assert room_log.oldest_pending_utc_ns() == 2
    assert [e.number for e in room_log.since(0)] == numbers
    room_log.forget(numbers)
    assert room_log.oldest_pending_utc_ns() is None


def test_what_was_appended_is_there_after_the_process_is_killed(tmp_path: Path) -> None:
    code = (
        "import os,sys;from pathlib import Path;from sync.room.event_log import RoomLog\n"
        "log=RoomLog(Path(sys.argv[1]));log.append('open',{},hearing='h',room_ns=1,utc_ns=1);os.kill(os.getpid(),9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "room.db")], check=False)
    with contextlib.closing(RoomLog(tmp_path / "room.db")) as log:
        assert log.last_opened() == "h"


def test_numbers_that_are_no_json_are_refused(room_log: RoomLog) -> None:
    with pytest.raises(ValueError, match="JSON"):
        room_log.append("mark", {"x": float("nan")}, hearing="h", room_ns=1, utc_ns=1)


def test_a_file_that_is_no_database_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "room.db").write_bytes(b"this is text, not a database" * 100)
    with pytest.raises(StorageError):
        RoomLog(tmp_path / "room.db")
