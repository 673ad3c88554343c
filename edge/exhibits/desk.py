"""The one place in a room where a foreign file is read: one process at a time, what is about to be shown first.

Promises: never two readers at once, whoever asks, so that their memory together is one reader's; whose asker has left
is not begun, or ended; what is worth less gives way when it has been read for `PATIENCE_S`, and begins anew after it.
A reader stays open for its next page until another file is read, or nobody asks for a while.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

from edge.exhibits.drawer import PageDrawer

T = TypeVar("T")
PATIENCE_S = 1.0
"""So long a page that is to be shown waits for one that is worth less; most are drawn within a tenth of it."""


class Rank(IntEnum):
    """Which is read first."""

    SHOWN = 0
    """A page that is to be on the screens now."""
    HANDED_IN = 1
    """A new file, for which the clerk waits."""
    ASKED = 2
    """A page that a screen asks for, or a closer look."""
    AHEAD = 3
    """What nobody has asked for yet."""


@dataclass(order=True)
class _Reading:
    rank: Rank
    number: int
    work: Callable[[], Awaitable[Any]] = field(compare=False)
    done: asyncio.Future[Any] = field(compare=False)
    gives_way: bool = field(default=False, compare=False)


class ReadingDesk:
    """All methods belong to one event loop."""

    def __init__(self) -> None:
        self._waiting: list[_Reading] = []
        self._numbers = itertools.count()
        self._now: tuple[_Reading, asyncio.Task[None]] | None = None
        self._open: tuple[str, PageDrawer] | None = None
        self._used_at = 0.0

    async def run(self, rank: Rank, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work` when it is its turn; it may be begun more than once, and ended in the middle.

        Who stops waiting for it ends it.
        """
        reading = _Reading(rank, next(self._numbers), work, asyncio.get_running_loop().create_future())
        heapq.heappush(self._waiting, reading)
        self._next()
        if self._now is not None and rank < self._now[0].rank:
            asyncio.get_running_loop().call_later(PATIENCE_S, self._interrupt, self._now[0])
        try:
            result: T = await reading.done
            return result
        except asyncio.CancelledError:
            reading.done.cancel()
            if self._now is not None and self._now[0] is reading:
                self._now[1].cancel()
            raise

    async def drawer(self, name: str, path: Path) -> PageDrawer:
        """The file's reader, the one of before where it is that; only in the work of `run`."""
        if self._open is None or self._open[0] != name or not self._open[1].alive:
            await self.shut()
            self._open = (name, await PageDrawer.open(path))
        self._used_at = time.monotonic()
        return self._open[1]

    async def shut(self) -> None:
        """End the reader that is open; only in the work of `run`."""
        if self._open is not None:
            (_, drawer), self._open = self._open, None
            await drawer.close()

    async def shut_idle(self, idle_s: float) -> None:
        """End the reader that nobody has asked for so long."""
        if self._open is not None and self._now is None and time.monotonic() - self._used_at > idle_s:
            await self.run(Rank.AHEAD, self.shut)

    async def close(self) -> None:
        """End what is read, whoever waits for it, and the reader."""
        for reading in self._waiting:
            reading.done.cancel()
        self._waiting.clear()
        if self._now is not None:
            (reading, task) = self._now
            reading.done.cancel()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self.shut()

    def _next(self) -> None:
        while self._now is None and self._waiting:
            reading = heapq.heappop(self._waiting)
            if not reading.done.done():
                self._now = (reading, asyncio.ensure_future(self._read(reading)))

    def _interrupt(self, reading: _Reading) -> None:
        better = any(one.rank < reading.rank and not one.done.done() for one in self._waiting)
        # Once is enough: a second time would only call it away from waiting for its reader's end.
        if better and self._now is not None and self._now[0] is reading and not reading.gives_way:
            reading.gives_way = True
            self._now[1].cancel()

    async def _read(self, reading: _Reading) -> None:
        try:
            result = await reading.work()
        except asyncio.CancelledError:
            if reading.gives_way and not reading.done.done():
                reading.gives_way = False
                heapq.heappush(self._waiting, reading)
            else:
                reading.done.cancel()
        except Exception as error:  # noqa: BLE001  (who asked is told, whatever it is; the next one is read)
            if not reading.done.done():
                reading.done.set_exception(error)
        else:
            if not reading.done.done():
                reading.done.set_result(result)
        finally:
            self._now = None
            self._next()
