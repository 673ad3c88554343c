"""What services count while they work: whole numbers and nothing else, so that counting costs an increment.

Who reads them for a scrape is far away (`sync.http.monitoring`); here is no package of others, because the recorder and
the database's thread count with this.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

FAST_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds for what should take milliseconds and may take seconds."""
LOOP_LOOK_S = 1.0
LOOP_WINDOW_S = 60.0


class CountedDurations(NamedTuple):
    """What `DurationBuckets` has counted: (upper bound in seconds, how many took at most so long), and their sum."""

    upto: tuple[tuple[float, int], ...]
    """The last bound is infinite: its count is that of all."""
    sum_s: float


class DurationBuckets:
    """Durations, counted by upper bounds. One thread notes; any may read, and then finds counts of this moment."""

    def __init__(self, bounds_s: Sequence[float] = FAST_S) -> None:
        """`bounds_s` rise; what is longer than the last is counted with an infinite bound."""
        self._bounds_s = tuple(bounds_s)
        self._counts = [0] * (len(self._bounds_s) + 1)
        self._sum_s = 0.0

    def note(self, seconds: float) -> None:
        """Count one duration; a clock that went back counts as none at all."""
        seconds = max(seconds, 0.0)
        self._counts[bisect_left(self._bounds_s, seconds)] += 1
        self._sum_s += seconds

    def read(self) -> CountedDurations:
        """All that was counted until now."""
        total, upto = 0, []
        for bound, count in zip((*self._bounds_s, float("inf")), list(self._counts), strict=True):
            total += count
            upto.append((bound, total))
        return CountedDurations(tuple(upto), self._sum_s)


class LoopDelay:
    """How late the event loop comes to what is due, the longest of the last minute: of a task that only sleeps."""

    def __init__(self, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._delays: deque[tuple[float, float]] = deque()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            before_s = self._monotonic_s()
            await asyncio.sleep(LOOP_LOOK_S)
            now_s = self._monotonic_s()
            self.note(now_s, now_s - before_s - LOOP_LOOK_S)

    def note(self, now_s: float, delay_s: float) -> None:
        """The loop came so late."""
        self._delays.append((now_s, max(delay_s, 0.0)))
        while self._delays and now_s - self._delays[0][0] > LOOP_WINDOW_S:
            self._delays.popleft()

    @property
    def longest_s(self) -> float:
        """Of the last minute; 0 before anything was found."""
        return max((delay_s for _, delay_s in self._delays), default=0.0)
