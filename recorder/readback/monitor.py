"""What the room knows of its confidence monitoring: live meters and closed files come in, differences are reported.

A difference is an alarm until the next file of the track is right, and an event of the hearing that is on. Nothing is
added to a hearing that is over: it may be sealed; its difference stands on the screens, and in every verification.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Literal

from hardware.sources import TrackInfo
from recorder.context import RoomContext
from recorder.monitoring.live_meters import PictureMeters, SoundMeters
from recorder.readback.job import Job
from recorder.readback.queue import Checked, ReadBackQueue
from recorder.storage.segment import ClosedSegment
from sync.media.tracks import MICROPHONES
from sync.room.messages import ReadbackStatus


class ConfidenceMonitor:
    """Monitors one room. All methods belong to the event loop."""

    def __init__(self, context: RoomContext, tracks: Iterable[TrackInfo]) -> None:
        self._context = context
        self._sound = SoundMeters()
        self._names: dict[str, str] = {}
        self._pictures: dict[str, PictureMeters] = {}
        for info in tracks:
            self._names[info.id] = info.name
            self._pictures[info.id] = PictureMeters()
        self._queue = ReadBackQueue(self._notify, self._notify_behind)

    async def run(self) -> None:
        """Run until it is canceled."""
        await self._queue.run()

    @property
    def state(self) -> ReadbackStatus:
        """What the status tells of it."""
        return {"checked": self._queue.checked, "longest_s": round(self._queue.longest_s, 1)}

    def picture_meters(self, track: str) -> PictureMeters:
        """Where the pictures of a track are noted as they are seen live."""
        return self._pictures[track]

    def heard(self, heard_ns: int, levels: list[tuple[int, float, float]]) -> None:
        """Take the levels of all channels, heard up to `heard_ns`."""
        self._sound.add(heard_ns, levels)

    def closed(self, hearing: str, track: str, segment: ClosedSegment) -> None:
        """Read a file back when its turn comes."""
        self._queue.check(hearing, track, segment.index, functools.partial(self._job, track, segment))

    def _job(self, track: str, segment: ClosedSegment) -> Job:
        pictures = self._pictures.get(track)
        kind: Literal["video", "audio"] = "audio" if segment.mime.startswith("audio") else "video"
        span = (segment.from_ns, segment.to_ns)
        roles = {seat.channel: seat.role for seat in self._context.profile.seats}
        channels = range(self._context.profile.microphones.channels) if track == MICROPHONES else ()
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
            signatures=pictures.between(*span) if pictures is not None and kind == "video" else [],
        )

    def _notify(self, checked: Checked) -> None:
        name = self._names.get(checked.track, checked.track)
        of = "" if self._context.hearing == checked.hearing else f"（庭审 {checked.hearing}）"
        what = f"{name}第 {checked.index + 1} 段录像与现场不符{of}：{'；'.join(checked.found)}"
        self._context.set_alarm("readback", checked.track, what if checked.found else None)

    def _notify_behind(self, skipped: int) -> None:
        text = f"录像回读核查跟不上，已跳过 {skipped} 段；录制不受影响" if skipped else None
        self._context.set_alarm("readback", "readback", text)
