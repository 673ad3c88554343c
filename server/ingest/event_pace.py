"""How much one room's events may cost: many times what a hearing says, and no flood.

Looking at events costs by their bytes, keeping them costs the disk for ever, and each opening is a line in everybody's
list of hearings. So each room has an allowance of each, which is used up and grows again. What a room says beyond it
waits, and what no longer fits there is dropped and said (`server.ingest.floods`); the room says again what was not
receipted, so nothing is lost, and it is the alarm that ends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

DAY_S = 24 * 3600


class Allowance(NamedTuple):
    """At first `most`; what was used comes back at `per_s`."""

    most: float
    per_s: float


LOOKED_AT = Allowance(8 * 1024 * 1024, 256 * 1024)
"""Bytes. A hearing says some kilobytes a second at most; what waited for a day of outage takes minutes."""
KEPT = Allowance(256 * 1024 * 1024, 256 * 1024 * 1024 / DAY_S)
"""Bytes. An hour of hearing has about four megabytes of events."""
OPENED = Allowance(200, 200 / DAY_S)
"""Hearings. A court that tries quickly has some forty a day in one room."""


class EventPace:
    """All methods belong to one event loop; it knows the rooms that said something, which a center knows all."""

    def __init__(self, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._left: dict[tuple[str, Allowance], tuple[float, float]] = {}

    def allows(self, room: str) -> bool:
        """Whether a further message of this room is looked at now, however large it is."""
        return all(self._now(room, one) > 0 for one in (LOOKED_AT, KEPT, OPENED))

    def spend(self, room: str, size: int) -> None:
        """A message of so many bytes is looked at."""
        for one in (LOOKED_AT, KEPT):
            self._left[room, one] = (self._now(room, one) - size, self._monotonic_s())

    def opened(self, room: str) -> None:
        """The opening of a hearing that was not known is stored."""
        self._left[room, OPENED] = (self._now(room, OPENED) - 1, self._monotonic_s())

    def _now(self, room: str, one: Allowance) -> float:
        left, at_s = self._left.get((room, one), (one.most, 0.0))
        return min(one.most, left + (self._monotonic_s() - at_s) * one.per_s)
