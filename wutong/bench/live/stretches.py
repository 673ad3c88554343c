"""Whether anything creeps while somebody looks for hours: the age of the picture, and what processes hold, by stretch.

A stretch is a twentieth of the time, ten seconds at least. The slopes are of straight lines through all stretches after
the first quarter, since programs fill their caches at first; what lies below `SETTLED` stretches has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil

from wutong.demo.stack import Stack

LEAST_STRETCH_S = 10.0
STRETCHES = 20
SETTLED = 4
"""So many stretches at least make a line."""
_WATCHED = ("center", "recorder", "uplink", "edge")


@dataclass(frozen=True, slots=True)
class LiveStretch:
    """One of them."""

    to_s: float
    delays_ms: Sequence[float]
    stalls: int
    held_mib: Mapping[str, float]
    """By the name of the process: what was resident at its end."""

    def figures(self) -> dict[str, Any]:
        """For print."""
        p50, p95 = np.percentile(self.delays_ms, [50, 95]) if self.delays_ms else (np.nan, np.nan)
        lag = {"p50_ms": round(float(p50), 1), "p95_ms": round(float(p95), 1)}
        return {"to_s": round(self.to_s), **lag, "stalls": self.stalls, "mib": dict(self.held_mib)}


@dataclass
class LiveStretches:
    """All of one measurement."""

    seconds: float
    all: list[LiveStretch] = field(default_factory=list)

    @property
    def each_s(self) -> float:
        """How long a stretch is."""
        return max(LEAST_STRETCH_S, self.seconds / STRETCHES)

    @property
    def to_s(self) -> float:
        """Where the last one ends."""
        return self.all[-1].to_s if self.all else 0.0

    def add(self, one: LiveStretch) -> None:
        """The next one is over."""
        self.all.append(one)

    def figures(self) -> dict[str, Any]:
        """The stretches, and by how much an hour the median age of the picture and each process grow."""
        settled = [one for one in self.all[len(self.all) // 4 :] if one.delays_ms]
        found: dict[str, Any] = {"stretches": [one.figures() for one in self.all]}
        if len(settled) < SETTLED:
            return found
        hours = np.array([one.to_s for one in settled]) / 3600
        medians = [float(np.median(one.delays_ms)) for one in settled]
        names = set.intersection(*(set(one.held_mib) for one in settled))
        grown = {name: _slope(hours, [one.held_mib[name] for one in settled]) for name in sorted(names)}
        return found | {"creep_ms_per_h": _slope(hours, medians), "creep_mib_per_h": grown}


def _slope(hours: np.ndarray, values: Sequence[float]) -> float:
    return round(float(np.polyfit(hours, np.array(values), 1)[0]), 2)


def held_mib(stack: Stack) -> dict[str, float]:
    """What the center, the first room's services and the browser's page hold, by their names. Blocks briefly."""
    pids = {child.name.rpartition(".")[2]: child.pid for child in stack.processes.children if child.pid is not None}
    found = {name: _mib(pids[name]) for name in _WATCHED if name in pids}
    pages = [_mib(one.pid) for one in psutil.Process().children(recursive=True) if _shows_pages(one)]
    if pages:
        found["page"] = max(pages)  # the others are spare
    return found


def _shows_pages(process: psutil.Process) -> bool:
    try:
        return "--type=renderer" in process.cmdline()
    except psutil.Error:
        return False


def _mib(pid: int) -> float:
    try:
        return round(psutil.Process(pid).memory_info().rss / 2**20, 1)
    except psutil.Error:
        return 0.0
