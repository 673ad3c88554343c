"""How many small messages of one room are looked at: many times what an honest one says, and no flood.

A status, a caption or levels cost by their number, not by their bytes: each is read, judged and shown to everybody who
looks. What is over the pace is dropped and said (`server.ingest.floods`); the next one of its kind says the same anew,
since each tells how things are now. Events have a pace by bytes (`server.ingest.event_pace`) and are never dropped
unsaid; media go only to whoever asked for them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from sync import topics


class Pace(NamedTuple):
    """So many a second, after the first `burst`."""

    per_s: float
    burst: float


PACES = {topics.STATUS: Pace(5, 60), topics.CAPTION: Pace(30, 300), topics.LEVELS: Pace(20, 200)}
"""An honest room says one status a second, levels five times, and captions as fast as two people speak."""


class MessagePace:
    """All methods belong to one event loop; ask it of rooms of the configuration alone, which bound what it keeps."""

    def __init__(self, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._left: dict[tuple[str, str], tuple[float, float]] = {}
        self._dropped: Counter[str] = Counter()

    def take(self, room: str, topic: str) -> bool:
        """Whether one more message of a known room on this topic is looked at now."""
        pace = PACES.get(topic)
        if pace is None:
            return True
        now_s = self._monotonic_s()
        left, at_s = self._left.get((room, topic), (pace.burst, now_s))
        left = min(pace.burst, left + (now_s - at_s) * pace.per_s)
        if left < 1:
            self._left[room, topic] = left, now_s
            self._dropped[room] += 1
            return False
        self._left[room, topic] = left - 1, now_s
        return True

    def dropped_since(self) -> dict[str, int]:
        """How many of each room were dropped since this was last asked."""
        dropped = dict(self._dropped)
        self._dropped.clear()
        return dropped
