"""Fault 5: the recording volume is unmounted in the middle of a hearing, as `umount -l` or a pulled cable does it.

An alarm says so within seconds; recording goes on where the path now leads, under numbers that were not used before.
Lost: nothing; what was written before is on the volume that was taken away, what came after on the other.
"""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.faults.fault_tools import gaps, mounted
from tests.support.rooms.recorder_room import RecorderRoom, profile_text, spans

TRACKS = ("bench", "mics", "mix")


async def test_a_volume_that_is_taken_away(room_of: Callable[..., RecorderRoom], tmp_path: Path) -> None:
    volume, place = tmp_path / "volume", tmp_path / "data" / "hearings"
    volume.mkdir()
    with mounted("--bind", str(volume), at=place):
        room = room_of(profile_text(segment_s=4))
        await room.until(room.running, "all sources run")
        room.say("open", case={}, seats=[], tracks=[])
        await room.pass_media("bench", 2)
        await asyncio.to_thread(subprocess.run, ["umount", "-l", str(place)], check=True)
        await room.until(lambda: any(a["code"] == "volume" for a in room.status["alarms"]), "an alarm says so")
        await room.pass_media("bench", 5)
        room.say("close")
        view = await room.closed(*TRACKS)
        for track in TRACKS:
            assert len(spans(view, track)) == 1
            assert gaps(room, view, track) == []
            segments = [s for s in view.segments if s.track == track]
            assert [s.index for s in segments] == list(range(len(segments)))
            for segment in segments:
                files = [top / room.hearing / segment.file for top in (volume, place)]
                (data,) = [path.read_bytes() for path in files if path.exists()]
                assert hashlib.sha256(data).hexdigest() == segment.sha256
        await room.close()
