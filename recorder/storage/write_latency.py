"""How long fragments waited for the disk: from the moment they were handed to the writer until they were synced."""

from __future__ import annotations

from collections import deque

from sync.runtime.units import NS_PER_S

KEEP_NS = 60 * NS_PER_S


class WriteLatency:
    """The longest of the last minute, over all tracks."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, int]] = deque()

    def note(self, now_ns: int, waited_ns: int) -> None:
        """A fragment is on disk."""
        second = now_ns // NS_PER_S
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, max(self._seconds[-1][1], waited_ns))
        else:
            self._seconds.append((second, waited_ns))

    def longest_ms(self, now_ns: int) -> float:
        """Of the last minute; 0 when nothing was written."""
        while self._seconds and self._seconds[0][0] * NS_PER_S < now_ns - KEEP_NS:
            self._seconds.popleft()
        return round(max((waited for _, waited in self._seconds), default=0) / 1e6, 1)
