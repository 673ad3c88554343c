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

log = structlog.get_logger(__name__)

POLL_S = 0.5


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
        self._was_read = False
        """The log was read once in this life."""
        self._recalled = False

    async def run(self) -> None:
        """Run until it is canceled."""
        while True:
            plans, changed = await self._poll()
            for plan in plans:
                for source in self._sources:
                    source.follow(plan)
                if plan.ended and not self._recovery.pending:
                    self._schedule.forget(plan.hearing)
            now_ns = self._context.clock.now_ns()
            for source in self._sources:
                source.tick(now_ns)
            self._follow_hearing()
            await asyncio.to_thread(self._recovery.remember, changed)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._poll_now.wait(), POLL_S)
            self._poll_now.clear()

    def poll_soon(self) -> None:
        """The room's log has something new."""
        self._poll_now.set()

    async def _poll(self) -> tuple[list[RecordingPlan], list[RecordingPlan]]:
        """(what the tracks are to be told, what has changed): at the first time both are all that is not over."""
        context = self._context
        told = self._recovery.told
        try:
            changed = await asyncio.to_thread(self._schedule.poll)
            if not self._was_read:
                changed = [plan for plan in self._schedule.all() if not plan.ended]
                await self._begin()
        except StorageError as error:
            log.error("log_unreadable", why=error.message)
            context.set_log_alarm(error.message)
            if not self._was_read and not self._recalled:
                self._recalled = True
                context.hearing = await self._recovery.recall()
                self._inform()
            return [], []
        if not context.events.waiting:
            context.set_log_alarm(None)
        if told and self._recovery.pending:
            changed = self._schedule.all()
            self._recovery.declare()  # which takes every hearing to the tracks, those that have just changed as well
            return [], changed
        return changed, changed

    async def _begin(self) -> None:
        """The log was read for the first time: the past can be told it, and what is open is known."""
        context, hearing = self._context, self._schedule.open_hearing
        if hearing is not None:
            events = await asyncio.to_thread(context.room_log.of_hearing, hearing, ["clock"])
            self._clock_watch.recovered(events)
        self._was_read = True
        context.hearing = hearing
        context.publish_alarms()
        self._inform()

    def _inform(self) -> None:
        for source in self._sources:
            source.informed()

    def _follow_hearing(self) -> None:
        hearing = self._schedule.open_hearing
        if not self._was_read or hearing == self._context.hearing:
            return
        self._context.hearing = hearing
        self._context.status_changed.set()
        for source in self._sources:
            if hearing is not None or source.is_idle:
                source.retry()
        if hearing is not None:
            self._context.publish_alarms()
