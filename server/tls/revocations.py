"""What follows when a certificate of a room is taken away or has ended: the broker's list, and the end of the line.

The line of a revoked room is ended more than once: the broker reads its list a moment after it was written, and until
then the room could come back. One whose certificate has ended cannot, unless it shows a newer one: then it is back at
once, and nobody needs to do anything.

Promises: what has failed is tried again, at growing distances, until it is done: a list that could not be written, and
a line that could not be ended because the broker was away or for any other reason. Each failure is in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import structlog

from sync.errors import WutongError

log = structlog.get_logger(__name__)

AGAIN_S = (0.0, 2.0, 6.0)
"""Between the times that the line of a revoked room is ended."""
RETRY_S = 5.0
"""After something has failed; twice as long after each further failure."""
RETRY_MOST_S = 300.0

Sleep = Callable[[float], Coroutine[Any, Any, object]]


class Revocations:
    """All methods belong to one event loop."""

    def __init__(
        self,
        write: Callable[[frozenset[int]], Awaitable[None]],
        end_line: Callable[[str], Awaitable[bool]],
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`write(serials)` has the broker's list say this; `end_line(room)` ends what the room has open there, and says
        whether the broker was there to do it."""
        self._write = write
        self._end_line = end_line
        self._sleep = sleep
        self._news = asyncio.Event()
        self._serials: frozenset[int] | None = None
        """What the list is still to say; None when it says it."""
        self._rooms: set[str] = set()
        """Those whose lines are to be ended once it does."""
        self._ending: dict[str, asyncio.Task[None]] = {}

    @property
    def is_idle(self) -> bool:
        """Whether all that was to be done is done."""
        return not (self._news.is_set() or self._serials is not None or self._rooms or self._ending)

    def changed(self, serials: frozenset[int], rooms: frozenset[str]) -> None:
        """These are revoked now, and these rooms lost one just now."""
        self._serials = serials
        for room in sorted(rooms):
            log.warning("room_lost_its_certificate", room=room)
        self._rooms |= rooms
        self._news.set()

    def ended(self, rooms: frozenset[str]) -> None:
        """A certificate of these has come to its end."""
        for room in rooms:
            log.warning("certificate_ended", room=room, next="its line is ended; with a newer one it is back at once")
            if room not in self._ending:
                self._start(room, AGAIN_S[:1])

    async def run(self) -> None:
        """Follow for ever."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                await self._follow()
        finally:
            tasks = list(self._ending.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self) -> None:
        failed = 0
        while self._serials is not None and not await self._listed(self._serials):
            for room in self._rooms - self._ending.keys():  # who comes back meanwhile is put out again
                self._start(room, AGAIN_S[:1])
            await self._pause(_pause_s(failed))
            failed += 1
        rooms, self._rooms = self._rooms, set()
        for room in rooms:
            self._start(room, AGAIN_S)

    async def _pause(self, seconds: float) -> None:
        """So long, or until something else was revoked."""
        waits = [asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._news.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._news.clear()

    async def _listed(self, serials: frozenset[int]) -> bool:
        """Whether the list says this now."""
        try:
            await self._write(serials)
        except (WutongError, OSError) as error:
            log.error(
                "revocations_not_written",
                why=str(error),
                next="it is tried again; the center refuses the rooms all the same",
            )
            return False
        except Exception:
            log.exception("revocations_not_written", next="it is tried again")
            return False
        if self._serials == serials:  # else there are newer ones
            self._serials = None
        return self._serials is None

    def _start(self, room: str, pauses_s: Sequence[float]) -> None:
        """End a room's line, instead of what was being done about it."""
        if room in self._ending:
            self._ending[room].cancel()
        task = self._ending[room] = asyncio.get_running_loop().create_task(self._end(room, pauses_s))
        task.add_done_callback(lambda done: self._done(room, done))

    def _done(self, room: str, task: asyncio.Task[None]) -> None:
        if self._ending.get(room) is task:
            del self._ending[room]

    async def _end(self, room: str, pauses_s: Sequence[float]) -> None:
        """End a room's line once after each pause, or as soon afterwards as the broker is there."""
        failed = 0
        for pause_s in pauses_s:
            await self._sleep(pause_s)
            while not await self._ended(room):
                await self._sleep(_pause_s(failed))
                failed += 1

    async def _ended(self, room: str) -> bool:
        why = "the broker was not there"
        try:
            if await self._end_line(room):
                return True
        except (WutongError, OSError) as error:
            why = str(error)
        except Exception as error:
            log.exception("line_not_ended", room=room)
            why = repr(error)
        log.error("line_not_ended", room=room, why=why[:200], next="it is tried again")
        return False


def _pause_s(failed: int) -> float:
    return min(RETRY_S * 2.0 ** min(failed, 10), RETRY_MOST_S)
