"""What follows when a certificate of a room is taken away: the broker's list is written, and the room's line is ended.

The line is ended more than once: the broker reads its list a moment after it was written, and until then the room could
come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from sync.errors import WutongError

log = structlog.get_logger(__name__)

AGAIN_S = (0.0, 2.0, 6.0)


class Revocations:
    """All methods belong to one event loop."""

    def __init__(
        self, write: Callable[[frozenset[int]], Awaitable[None]], end_line: Callable[[str], Awaitable[object]]
    ) -> None:
        """`write(serials)` has the broker's list say this; `end_line(room)` ends what the room has open there."""
        self._write = write
        self._end_line = end_line
        self._news = asyncio.Event()
        self._serials: frozenset[int] | None = None
        self._rooms: set[str] = set()
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """Whether all that was to be done is done."""
        return not (self._news.is_set() or self._rooms or self._ending)

    def changed(self, serials: frozenset[int], rooms: frozenset[str]) -> None:
        """These are revoked now, and these rooms lost one just now."""
        self._serials = serials
        self._rooms |= rooms
        self._news.set()

    async def run(self) -> None:
        """Follow for ever."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                await self._follow()
        finally:
            for task in self._ending:
                task.cancel()
            await asyncio.gather(*self._ending, return_exceptions=True)

    async def _follow(self) -> None:
        if self._serials is not None:
            try:
                await self._write(self._serials)
            except WutongError as error:
                log.error("revocations_not_written", why=error.message, next="the center refuses the room all the same")
        rooms, self._rooms = self._rooms, set()
        for room in rooms:
            log.warning("room_lost_its_certificate", room=room)
            task = asyncio.get_running_loop().create_task(self._end(room))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _end(self, room: str) -> None:
        for pause_s in AGAIN_S:
            await asyncio.sleep(pause_s)
            await self._end_line(room)
