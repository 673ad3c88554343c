"""What a process of the benchmark has seen since it was last told to begin: durations in milliseconds, and counts."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from sync.runtime.units import NS_PER_MS


class SamplesReport(TypedDict):
    """As a process tells it."""

    ms: dict[str, list[float]]
    counts: dict[str, int]


class Samples:
    """Filled from several threads: one append each."""

    def __init__(self) -> None:
        self._ms: defaultdict[str, list[float]] = defaultdict(list)
        self._counts: Counter[str] = Counter()

    def since(self, what: str, begun_ns: int) -> None:
        """A duration that began at a moment of `CLOCK_MONOTONIC` and ends now."""
        self._ms[what].append((time.monotonic_ns() - begun_ns) / NS_PER_MS)

    def count(self, what: str, by: int = 1) -> None:
        """Something happened."""
        self._counts[what] += by

    def seen(self, what: str) -> int:
        """How many durations of a kind there are."""
        return len(self._ms.get(what, ()))

    def begin(self) -> None:
        """Forget all."""
        self._ms = defaultdict(list)
        self._counts = Counter()

    def report(self) -> SamplesReport:
        """All since `begin`, to the microsecond."""
        ms = {what: [round(one, 3) for one in values] for what, values in self._ms.items()}
        return {"ms": ms, "counts": dict(self._counts)}


def joined(reports: Sequence[Mapping[str, Any]]) -> SamplesReport:
    """Of several processes."""
    ms: defaultdict[str, list[float]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for report in reports:
        for what, values in report["ms"].items():
            ms[what] += values
        counts.update(report["counts"])
    return {"ms": dict(ms), "counts": dict(counts)}
