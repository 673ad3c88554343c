"""Following the room's log: the hearing that was opened last, always as the log has it.

Every service that shows or publishes the hearing's state runs one `Follower`. It reads the log in a thread, in the
order of the numbers, when told to look and at least once a second by whoever drives it; a restart gives the same view.
An event that cannot be read is logged and left out: nobody's screen or picture hangs on it.
"""

from __future__ import annotations

import asyncio

import structlog

from sync.record.event import Event
from sync.record.hearing import Hearing, State
from sync.room.event_log import RoomLog

log = structlog.get_logger(__name__)

AT_ONCE = 1000
"""Events that are read in one look."""
UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What `Hearing.apply` raises at an event whose body is not of its kind's form."""


def apply_leniently(hearing: Hearing, event: Event) -> None:
    """`Hearing.apply` for services that must go on: an event that cannot be read is logged and left out."""
    try:
        hearing.apply(event)
    except UNREADABLE as error:
        log.error("event_unreadable", hearing=hearing.id, number=event.number, kind=event.kind, why=repr(error))


class Follower:
    """The fold of the room's last hearing. All methods belong to one event loop."""

    def __init__(self, log: RoomLog) -> None:
        self._log = log
        self._lock = asyncio.Lock()
        self.hearing: Hearing | None = None
        self.number = 0
        """The last number of the log that was looked at."""

    @property
    def current(self) -> Hearing | None:
        """The hearing that is open or paused now."""
        return self.hearing if self.hearing is not None and self.hearing.state is not State.CLOSED else None

    async def start(self) -> None:
        """Read the last hearing from the log."""
        self.hearing, self.number = await asyncio.to_thread(self._load)

    def _load(self) -> tuple[Hearing | None, int]:
        last = self._log.last_opened()
        if last is None:
            return None, 0
        hearing = Hearing(last)
        for event in self._log.of_hearing(last, mark=True):
            apply_leniently(hearing, event)
        return hearing, hearing.last_number

    async def poll(self) -> list[Event]:
        """Apply what was appended since the last look; returns it, oldest first."""
        async with self._lock:
            news: list[Event] = []
            while True:
                batch = await asyncio.to_thread(self._log.since, self.number, limit=AT_ONCE, mark=True)
                for event in batch:
                    self._apply(event)
                news += batch
                if len(batch) < AT_ONCE:
                    return news

    def _apply(self, event: Event) -> None:
        self.number = event.number
        if event.kind == "open" and event.hearing is not None:
            self.hearing = Hearing(event.hearing)
        if self.hearing is not None and event.hearing == self.hearing.id:
            apply_leniently(self.hearing, event)
