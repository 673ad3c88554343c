"""What the room knows of its confidence monitoring: live meters in, closed files checked, differences told.

A difference is an alarm until the next file of the track is right, and an event of the hearing that is on. Nothing is
added to a hearing that is over: it may be sealed; its difference stands on the screens, and in every verification.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Literal

from hardware.profile import Profile
from recorder.monitoring.live_meters import SoundMeters
from recorder.readback.compare import Job
from recorder.readback.queue import Checked, ReadBackQueue
from recorder.storage.segment import ClosedSegment
from sync.room.messages import ReadbackStatus

if TYPE_CHECKING:
    from recorder.room import RecorderRoom


class ConfidenceMonitor:
    """Of one room. All methods belong to the event loop."""

    def __init__(self, room: RecorderRoom, profile: Profile) -> None:
        self._room = room
        self._profile = profile
        self._sound = SoundMeters()
        self._readback = ReadBackQueue(self._tell, self._behind)

    async def run(self) -> None:
        """For ever; cancel to end it."""
        await self._readback.run()

    @property
    def state(self) -> ReadbackStatus:
        """For the status."""
        return {"checked": self._readback.checked, "longest_s": round(self._readback.longest_s, 1)}

    def heard(self, heard_ns: int, levels: list[tuple[int, float, float]]) -> None:
        """Levels of all channels, up to `heard_ns`."""
        self._sound.add(heard_ns, levels)

    def closed(self, hearing: str, track: str, segment: ClosedSegment) -> None:
        """Read a file back when its turn comes."""
        self._readback.check(hearing, track, segment.index, functools.partial(self._job, track, segment))

    def _job(self, track: str, segment: ClosedSegment) -> Job:
        lane = self._room.lanes.get(track)
        kind: Literal["video", "audio"] = "audio" if segment.mime.startswith("audio") else "video"
        span = (segment.from_ns, segment.to_ns)
        roles = {seat.channel: seat.role for seat in self._profile.seats}
        channels = range(self._profile.microphones.channels) if track == "mics" else ()
        return Job(
            path=segment.path,
            kind=kind,
            bytes=segment.bytes,
            sha256=segment.sha256,
            from_ns=segment.from_ns,
            to_ns=segment.to_ns,
            fragments=segment.fragments,
            channels=[roles.get(c, f"第 {c + 1} 声道") for c in channels],
            seconds=self._sound.between(*span) if kind == "audio" else [],
            looks=lane.seen.between(*span) if lane is not None and kind == "video" else [],
        )

    def _tell(self, checked: Checked) -> None:
        lane = self._room.lanes.get(checked.track)
        name = checked.track if lane is None else lane.info.name
        of = "" if self._room.hearing == checked.hearing else f"（庭审 {checked.hearing}）"
        what = f"{name}第 {checked.index + 1} 段录像与现场不符{of}：{'；'.join(checked.found)}"
        self._room.set_alarm("readback", checked.track, what if checked.found else None)

    def _behind(self, skipped: int) -> None:
        text = f"录像回读核查跟不上，已跳过 {skipped} 段；录制不受影响" if skipped else None
        self._room.set_alarm("readback", "readback", text)
