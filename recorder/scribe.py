"""Says the recorder's facts in the room's log: in order, off the event loop, again until the log takes them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from sync.errors import StorageError
from sync.roomlog import Event, RoomLog

log = structlog.get_logger(__name__)

MAX_WAITING = 100_000
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Fact:
    """An event that is still to be said."""

    kind: str
    body: Mapping[str, Any]
    hearing: str
    room_ns: int
    utc_ns: int
    key: str | None


class Scribe:
    """`said` is called on the event loop for each event that the log has taken."""

    def __init__(self, room_log: RoomLog, said: Callable[[Event], None]) -> None:
        self._log = room_log
        self._said = said
        self._waiting: deque[Fact] = deque(maxlen=MAX_WAITING)
        self._ready = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def say(self, fact: Fact) -> None:
        """Never waits."""
        self._waiting.append(fact)
        self._idle.clear()
        self._ready.set()

    async def run(self) -> None:
        """For ever; cancel to end it."""
        while True:
            await self._ready.wait()
            while self._waiting:
                fact = self._waiting[0]
                try:
                    event = await asyncio.to_thread(
                        self._log.append,
                        fact.kind,
                        fact.body,
                        hearing=fact.hearing,
                        room_ns=fact.room_ns,
                        utc_ns=fact.utc_ns,
                        key=fact.key,
                    )
                except StorageError as error:
                    log.error("event_refused", kind=fact.kind, why=error.message)
                    await asyncio.sleep(RETRY_S)
                    continue
                self._waiting.popleft()
                self._said(event)
            self._idle.set()
            self._ready.clear()

    async def drained(self, timeout_s: float) -> bool:
        """True when all was said within the time."""
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            return False
        return True
