"""What a restarted recorder reads from the room's log."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from recorder.storage.schedule import RecordingSchedule
from sync.room.event_log import RoomLog

S = 1_000_000_000


def test_a_gap_that_nobody_could_say_any_more_is_found(tmp_path: Path) -> None:
    log = RoomLog(tmp_path / "room.db")

    def append(kind: str, at_s: float, **body: Any) -> None:
        log.append(kind, body, hearing="h", room_ns=int(at_s * S), utc_ns=0)

    def segment(index: int, from_s: float, to_s: float, track: str = "bench") -> None:
        times = {"from_ns": int(from_s * S), "to_ns": int(to_s * S)}
        append("segment", to_s, track=track, index=index, file="", bytes=1, sha256="", **times)

    append("open", 10, tracks=[{"id": "bench"}, {"id": "mics"}])
    segment(0, 9, 20)
    segment(1, 23, 30.2)
    append("pause", 30, reason="recess")
    append("resume", 100)
    segment(2, 99, 110)
    segment(3, 110.005, 120)
    append("gap", 130, track="bench", from_ns=120 * S, to_ns=125 * S, why="")
    segment(4, 125, 140)
    segment(0, 9, 120, "mics")
    schedule = RecordingSchedule(log)
    schedule.poll()
    [plan] = schedule.all()
    assert plan.tracks == {"bench", "mics"}
    assert plan.kept_until_ns == {"bench": 140 * S, "mics": 120 * S}
    assert plan.holes == {"bench": [(20 * S, 23 * S)], "mics": []}
    log.close()


def test_an_event_that_nobody_can_read_keeps_no_hearing_from_being_kept(tmp_path: Path) -> None:
    log = RoomLog(tmp_path / "room.db")
    log.append("open", {"tracks": []}, hearing="h", room_ns=10 * S, utc_ns=0)
    schedule = RecordingSchedule(log)
    log.append("segment", {"track": "bench"}, hearing="h", room_ns=11 * S, utc_ns=0)
    log.append("close", {}, hearing="h", room_ns=20 * S, utc_ns=0)
    for one in (schedule, RecordingSchedule(log)):
        one.poll()
        [plan] = one.all()
        assert [(s.from_ns, s.to_ns) for s in plan.stretches] == [(10 * S, 20 * S)]
    log.close()


def test_a_damaged_event_keeps_its_time_and_holds_up_nothing_that_comes_after(tmp_path: Path) -> None:
    path = tmp_path / "room.db"
    log = RoomLog(path)
    log.append("open", {"tracks": ["bench"]}, hearing="odd", room_ns=1 * S, utc_ns=0)
    log.append("close", {}, hearing="odd", room_ns=2 * S, utc_ns=0)
    log.append("open", {"tracks": []}, hearing="h", room_ns=10 * S, utc_ns=0)
    log.append("gap", {"track": "bench"}, hearing="h", room_ns=11 * S, utc_ns=0)
    log.append("close", {}, hearing="h", room_ns=20 * S, utc_ns=0)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE event SET body = '{\"torn' WHERE hearing = 'h'")
    schedule = RecordingSchedule(log)
    plans = {one.hearing: one for one in schedule.poll() or schedule.all()}
    assert [(s.from_ns, s.to_ns) for s in plans["h"].stretches] == [(10 * S, 20 * S)]
    assert plans["odd"].tracks == frozenset()
    log.append("open", {"tracks": []}, hearing="next", room_ns=30 * S, utc_ns=0)
    assert [one.hearing for one in schedule.poll()] == ["next"]
    assert schedule.open_hearing == "next"
    log.close()
