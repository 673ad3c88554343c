"""What was to be kept of a track and is not on disk, and why: each gap is declared once, in the order of time.

A gap is found when the next fragment is on disk, at the latest when the stretch ends. A pre-roll that began late,
because the recorder did, is no gap; a hole inside of it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recorder.storage.stretch import Stretch
from sync.runtime.units import NS_PER_S

TOLERANCE_NS = 10_000_000
"""Smaller holes are the rounding of media time and of drift."""
NEAR_NS = 5 * NS_PER_S
"""What happened this near to a gap may be its reason."""
MAX_TROUBLES = 32
UNKNOWN_WHY = "未收到该设备的媒体"


@dataclass(frozen=True, slots=True)
class MissingSpan:
    """A gap to be declared; `why` is for people."""

    hearing: str
    from_ns: int
    to_ns: int
    why: str


@dataclass(slots=True)
class Coverage:
    """How far one hearing is on disk or declared missing; what lies before was not asked for."""

    hearing: str
    until_ns: int
    begun: bool = False
    """Something of it is on disk."""


class GapTracker:
    """Finds the gaps of one track."""

    def __init__(self, declare: Callable[[MissingSpan], None]) -> None:
        self._declare = declare
        self._troubles: deque[tuple[int, str]] = deque(maxlen=MAX_TROUBLES)

    def trouble(self, at_ns: int, why: str, *, alone: bool = False) -> None:
        """Something happened that may become a gap; `why` is for people. `alone`: whatever was before led to this."""
        if alone:
            self._troubles.clear()
        self._troubles.append((at_ns, why))

    def kept(self, coverage: Coverage, stretches: Sequence[Stretch], from_ns: int, to_ns: int) -> None:
        """This span is on disk: what lies between it and what was covered before is missing."""
        if not coverage.begun and from_ns < coverage.until_ns:
            coverage.until_ns = from_ns  # the pre-roll begins where there is some
        coverage.begun = True
        self.finished(coverage, stretches, from_ns)
        coverage.until_ns = max(coverage.until_ns, to_ns)

    def finished(self, coverage: Coverage, stretches: Sequence[Stretch], until_ns: int) -> None:
        """Nothing before `until_ns` comes any more: what is not covered is missing, in each stretch."""
        for stretch in stretches:
            from_ns = max(coverage.until_ns, stretch.begin_ns)
            to_ns = until_ns if stretch.to_ns is None else min(until_ns, stretch.to_ns)
            if to_ns - from_ns > TOLERANCE_NS:
                self._declare(MissingSpan(coverage.hearing, from_ns, to_ns, self._why(from_ns, to_ns)))
        coverage.until_ns = max(coverage.until_ns, until_ns)

    def _why(self, from_ns: int, to_ns: int) -> str:
        def away_ns(at_ns: int) -> int:
            return max(from_ns - at_ns, at_ns - to_ns, 0)

        near = [(away_ns(at), why) for at, why in self._troubles if away_ns(at) <= NEAR_NS]
        # The nearest, and of those inside the gap the first: what came later may be its consequence.
        return min(near, key=lambda found: found[0])[1] if near else UNKNOWN_WHY
