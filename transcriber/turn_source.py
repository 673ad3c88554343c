"""From the microphones to turns: live while it keeps up, from the segments on disk where it did not.

Promises: every moment that is kept of a hearing is cut exactly once, in order, also after this process or the
recorder was restarted; nothing of a pause is cut at all. A hole in the sound ends the turns before it. When turns are
not taken away, reading waits: memory is bounded by the ring of live sound and by the queue.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from sync.errors import MediaError
from sync.media.tracks import MICROPHONES
from sync.room.clock import RoomClock
from sync.room.paths import RoomPaths
from transcriber.audio.decode import Block, KeptAudio
from transcriber.audio.live import LiveAudio
from transcriber.backlog import Backlog, HearingJob
from transcriber.progress import ProgressFile
from transcriber.segmentation.endpointer import Endpointer, Turn
from transcriber.turn_queue import TurnQueue

log = structlog.get_logger(__name__)

_WARM_NS = 3_000_000_000
"""The speaker gate is given this much sound before a stretch begins, to know the room's noise."""
_JOIN_NS = 60_000_000
_LATE_S = 2.0
"""For so long a hole may still be filled from disk."""
_FLUSH_NS = 3_000_000_000
"""After the close the recorder has so long to write what it still holds."""


@dataclass(slots=True)
class _OpenStretch:
    """Kept time between two pauses, and how far it has been cut."""

    job: HearingJob
    from_ns: int
    position_ns: int
    endpointer: Endpointer | None
    kept: KeptAudio
    read: deque[Block]
    stuck_since: float | None = None


class TurnSource:
    """Cuts one room's hearings, one after the other, and tells the backlog when all of one is written."""

    def __init__(
        self,
        *,
        layout: RoomPaths,
        clock: RoomClock,
        live: LiveAudio,
        backlog: Backlog,
        channels: Sequence[int],
        progress: ProgressFile,
        queue: TurnQueue,
    ) -> None:
        """`progress` says where to go on, and what each channel already has in the record; turns go into `queue`."""
        self._layout = layout
        self._clock = clock
        self._live = live
        self._backlog = backlog
        self._channels = list(channels)
        self._progress = progress
        self._queue = queue
        self._stretch: _OpenStretch | None = None
        self._job: HearingJob | None = None
        self._done_ns = 0
        self._written: dict[int, int] = {}
        self._delivering: list[Turn] = []

    @property
    def turns(self) -> list[Turn]:
        """The turns that go on, and those that ended and found no room in the queue yet."""
        going_on = [] if self._stretch is None or self._stretch.endpointer is None else self._stretch.endpointer.turns
        return [*self._delivering, *going_on]

    @property
    def job(self) -> HearingJob | None:
        """The hearing that `turns` belong to."""
        return self._job

    @property
    def position_ns(self) -> int | None:
        """Everything kept before this moment was cut; None when there is nothing to cut now."""
        return None if self._stretch is None else max(self._stretch.position_ns, self._stretch.from_ns)

    @property
    def done_ns(self) -> int:
        """Where a successor would have to go on, as far as cutting goes."""
        position_ns = self.position_ns
        if position_ns is None:
            return self._done_ns
        return min([position_ns, *(t.start_ns for t in self.turns)])

    async def run(self) -> None:
        """Cut one stretch after the other, for ever."""
        while True:
            if self._stretch is None:
                self._stretch = await self._next_stretch()
                if self._stretch is None:
                    await self._live.wait(0.5)
                continue
            await self._step(self._stretch)

    async def _next_stretch(self) -> _OpenStretch | None:
        job = self._backlog.current
        if job is None:
            self._job = None
            return None
        if job is not self._job:
            self._done_ns, self._written = await asyncio.to_thread(self._progress.resume, job)
            self._job = job  # only now does `done_ns` speak of it
        from_ns = job.resumes_ns(self._done_ns)
        if from_ns is not None:
            kept = KeptAudio(self._layout.track(job.hearing, MICROPHONES))
            return _OpenStretch(job, from_ns, from_ns - _WARM_NS, None, kept, deque())
        if job.closed_ns is not None:  # also when it was closed in a recess
            await self._queue.drained()
            self._backlog.done()
            self._job = None
            log.info("hearing_transcribed", hearing=job.hearing)
        return None

    async def _step(self, stretch: _OpenStretch) -> None:
        ends_ns = stretch.job.ends_ns(stretch.from_ns)
        if ends_ns is not None and stretch.position_ns >= ends_ns:
            ended = [] if stretch.endpointer is None else stretch.endpointer.end(ends_ns)
            await self._send(stretch, ended)
            self._done_ns, self._stretch = ends_ns, None
            return
        block = await self._next_block(stretch, ends_ns)
        if block is None:
            return
        if stretch.endpointer is None:
            stretch.endpointer = Endpointer(self._channels, block.samples.shape[1])
            for channel in self._channels:
                stretch.endpointer.silence(channel, max(stretch.from_ns, self._written.get(channel, 0)))
        ended = stretch.endpointer.feed(block.from_ns, block.samples)
        stretch.position_ns = max(block.to_ns, stretch.position_ns)
        now_ns = self._clock.now_ns()
        for turn in (*ended, *stretch.endpointer.turns):
            turn.times.look(turn.seconds, now_ns)
        await self._send(stretch, ended)
        await asyncio.sleep(0)  # reading from disk never waits by itself: let the others turn

    async def _send(self, stretch: _OpenStretch, turns: list[Turn]) -> None:
        ends_ns = stretch.job.ends_ns(stretch.from_ns)
        now_ns = self._clock.now_ns()
        for turn in turns:
            turn.times.ended_ns = now_ns
        self._delivering = [t for t in turns if ends_ns is None or t.start_ns < ends_ns]
        while self._delivering:
            await self._queue.put(stretch.job, self._delivering[0])
            del self._delivering[0]

    async def _next_block(self, stretch: _OpenStretch, ends_ns: int | None) -> Block | None:
        position_ns = stretch.position_ns
        while stretch.read and stretch.read[0].to_ns <= position_ns:
            stretch.read.popleft()
        if stretch.read:
            return stretch.read.popleft()
        live = self._live.after(position_ns)
        if live is not None and live.from_ns <= position_ns + _JOIN_NS:
            stretch.stuck_since = None
            return live
        if live is None or position_ns >= stretch.from_ns or live.from_ns > stretch.from_ns:
            try:
                stretch.read.extend(await asyncio.to_thread(stretch.kept.read, position_ns))
            except (MediaError, OSError) as error:
                log.warning("segment_unreadable", why=str(error))
        if stretch.read and (live is None or stretch.read[0].from_ns < live.from_ns):
            stretch.stuck_since = None
            return stretch.read.popleft()
        stretch.read.clear()
        return await self._hole(stretch, live, ends_ns)

    async def _hole(self, stretch: _OpenStretch, live: Block | None, ends_ns: int | None) -> Block | None:
        """Wait or go on where nothing follows `position_ns`: the sound is not there yet, or never will be."""
        if (
            ends_ns is not None
            and self._clock.now_ns() > ends_ns + _FLUSH_NS
            and (live is None or live.from_ns >= ends_ns)
        ):
            stretch.position_ns = ends_ns
            return None
        if live is not None:
            now = time.monotonic()
            stretch.stuck_since = stretch.stuck_since or now
            if stretch.position_ns < stretch.from_ns or now - stretch.stuck_since > _LATE_S:
                stretch.stuck_since = None
                return live
        await self._live.wait(0.5)
        return None
