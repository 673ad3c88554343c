"""Fault 38: the room's log is locked by another program for long; it is damaged.

Recording goes on, also over a restart. While the log takes nothing, an alarm says so in words, and what is to be said
waits on disk and in memory.
Lost: nothing of the media; every event is said as soon as the log is back (unlocked; restored from what was there).
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections.abc import Callable

from sync.room.event_log import RoomLog
from tests.faults.fault_tools import gaps
from tests.support.rooms.recorder_room import RecorderRoom, profile_text, spans

TRACKS = ("bench", "mics", "mix")


def alarmed(room: RecorderRoom) -> str:
    return next((str(a["text"]) for a in room.status.get("alarms", []) if a["code"] == "log"), "")


async def test_a_damaged_log_ends_no_recording(room_of: Callable[..., RecorderRoom]) -> None:
    room = room_of(profile_text(segment_s=4))
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.pass_media("bench", 5)
    await room.end(signal.SIGKILL)

    room.log.close()  # the whole of it is in one file now
    saved = room.folder / "saved.db"
    shutil.copyfile(room.layout.log, saved)
    for name in ("room.db-wal", "room.db-shm"):
        room.layout.log.with_name(name).unlink(missing_ok=True)
    with room.layout.log.open("r+b") as file:
        file.write(b"\0garbage" * 512)
    room.start()
    await room.until(lambda: alarmed(room) and room.running(), "it says so and runs")
    assert "录音录像照常保存" in alarmed(room)
    assert room.status["hearing"] == room.hearing, "it knows what was open"
    await room.until(lambda: all(t["kept"] for t in room.status["tracks"]), "it keeps")
    await room.pass_media("bench", 5)  # segments end meanwhile
    await room.end(signal.SIGKILL)  # and it dies with the log still damaged
    room.start()
    await room.until(lambda: room.running() and all(t["kept"] for t in room.status["tracks"]), "it keeps again")
    assert (room.layout.data / "hearings" / "unsaid.jsonl").exists()

    shutil.copyfile(saved, room.folder / "restored.db")
    (room.folder / "restored.db").replace(room.layout.log)  # an operator puts the copy back
    await room.until(lambda: not alarmed(room), "the log is taken up again")
    room.log = RoomLog(room.layout.log)
    room.say("close")
    view = await room.closed(*TRACKS)
    for track in TRACKS:
        (span,) = spans(view, track)
        assert span[0] <= view.opened_ns
        files = {int(p.stem) for p in room.files(track)}
        assert {s.index for s in view.segments if s.track == track} == files
        assert len([g for g in view.gaps if g.track == track]) >= 2, "both deaths"
        assert len(gaps(room, view, track)) <= 3, "and no more"
    assert not (room.layout.data / "hearings" / "unsaid.jsonl").exists()


async def test_a_locked_log_costs_nothing(room_of: Callable[..., RecorderRoom]) -> None:
    room = room_of(profile_text(segment_s=4))
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.pass_media("bench", 1)
    other = sqlite3.connect(room.layout.log, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await room.until(lambda: alarmed(room), "a lock of more than ten seconds is said")
    assert "locked" in alarmed(room)
    other.execute("ROLLBACK")
    other.close()
    await room.until(lambda: not alarmed(room), "it is over")
    room.say("close")
    view = await room.closed(*TRACKS)
    assert gaps(room, view) == []
    assert all(len(spans(view, track)) == 1 for track in TRACKS)
