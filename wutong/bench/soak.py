"""`wutong bench soak`: one room for hours; memory stays flat and no file descriptor is left open, process by process.

A hearing is opened, paused, resumed and closed again and again, as in a court's days. The first
third of the time (at most an hour) warms up and is not counted. Growth is the slope of a line through all samples after
it (least squares), so a process that breathes is not taken for one that leaks. Over a limit the command ends with exit
code 1.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
from rich.console import Console

from wutong.bench import room as bench_room
from wutong.bench.live.measure import machine
from wutong.bench.room import SERVICES, TRACKS, BenchRoom

RSS_MIB_PER_H = 1.0
"""More growth than that in a process is a leak: 72 h of it are 72 MiB."""
BREATH_MIB = 8.0
"""Less than that over the whole time is breathing, however steep: a short run sees little else."""
FD_GROWTH = 2.0
"""As many file descriptors more at the end than after the warm-up are breathing, not a leak."""
MOST_SAMPLES = 4000
WARM_UP_S = 3600.0
HEARING_S = 1800.0


class Growth(NamedTuple):
    """Of one process."""

    mib_per_h: float
    mib: float
    """Over the whole time that is counted."""
    fds: float


@dataclass
class SoakSamples:
    """Of one process."""

    at_s: list[float] = field(default_factory=list)
    rss_bytes: list[int] = field(default_factory=list)
    fds: list[int] = field(default_factory=list)

    def add(self, process: psutil.Process, at_s: float) -> None:
        """Look at it now."""
        with contextlib.suppress(psutil.Error), process.oneshot():
            rss, fds = process.memory_info().rss, process.num_fds()
            self.at_s.append(at_s)
            self.rss_bytes.append(rss)
            self.fds.append(fds)

    def growth(self, from_s: float) -> Growth:
        """After `from_s`, as straight lines."""
        at = np.array(self.at_s)
        use = at >= from_s
        if np.count_nonzero(use) < 3:
            return Growth(0.0, 0.0, 0.0)
        rss, fds = np.array(self.rss_bytes)[use] / 2**20, np.array(self.fds)[use].astype(float)
        hours = at[use] / 3600
        span = hours[-1] - hours[0]
        if span <= 0:
            return Growth(0.0, 0.0, 0.0)
        slope = float(np.polyfit(hours, rss, 1)[0])
        return Growth(slope, slope * float(span), float(np.polyfit(hours, fds, 1)[0] * span))


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
        """Of each process."""
        return {name: samples.growth(from_s) for name, samples in self.samples.items()}


def leaking(growth: Mapping[str, Growth]) -> list[str]:
    """The names of the processes that grow."""
    return [
        name
        for name, one in growth.items()
        if (one.mib_per_h > RSS_MIB_PER_H and one.mib > BREATH_MIB) or one.fds > FD_GROWTH
    ]


async def measure(
    data: Path,
    hours: float,
    console: Console,
    *,
    beside: Callable[[], Mapping[str, psutil.Process]] = dict,
) -> dict[str, Any]:
    """Run for so long and return the figures; `leaking` names what is over a limit. `beside`: further processes."""
    seconds = hours * 3600
    warm_s = min(seconds / 3, WARM_UP_S)
    every_s = max(seconds / MOST_SAMPLES, 1.0)
    watch = SoakWatch()
    hearings = 0
    async with BenchRoom.running(data, segment_s=60 if hours > 1 else 4) as room:
        begun = said = time.monotonic()
        holding: asyncio.Task[None] | None = None
        try:
            while (at_s := time.monotonic() - begun) < seconds:
                if holding is None or holding.done():
                    if holding is not None:
                        holding.result()
                        hearings += 1
                    holding = asyncio.create_task(_hold(room, hearings, min(HEARING_S, max(seconds / 6, 4.0))))
                watch.poll({**_processes(room), **beside()}, at_s)
                if time.monotonic() - said > 60:
                    said = time.monotonic()
                    worst = max(((g.mib_per_h, name) for name, g in watch.growth(warm_s).items()), default=(0.0, "-"))
                    console.print(
                        f"{at_s / 3600:.2f} of {hours:g} h, {hearings} hearings, most growth {worst[0]:+.2f} MiB/h"
                        f" ({worst[1]})",
                        highlight=False,
                    )
                await asyncio.sleep(every_s)
        finally:
            if holding is not None:
                holding.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await holding
    growth = watch.growth(warm_s)
    return {
        "hours": round(hours, 4),
        "hearings": hearings,
        "rss_growth_mib_per_h": round(max((g.mib_per_h for g in growth.values()), default=0.0), 3),
        "fd_growth": round(max((g.fds for g in growth.values()), default=0.0), 1),
        "leaking": leaking(growth),
        "restarts": watch.restarts,
        "processes": {
            name: {
                "rss_mib": round(watch.samples[name].rss_bytes[-1] / 2**20, 1),
                "rss_growth_mib_per_h": round(one.mib_per_h, 3),
                "rss_growth_mib": round(one.mib, 2),
                "fds": watch.samples[name].fds[-1],
                "fd_growth": round(one.fds, 1),
            }
            for name, one in growth.items()
            if watch.samples[name].fds
        },
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }


async def _hold(room: BenchRoom, number: int, seconds: float) -> None:
    """One hearing with a recess."""
    name = f"{bench_room.HEARING}-{number}"
    room.say("open", name, case={}, seats=[], tracks=[{"id": t, "kind": "", "name": t} for t in TRACKS])
    await asyncio.sleep(seconds * 0.5)
    room.say("pause", name, reason="recess")
    await asyncio.sleep(seconds * 0.1)
    room.say("resume", name)
    await asyncio.sleep(seconds * 0.4)
    room.say("close", name)


def _processes(room: BenchRoom) -> dict[str, psutil.Process]:
    found: dict[str, psutil.Process] = {}
    for service in SERVICES:
        pid = room.child(service).pid
        if pid is not None:
            with contextlib.suppress(psutil.Error):
                found[service] = psutil.Process(pid)
    return found | {f"recorder/{name}": process for name, process in room.workers().items()}
