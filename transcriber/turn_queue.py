"""Finished turns on their way from the endpointer to the record.

Promises: they are taken in the order in which they ended, and stay here until they are written; whoever brings more
than `MOST_WAITING` waits.
"""

from __future__ import annotations

import asyncio
from collections import deque

from transcriber.backlog import HearingJob
from transcriber.segmentation.endpointer import Turn

MOST_WAITING = 6
"""Finished turns that may wait in memory: a minute of speech at most."""


class TurnQueue:
    """The turns that are over and not written yet. All methods belong to one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[HearingJob, Turn]] = deque()
        self._changed = asyncio.Condition()

    @property
    def first(self) -> tuple[HearingJob, Turn] | None:
        """The turn that has waited longest, and its hearing."""
        return self._waiting[0] if self._waiting else None

    @property
    def turns(self) -> list[Turn]:
        """All turns that wait, in the order in which they ended."""
        return [turn for _, turn in self._waiting]

    @property
    def oldest_ns(self) -> int | None:
        """When the earliest of the turns that wait began; it need not be the first to have ended."""
        return min((turn.start_ns for turn in self.turns), default=None)

    @property
    def waiting_since_ns(self) -> int | None:
        """When the oldest turn that waits ended."""
        return self._waiting[0][1].end_ns if self._waiting else None

    async def put(self, job: HearingJob, turn: Turn) -> None:
        """Hand over a finished turn; waits while too many are waiting."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._waiting) < MOST_WAITING)
            self._waiting.append((job, turn))
            self._changed.notify_all()

    async def remove_first(self) -> None:
        """Drop the turn that has waited longest: it is written, or had no words."""
        async with self._changed:
            self._waiting.popleft()
            self._changed.notify_all()

    async def drained(self) -> None:
        """Wait until no finished turn is left."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._waiting)

    async def wait_for_change(self, timeout_s: float) -> None:
        """Wait until a turn comes or goes, or the time is over."""
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait()
        except TimeoutError:
            pass
