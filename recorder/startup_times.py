"""When a recorder that has just been started came to each of its first steps: one line in its log, for operators.

Every step is a moment of room time, so that it can be compared with what is in the record.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import structlog

from sync.room.clock import RoomClock
from sync.runtime.units import NS_PER_S

log = structlog.get_logger(__name__)


def _began_monotonic_ns() -> int:
    """When the kernel made this process, to a hundredth of a second."""
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    age_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - int(fields[19]) * NS_PER_S // os.sysconf("SC_CLK_TCK")
    return time.monotonic_ns() - age_ns


class StartupTimes:
    """The steps of one start."""

    def __init__(self) -> None:
        self._steps: dict[str, int] = {"process": _began_monotonic_ns()}

    def step(self, name: str) -> None:
        """This step is done."""
        self._steps[name] = time.monotonic_ns()

    def say(self, clock: RoomClock) -> None:
        """Write them to the service's log."""
        log.info("startup_times", **{f"{n}_ns": clock.from_monotonic_ns(at) for n, at in self._steps.items()})
