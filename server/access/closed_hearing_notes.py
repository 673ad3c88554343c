"""Tells the other processes what rooms say live of hearings that are not tried in public.

One transaction at a time, with all that has come meanwhile, and not more often than every `PACE_S`: when many rooms
open at nine, or one names hearing after hearing, who else has an act upon rights waits for one write and not for many.
What could not be written is written again until it is, for a process that does not hear a room knows it by this alone.
Bounded: of each room the last few hearings, as many as count.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import structlog

from server.access.closed_hearings_said import MOST_SAID
from sync.errors import StorageError

log = structlog.get_logger(__name__)

PACE_S = 0.1
AGAIN_S = 1.0


class ClosedHearingNotes:
    """All methods belong to one event loop."""

    def __init__(
        self,
        write: Callable[[list[tuple[str, str]]], Awaitable[None]],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`write` keeps (room, hearing) of several rooms, the last of each last; it may raise `StorageError`."""
        self._write = write
        self._pause = pause
        self._waiting: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()
        """room -> hearings that are not written yet."""
        self._writing: asyncio.Task[None] | None = None

    def add(self, room: str, hearing: str) -> None:
        """A room says that this hearing is not public."""
        said = self._waiting.setdefault(room, OrderedDict())
        said.pop(hearing, None)
        said[hearing] = None
        while len(said) > MOST_SAID:
            said.popitem(last=False)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, OrderedDict()
            try:
                await self._write([(room, hearing) for room, said in taken.items() for hearing in said])
            except StorageError as error:
                count = sum(len(said) for said in taken.values())
                log.error("closed_hearings_not_noted", count=count, why=error.message, next="they are written again")
                newer, self._waiting = self._waiting, taken
                for room, said in newer.items():
                    for hearing in said:
                        self.add(room, hearing)
                await self._pause(AGAIN_S)
            else:
                await self._pause(PACE_S)
