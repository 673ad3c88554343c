"""What follows when a certificate of a room is taken away or has ended: the broker's list, and the end of the line.

The line of a revoked room is ended more than once: the broker reads its list a moment after it was written, and until
then the room could come back. One whose certificate has ended cannot, unless it shows a newer one: then it is back at
once, and nobody needs to do anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from sync.errors import WutongError

log = structlog.get_logger(__name__)

AGAIN_S = (0.0, 2.0, 6.0)


class Revocations:
    """All methods belong to one event loop."""

    def __init__(
        self, write: Callable[[frozenset[int]], Awaitable[None]], end_line: Callable[[str], Awaitable[bool]]
    ) -> None:
        """`write(serials)` has the broker's list say this; `end_line(room)` ends what the room has open there, and says
        whether the broker was there to do it."""
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

    def ended(self, rooms: frozenset[str]) -> None:
        """A certificate of these has come to its end."""
        for room in rooms:
            log.warning("certificate_ended", room=room, next="its line is ended; with a newer one it is back at once")
            self._start(self._end_once(room))

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
            self._start(self._end(room))

    def _start(self, ending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(ending)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, room: str) -> None:
        for pause_s in AGAIN_S:
            await asyncio.sleep(pause_s)
            await self._end_line(room)

    async def _end_once(self, room: str) -> None:
        for pause_s in AGAIN_S:
            await asyncio.sleep(pause_s)
            if await self._end_line(room):
                return
        log.error("line_not_ended", room=room, next="the broker was not there; it ends its lines when it goes")
