"""What processor and memory the parts took between two looks, and what everybody else on the machine took meanwhile."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

CENTER = "center"
BROKER = "broker"
ROOMS = "rooms"
WALL = "wall"
BENCH = "bench"
_CPUCLOCK_SCHED = 2
"""Linux names the clock of a process by its number and this (`MAKE_PROCESS_CPUCLOCK`, clock_getcpuclockid(3))."""


@dataclass(frozen=True, slots=True)
class UsageLook:
    """One look: processor seconds so far."""

    at_s: float
    busy_s: float
    """Of the whole machine, without what another guest of its host took."""
    parts_s: Mapping[str, float]
    loop_s: float
    """Of the center's main thread, on which its event loop runs."""
    center_rss: int

    @classmethod
    def now(cls, parts: Mapping[str, list[int]]) -> UsageLook:
        """`parts` are the process ids of each; this process is `BENCH`."""
        times = psutil.cpu_times()
        busy_s = times.user + times.nice + times.system + times.irq + times.softirq
        used = {name: sum(_seconds(pid) for pid in pids) for name, pids in parts.items()}
        used[BENCH] = _seconds(os.getpid())
        (center,) = parts[CENTER]
        return cls(time.monotonic(), busy_s, used, _main_thread_s(center), psutil.Process(center).memory_info().rss)


@dataclass(frozen=True, slots=True)
class UsedBetween:
    """What was used, in cores."""

    seconds: float
    cores: Mapping[str, float]
    loop_cores: float
    other_cores: float
    """Of all that is not ours: a run beside much of it is no measurement of the center."""
    center_rss_mib: float

    @classmethod
    def of(cls, before: UsageLook, after: UsageLook) -> UsedBetween:
        """Between two looks at the same parts; a process that began in between counts from its beginning."""
        over_s = after.at_s - before.at_s
        parts = {name: used - before.parts_s.get(name, 0.0) for name, used in after.parts_s.items()}
        others_s = after.busy_s - before.busy_s - sum(parts.values())
        return cls(
            over_s,
            {name: used / over_s for name, used in parts.items()},
            (after.loop_s - before.loop_s) / over_s,
            max(others_s / over_s, 0.0),
            after.center_rss / 2**20,
        )


def _seconds(pid: int) -> float:
    """Of a whole process, to the nanosecond: `/proc/PID/stat` counts in hundredths of a second, and the broker of a few
    rooms may take none of them."""
    with contextlib.suppress(OSError):
        return time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED)
    return 0.0


def _main_thread_s(pid: int) -> float:
    """The same of its main thread; that has such a clock for its own process alone, so its scheduler is asked."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    return 0.0
