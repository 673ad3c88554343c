"""The recorder of one room: its parts, made once and in order, each with what it needs; they run on one event loop."""

from __future__ import annotations

import asyncio

import structlog

from hardware.sources import Source, sources
from recorder.clock.watch import ClockWatch
from recorder.context import RoomContext
from recorder.log_follower import LogFollower
from recorder.media_events import MediaEvents
from recorder.readback.monitor import ConfidenceMonitor
from recorder.seat_levels import SeatLevels
from recorder.second_copy.supervisor import SecondCopySupervisor
from recorder.selftest.recording import SelfTestRecorder
from recorder.source_recorder import SourceRecorder
from recorder.startup_recovery import StartupRecovery
from recorder.status import StatusPublisher
from recorder.storage.schedule import RecordingSchedule
from recorder.tiles.tile_recorder import TileRecorder
from sync.runtime.process.service import cancel_and_wait

log = structlog.get_logger(__name__)

LAST_EVENTS_S = 5.0
"""So long the room's log may take for the last events when the service ends."""


class RecorderRoom:
    """Everything of one room; all methods belong to the event loop."""

    def __init__(self, context: RoomContext) -> None:
        self._context = context
        self.sources: list[Source] = sources(context.profile, context.paths.stage)
        self._confidence_monitor = ConfidenceMonitor(
            context, [info for source in self.sources for info in source.tracks]
        )
        self._second_copy = SecondCopySupervisor(context.profile, context.set_alarm)
        media_events = MediaEvents(context, self._confidence_monitor)
        seat_levels = SeatLevels(context, self._confidence_monitor)
        self._source_recorders = [
            SourceRecorder(source, context, media_events, self._confidence_monitor, seat_levels)
            for source in self.sources
        ]
        self._pipelines = [pipeline for one in self._source_recorders for pipeline in one.pipelines]
        schedule = RecordingSchedule(context.room_log)
        self._recovery = recovery = StartupRecovery(context, media_events, schedule, self._pipelines)
        clock_watch = ClockWatch(context.clock_map, lambda body, hearing: context.append_event("clock", body, hearing))
        self._follower = LogFollower(context, schedule, recovery, clock_watch, self._source_recorders)
        self._tile = TileRecorder(context, self._source_recorders)
        self._status = StatusPublisher(
            context, self._source_recorders, clock_watch, self._second_copy, self._confidence_monitor, self._tile
        )
        self.selftest = SelfTestRecorder(context, self._pipelines)

    async def run(self) -> None:
        """Record until it is canceled."""
        async with asyncio.TaskGroup() as tasks:
            for source in self._source_recorders:
                tasks.create_task(source.run())
            tasks.create_task(self._context.events.run())
            tasks.create_task(self._follower.run())
            tasks.create_task(self._recovery.run())
            tasks.create_task(self._status.run())
            tasks.create_task(self._confidence_monitor.run())
            tasks.create_task(self._second_copy.run())
            tasks.create_task(self._tile.run())

    async def stop(self) -> None:
        """Close the open segments and write that to the log."""
        await self.selftest.close()
        events = self._context.events
        writing = asyncio.create_task(events.run())
        await asyncio.gather(*(asyncio.to_thread(pipeline.stop) for pipeline in self._pipelines))
        await asyncio.sleep(0)  # let the writers' last outcomes in
        if not await events.drained(LAST_EVENTS_S):
            log.warning("events_unsaid", why="the room's log does not answer; recovery will say them")
        await cancel_and_wait(writing)

    def poll_soon(self) -> None:
        """The room's log has something new."""
        self._follower.poll_soon()
