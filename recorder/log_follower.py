"""Follows the room's log: what is to be kept goes to every track, and what the log missed is written when it answers.

Promises: the log is read away from the event loop, so that another service that is just writing it never holds up the
media; a log that cannot be read stops nothing, and is an alarm until it can.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from recorder.clock.watch import ClockWatch
from recorder.context import RoomContext
from recorder.source_recorder import SourceRecorder
from recorder.startup_recovery import StartupRecovery
from recorder.storage.schedule import RecordingPlan, RecordingSchedule
from sync.errors import StorageError
from sync.runtime.service import cancel_and_wait

log = structlog.get_logger(__name__)

POLL_S = 0.5
DRAIN_S = 5.0
"""So long the events of an earlier life may take to reach the log before holes in them are looked for."""


class LogFollower:
    """Follows the log of one room. All methods belong to the event loop."""

    def __init__(
        self,
        context: RoomContext,
        schedule: RecordingSchedule,
        recovery: StartupRecovery,
        clock_watch: ClockWatch,
        sources: Sequence[SourceRecorder],
    ) -> None:
        self._context = context
        self._schedule = schedule
        self._recovery = recovery
        self._clock_watch = clock_watch
        self._sources = sources
        self._poll_now = asyncio.Event()

    async def recover(self) -> None:
        """Close what an earlier life of this service left open, and write that to the log; call it before `run`."""
        writing = asyncio.create_task(self._context.events.run())
        try:
            await self._settle()
        except StorageError as error:
            self._context.set_log_alarm(error.message)
            self._context.hearing = await asyncio.to_thread(self._recovery.recall)
        finally:
            await cancel_and_wait(writing)

    async def run(self) -> None:
        """Run until it is canceled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._poll_now.wait(), POLL_S)
            self._poll_now.clear()
            for plan in await self._poll():
                for source in self._sources:
                    source.follow(plan)
                if plan.ended:
                    self._schedule.forget(plan.hearing)
            now_ns = self._context.clock.now_ns()
            for source in self._sources:
                source.tick(now_ns)
            self._follow_hearing()

    def poll_soon(self) -> None:
        """The room's log has something new."""
        self._poll_now.set()

    async def _poll(self) -> list[RecordingPlan]:
        context = self._context
        try:
            if self._recovery.pending:
                await self._settle()
            changed = await asyncio.to_thread(self._schedule.poll)
            await asyncio.to_thread(self._recovery.remember, changed)
            if not context.events.waiting:
                context.set_log_alarm(None)
        except StorageError as error:
            log.error("log_unreadable", why=error.message)
            context.set_log_alarm(error.message)
            return []
        return changed

    async def _settle(self) -> None:
        context = self._context
        await self._recovery.close_files()
        await self._recovery.declare(holes=await context.events.drained(DRAIN_S))
        context.hearing = self._schedule.open_hearing
        if context.hearing is not None:
            self._clock_watch.recovered(
                await asyncio.to_thread(context.room_log.of_hearing, context.hearing, ["clock"])
            )

    def _follow_hearing(self) -> None:
        hearing = self._schedule.open_hearing
        if self._recovery.pending or hearing == self._context.hearing:
            return
        self._context.hearing = hearing
        self._context.status_changed.set()
        for source in self._sources:
            if hearing is not None or source.is_idle:
                source.retry()
        if hearing is not None:
            self._context.publish_alarms()
