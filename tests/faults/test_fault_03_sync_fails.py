"""Fault 3: fsync returns EIO. A library inside the real recorder lets every fsync and fdatasync of the media fail for a
while, over the end of segments, and then again succeed.

Lost: what could not be synced, and it is declared; nothing that was acknowledged. Files that could not be finished then
are finished as soon as the disk lets them, without a restart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from sync.media.fmp4 import index_file
from tests.faults.fault_tools import Switch
from tests.support.rooms.recorder_room import RecorderRoom, profile_text, spans

TRACKS = ("bench", "mics", "mix")


async def test_a_disk_that_cannot_sync_for_a_while(
    room_of: Callable[..., RecorderRoom], library: Path, tmp_path: Path
) -> None:
    sick = Switch(tmp_path / "eio")
    faults = {"LD_PRELOAD": str(library), "FAULT_EIO": str(sick.path), "FAULT_EIO_MATCH": "/hearings/h-1/"}
    room = room_of(profile_text(segment_s=4), faults)
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.pass_media("bench", 2)
    acknowledged = {t: [f.to_ns for p in room.files(t) for f in index_file(p, salvage=True).fragments] for t in TRACKS}
    sick.set(1)
    await room.until(lambda: any(a["code"] == "write" for a in room.status.get("alarms", [])), "an alarm says so")
    await room.pass_media("bench", 1)
    sick.set(0)
    await room.until(lambda: all(t["kept"] for t in room.status["tracks"]) and not room.status["alarms"], "kept again")
    await room.pass_media("bench", 2)
    room.say("close")
    view = await room.closed(*TRACKS)
    for track in TRACKS:
        assert len(spans(view, track)) == 1, "kept or declared, nothing in between"
        kept = set()
        for segment in (s for s in view.segments if s.track == track):
            path = room.layout.hearing(room.hearing) / segment.file
            assert hashlib.sha256(path.read_bytes()).hexdigest() == segment.sha256
            kept |= {f.to_ns for f in index_file(path).fragments}
        assert set(acknowledged[track]) <= kept
        assert {s.index for s in view.segments if s.track == track} >= {
            int(p.stem) for p in room.files(track) if index_file(p).fragments
        }
    assert any("Input/output" in gap.why for gap in view.gaps)
