"""What the room is told of its recorder: once a second, and at once when a source, an alarm or the hearing changes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from recorder.clock.watch import ClockWatch
from recorder.context import RoomContext
from recorder.readback.monitor import ConfidenceMonitor
from recorder.second_copy.supervisor import SecondCopySupervisor
from recorder.source_recorder import SourceRecorder
from recorder.storage.volume import VolumeState
from recorder.tiles.tile_recorder import TileRecorder
from sync.room.counts import COUNTS, RecorderCounts
from sync.room.messages import RecorderStatus

STATUS_S = 1.0
GROUP_S = 0.02
"""Changes come in groups: one status tells of all that come within so long."""


class StatusPublisher:
    """Publishes the status of one room's recorder."""

    def __init__(
        self,
        context: RoomContext,
        sources: Sequence[SourceRecorder],
        clock_watch: ClockWatch,
        second_copy: SecondCopySupervisor,
        confidence_monitor: ConfidenceMonitor,
        tile: TileRecorder,
    ) -> None:
        self._context = context
        self._sources = sources
        self._clock_watch = clock_watch
        self._second_copy = second_copy
        self._confidence_monitor = confidence_monitor
        self._tile = tile
        self._volume_state = VolumeState(0, 0.0, False)

    async def run(self) -> None:
        """Run until it is canceled."""
        context = self._context
        while True:
            await self._clock_watch.poll(context.hearing)
            await self._poll_volume()
            with contextlib.suppress(OSError):
                await asyncio.to_thread(context.clock.note, context.paths.clock)
            context.feed.publish_json(COUNTS, self._counts(), retain=True)
            deadline = asyncio.get_running_loop().time() + STATUS_S
            while True:
                context.status_changed.clear()
                context.feed.publish_json("status", self._status(), retain=True)
                left_s = deadline - asyncio.get_running_loop().time()
                if left_s <= 0:
                    break
                try:
                    await asyncio.wait_for(context.status_changed.wait(), left_s)
                except TimeoutError:
                    break
                await asyncio.sleep(GROUP_S)

    def _counts(self) -> RecorderCounts:
        pipelines = [pipeline for source in self._sources for pipeline in source.pipelines]
        return {
            "tracks": [pipeline.counts() for pipeline in pipelines],
            "events_waiting": self._context.events.waiting,
        }

    async def _poll_volume(self) -> None:
        context = self._context
        now_ns = context.clock.now_ns()
        self._volume_state = await asyncio.to_thread(context.volume.poll, now_ns)  # a dead volume may never answer
        low = self._volume_state.under_reserve
        context.set_alarm("disk", "disk", "磁盘剩余空间低于保留值，请清理" if low else None)
        gone = self._volume_state.replaced
        context.set_alarm("volume", "disk", "录像磁盘已被卸载或更换，录像暂存于系统盘，请立即检查" if gone else None)

    def _status(self) -> RecorderStatus:
        context = self._context
        return {
            "at_ns": context.clock.now_ns(),
            "tracks": [track for source in self._sources for track in source.track_status()],
            "hearing": context.hearing,
            "disk": {
                "free_bytes": self._volume_state.free_bytes,
                "hours_left": self._volume_state.hours_left,
                "longest_wait_ms": context.write_latency.longest_ms(context.clock.now_ns()),
            },
            "clock": self._clock_watch.source.to_json(),
            "copy": self._second_copy.state,
            "readback": self._confidence_monitor.state,
            "tile": self._tile.status(),
            "alarms": context.alarms.to_json(),
        }
