"""`wutong bench soak`: a room, its center and their broker for hours; nothing grows but the record.

They are started as the demo starts them (small pictures, no speech model). Hearing after hearing is held through the
panel's API and watched and played by an inspector, as many as the time holds, as in a court's years. The first third
of the time (at most an hour) warms up and is not counted. Of each process memory, file descriptors, threads and
processes below it are sampled, and the databases and files on disk. Over a limit the command ends with exit code 1.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from hardware.simulation.scenario import BUNDLED_HEARING
from sync.room.feed import FeedClient
from sync.room.paths import RoomPaths
from wutong.bench.live.measure import machine
from wutong.bench.soak.disk import DiskWatch
from wutong.bench.soak.growth import SoakWatch
from wutong.bench.soak.hearings import HearingsWithoutEnd
from wutong.demo.stack import Stack, start_stack

MOST_SAMPLES = 4000
WARM_UP_S = 3600.0
HEARING_S = 6.0
DISK_LOOKS = 60
START_S = 60.0


async def measure(
    data: Path,
    hours: float,
    console: Console,
    *,
    port_base: int = 8900,
    hearing_s: float = HEARING_S,
    beside: Callable[[], Mapping[str, psutil.Process]] = dict,
) -> dict[str, Any]:
    """Run for so long and return the figures; `leaking` names what is over a limit. `beside`: further processes."""
    seconds = hours * 3600
    warm_s = min(seconds / 3, WARM_UP_S)
    every_s = max(seconds / MOST_SAMPLES, 1.0)
    console.print("starting broker, center and room …")
    stack = await start_stack(data, BUNDLED_HEARING, port_base=port_base, small=True)
    tasks = [asyncio.create_task(stack.processes.watch())]
    watch, disk, docket = SoakWatch(), DiskWatch(data), HearingsWithoutEnd(stack, hearing_s)
    try:
        await _last_is_there(stack)
        tasks.append(holding := asyncio.create_task(docket.hold()))
        begun = said = time.monotonic()
        looked = -seconds
        while (at_s := time.monotonic() - begun) < seconds:
            if holding.done():
                holding.result()  # it does not end but by an error
            watch.poll({**_processes(stack), **beside()}, at_s)
            if at_s - looked >= seconds / DISK_LOOKS:
                looked = at_s
                await asyncio.to_thread(disk.poll, docket.done)
            if time.monotonic() - said > 60:
                said = time.monotonic()
                worst = max(((g.mib_per_h, name) for name, g in watch.growth(warm_s).items()), default=(0.0, "-"))
                console.print(
                    f"{at_s / 3600:.2f} of {hours:g} h, {docket.done} hearings, most growth {worst[0]:+.2f} MiB/h"
                    f" ({worst[1]}){', refused ' + str(dict(docket.refused)) if docket.refused else ''}",
                    highlight=False,
                )
            await asyncio.sleep(every_s)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await stack.processes.stop()
    growth = watch.growth(warm_s)
    return {
        "hours": round(hours, 4),
        "hearings": docket.done,
        "rss_growth_mib_per_h": round(max((g.mib_per_h for g in growth.values()), default=0.0), 3),
        "fd_growth": round(max((g.fds for g in growth.values()), default=0.0), 1),
        "leaking": [name for name, one in growth.items() if one.leaks] + disk.leaking(),
        "restarts": watch.restarts,
        "live_messages": docket.watched,
        "refused": dict(docket.refused.most_common(5)),
        "played_mib": round(docket.played_bytes / 2**20, 1),
        **disk.figures(),
        "processes": watch.figures(warm_s),
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }


async def _last_is_there(stack: Stack) -> None:
    """Return when each room's transcriber has begun: it stands behind all else, and what it opens at its start is no
    growth. `TimeoutError` when it does not."""
    async with asyncio.timeout(START_S):
        for room in stack.rooms:
            async for _ in FeedClient(RoomPaths(room.data).feed("transcriber"), ["status"]).messages():
                break


def _processes(stack: Stack) -> dict[str, psutil.Process]:
    """Each service, and the recorder's workers; what else a service starts is counted with it."""
    found: dict[str, psutil.Process] = {}
    for child in stack.processes.children:
        with contextlib.suppress(psutil.Error):
            if child.pid is not None:
                found[child.name] = process = psutil.Process(child.pid)
                if child.name.endswith(".recorder"):
                    for worker in process.children():
                        found[f"{child.name}/{_worker(worker)}"] = worker
    return found


def _worker(process: psutil.Process) -> str:
    """What a worker is: its module, and the device that its options (JSON) name."""
    words = process.cmdline()
    module = next((word.rpartition(".")[2] for word in words if word.startswith("hardware.workers.")), process.name())
    options = next((word for word in words if word.startswith("{")), "{}")
    device = json.loads(options).get("id")
    return f"{module}-{device}" if device else module
