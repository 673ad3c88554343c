"""The last seconds of a track, in memory alone: a hearing that opens begins with what is already there.

Promises: it holds whole groups of pictures that reach back over the pre-roll, and never more than `buffer_bytes`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from recorder.capture.fragment import StampedFragment
from sync.runtime.units import NS_PER_S

MARGIN_NS = 3 * NS_PER_S
"""How far the memory reaches back beyond the pre-roll: an opening is heard of a little later than it happens."""
GOP_NS = 10 * NS_PER_S
"""The longest group of pictures that is kept whole in memory."""
BYTES_PER_S = 2 * 1024 * 1024
"""Of one track: 16 Mbit/s, twice what a 1080p camera sends."""


def buffer_bytes(preroll_ns: int) -> int:
    """What one track may hold in memory: 26 MiB without pre-roll, 46 MiB with the longest of ten seconds."""
    return (MARGIN_NS + GOP_NS + preroll_ns) * BYTES_PER_S // NS_PER_S


class PreRollBuffer:
    """Holds the fragments of one track; iterating gives them, the oldest first."""

    def __init__(self, preroll_ns: int) -> None:
        """`preroll_ns`: how long a pre-roll may be asked for."""
        self._reach_ns = MARGIN_NS + preroll_ns
        self._limit_bytes = buffer_bytes(preroll_ns)
        self._fragments: deque[StampedFragment] = deque()
        self._bytes = 0
        self.keeps_all = False
        """Nothing is dropped for its age."""

    def __iter__(self) -> Iterator[StampedFragment]:
        return iter(self._fragments)

    @property
    def newest(self) -> StampedFragment | None:
        """The last fragment that came."""
        return self._fragments[-1] if self._fragments else None

    def append(self, fragment: StampedFragment) -> None:
        """Take the next fragment of the track; `trim` makes room again once it was offered to whoever keeps it."""
        self._fragments.append(fragment)
        self._bytes += len(fragment.data)

    def first_from(self, from_ns: int) -> StampedFragment | None:
        """The last key frame at or before a moment, else the first after it."""
        best: StampedFragment | None = None
        for fragment in self._fragments:
            if fragment.key_frame and (fragment.from_ns <= from_ns or best is None):
                best = fragment
        return best

    def since(self, from_ns: int) -> list[StampedFragment]:
        """Everything from the last key frame at or before a moment on."""
        first = self.first_from(from_ns)
        return [] if first is None else [f for f in self._fragments if f.from_ns >= first.from_ns]

    def trim(self) -> None:
        """Drop whole groups of pictures that lie further back than is asked for, and what goes beyond the limit."""
        if not self._fragments:
            return
        horizon_ns = self._fragments[-1].to_ns - self._reach_ns
        keys = [i for i, f in enumerate(self._fragments) if f.key_frame and f.from_ns <= horizon_ns]
        drop = keys[-1] if keys and not self.keeps_all else 0
        while drop or self._bytes > self._limit_bytes:
            self._bytes -= len(self._fragments.popleft().data)
            drop = max(drop - 1, 0)
