"""What a process holds, sampled again and again, and the straight lines through it: a process that leaks is steep.

Growth is the slope of a line through all samples after the warm-up (least squares), so a process that breathes is not
taken for one that leaks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import psutil

RSS_MIB_PER_H = 1.0
"""More growth than that in a process is a leak: 72 h of it are 72 MiB."""
BREATH_MIB = 8.0
"""Less than that over the whole time is breathing, however steep: a short run sees little else."""
FD_GROWTH = 2.0
"""As many file descriptors more at the end than after the warm-up are breathing, not a leak."""
THREAD_GROWTH = 4.0
"""Pools of threads fill as they are needed, once."""
CHILD_GROWTH = 1.0
"""Of processes below it, those included that ended and were never waited for."""


class Growth(NamedTuple):
    """Of one process, over the whole time that is counted where nothing else is said."""

    mib_per_h: float
    mib: float
    fds: float
    threads: float
    children: float

    @property
    def leaks(self) -> bool:
        """Whether any of it is more than breathing."""
        return (
            (self.mib_per_h > RSS_MIB_PER_H and self.mib > BREATH_MIB)
            or self.fds > FD_GROWTH
            or self.threads > THREAD_GROWTH
            or self.children > CHILD_GROWTH
        )


class Held(NamedTuple):
    """By one process at one moment."""

    rss_bytes: int
    fds: int
    threads: int
    children: int


@dataclass
class SoakSamples:
    """Of one process."""

    at_s: list[float] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    def add(self, process: psutil.Process, at_s: float) -> None:
        """Look at it now."""
        with contextlib.suppress(psutil.Error):
            children = len(process.children(recursive=True))
            with process.oneshot():
                rss = process.memory_info().rss
                self.held.append(Held(rss, process.num_fds(), process.num_threads(), children))
            self.at_s.append(at_s)

    def growth(self, from_s: float) -> Growth:
        """After `from_s`, as straight lines."""
        at = np.array(self.at_s)
        use = at >= from_s
        if np.count_nonzero(use) < 3 or at[use][-1] <= at[use][0]:
            return Growth(0.0, 0.0, 0.0, 0.0, 0.0)
        hours = at[use] / 3600
        span = float(hours[-1] - hours[0])
        per_h = [_slope(hours, [one[n] for one in self.held], use) for n in range(len(Held._fields))]
        mib_per_h = per_h[0] / 2**20
        return Growth(mib_per_h, mib_per_h * span, *(one * span for one in per_h[1:]))


def _slope(hours: np.ndarray, values: Sequence[int], use: np.ndarray) -> float:
    return float(np.polyfit(hours, np.array(values, dtype=np.float64)[use], 1)[0])


class SoakWatch:
    """Samples by the name of the process."""

    def __init__(self) -> None:
        self.samples: dict[str, SoakSamples] = {}
        self._pids: dict[str, int] = {}
        self.restarts = 0
        """A process that died takes its leaks with it; each such death is counted."""

    def poll(self, processes: Mapping[str, psutil.Process], at_s: float) -> None:
        """One sample of each."""
        for name, process in processes.items():
            if self._pids.setdefault(name, process.pid) != process.pid:
                self._pids[name] = process.pid
                self.restarts += 1
                self.samples[name] = SoakSamples()
            self.samples.setdefault(name, SoakSamples()).add(process, at_s)

    def growth(self, from_s: float) -> dict[str, Growth]:
        """Of each process that was seen."""
        return {name: samples.growth(from_s) for name, samples in self.samples.items() if samples.held}

    def figures(self, from_s: float) -> dict[str, dict[str, float]]:
        """For print: of each process what it held last, and its growth."""
        return {name: _figures(self.samples[name].held[-1], one) for name, one in self.growth(from_s).items()}


def _figures(last: Held, growth: Growth) -> dict[str, float]:
    return {
        "rss_mib": round(last.rss_bytes / 2**20, 1),
        "rss_growth_mib_per_h": round(growth.mib_per_h, 3),
        "rss_growth_mib": round(growth.mib, 2),
        "fds": last.fds,
        "fd_growth": round(growth.fds, 1),
        "threads": last.threads,
        "thread_growth": round(growth.threads, 1),
        "children": last.children,
        "child_growth": round(growth.children, 1),
    }
