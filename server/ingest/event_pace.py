"""How fast the events of one room are looked at: many times what a hearing says, and no flood.

Looking at events costs by their bytes, so it is paced by them: `BYTES_PER_S` for each room, after the first
`BURST_BYTES`. What a room says faster waits, and what no longer fits there is dropped and said
(`server.ingest.floods`); the room says again what was not receipted.
"""

from __future__ import annotations

import time
from collections.abc import Callable

BYTES_PER_S = 256 * 1024
"""A hearing says some kilobytes a second at most; what waited for a day of outage takes minutes."""
BURST_BYTES = 8 * 1024 * 1024


class EventPace:
    """All methods belong to one event loop; it knows the rooms that said something, which a center knows all."""

    def __init__(self, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._left: dict[str, tuple[float, float]] = {}

    def allows(self, room: str) -> bool:
        """Whether a further message of this room is looked at now, however large it is."""
        return self._now(room) > 0

    def spend(self, room: str, size: int) -> None:
        """A message of so many bytes is looked at."""
        self._left[room] = (self._now(room) - size, self._monotonic_s())

    def _now(self, room: str) -> float:
        left, at_s = self._left.get(room, (BURST_BYTES, 0.0))
        return min(BURST_BYTES, left + (self._monotonic_s() - at_s) * BYTES_PER_S)
