"""`wutong bench live`: from a camera's frame to the pixels of a screen, through every real part.

A broker, the center and one room are started as the demo starts them; the bundled hearing is conducted again and
again, so the room transcribes meanwhile. Headless Chromium opens the room's page as an inspector, or the panel as the
clerk, over this machine's own line or a poor one. `live.js` reads the time code from the pixels of the displayed
picture, so no program's opinion about its own delay is in the figures: capture and display are told by the same
machine's clock. The first three seconds after the first picture are counted like all others. What the stages of the way
took is the page's own word, as its chip shows it. A stall is a picture that stands for more than 300 ms (four pictures
of a slower camera), or a media element that waits; a second without a new picture on the screen counts once more,
whatever the page says.

Afterwards the page is not looked at for a while, and is opened a few times anew. Its first picture, opened once the
hearing has begun, is from the moment at which the page is asked for; `first_picture_steps_ms` says what lies between.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import structlog
from rich.console import Console
from rich.progress import track

from hardware.simulation.scenario import BUNDLED_HEARING, Scenario
from sync.errors import CenterError, WutongError
from sync.room.paths import RoomPaths
from wutong.bench.browser import chromium, inspector_context
from wutong.bench.live.stages import RoomStages
from wutong.bench.live.stretches import LiveStretch, LiveStretches, held_mib
from wutong.bench.live.viewed import CAMERA, Viewed, viewed_by
from wutong.demo.clerk import Clerk
from wutong.demo.stack import Stack, start_stack

log = structlog.get_logger(__name__)

WARM_UP_S = 12
"""The hearing runs for so long before the page is opened: the speech model is busy by then."""


def machine() -> str:
    """This machine in a few words."""
    memory = psutil.virtual_memory().total / 1024**3
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


async def measure(
    data: Path,
    seconds: float,
    port_base: int,
    console: Console,
    *,
    tls: bool = False,
    viewed: Viewed | None = None,
) -> dict[str, Any]:
    """Run the whole and return the figures; `data` is a folder that may be filled."""
    console.print("starting broker, center and room …")
    stack = await start_stack(data, BUNDLED_HEARING, port_base=port_base, tls=tls)
    watching = asyncio.create_task(stack.processes.watch())
    room = stack.rooms[0]
    conducting: asyncio.Task[None] | None = None
    try:
        async with Clerk(stack.panel_url(room), stack.trusted()) as clerk:
            await clerk.sign_in(stack.clerk_code(room))
            await clerk.words_ready()
            await clerk.self_test()  # before the hearing, not in what is measured
            conducting = asyncio.create_task(_hearings(clerk, RoomPaths(room.data).stage))
            await asyncio.sleep(WARM_UP_S)
            return await _watch(stack, seconds, console, viewed or Viewed())
    finally:
        for task in (watching, conducting):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, WutongError):
                    await task
        await stack.processes.stop()


async def _hearings(clerk: Clerk, stage: Path) -> None:
    """The bundled hearing, and when it is over the same again: the room transcribes as long as is measured."""
    scenario = Scenario.load(BUNDLED_HEARING)
    while True:
        try:
            await clerk.conduct(scenario, BUNDLED_HEARING, stage)
        except CenterError as error:  # it is busy with what the last one left, or something went wrong in the middle
            log.warning("hearing_broken_off", why=error.message)
            await asyncio.sleep(1)
            hearing = (await clerk.state())["hearing"]
            if hearing is not None and hearing["state"] != "closed":
                await clerk.close()


async def _watch(stack: Stack, seconds: float, console: Console, viewed: Viewed) -> dict[str, Any]:
    in_room = RoomStages()
    listening = asyncio.create_task(in_room.listen(stack.rooms[0].data, CAMERA))
    try:
        found = await _seen(stack, seconds, console, viewed)
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    way = {"page": str(viewed.page), "path": str(viewed.path), "network": str(viewed.line)}
    return {**way, **found, "room_stages_ms": in_room.figures()}


async def _seen(stack: Stack, seconds: float, console: Console, viewed: Viewed) -> dict[str, Any]:
    """What a page saw, and how many cores were busy meanwhile; then what else is done with the page."""
    stretches = LiveStretches(seconds)
    samples: list[list[float]] = []
    stalled: list[float] = []
    async with chromium(stack.addresses()) as browser:
        page = await (await inspector_context(browser)).new_page()
        async with viewed_by(page, stack, viewed) as view:
            before, started = _cpu_s(stack), time.monotonic()
            await view.open()
            while (to_s := min(seconds, (len(stretches.all) + 1) * stretches.each_s)) > stretches.to_s:
                for _ in track(range(round(to_s - stretches.to_s)), "watching", console=console, transient=True):
                    await asyncio.sleep(1)
                raw = await view.so_far()
                samples += raw["samples"]
                stalled += raw["stalled_ms"]
                delays = [delay for _, delay in raw["samples"]]
                stretches.add(LiveStretch(to_s, delays, len(raw["stalled_ms"]), held_mib(stack)))
            busy = (_cpu_s(stack) - before) / (time.monotonic() - started)
            found = figures({**raw, "samples": samples}, seconds, busy)
            found |= {"stalled_at_s": [round(ms / 1000, 1) for ms in stalled], "first_picture_steps_ms": steps(raw)}
            found |= {"stages_ms_p50_p95_max": await view.stages(), "hidden_tab": await view.looked_away()}
            found |= {"first_picture_ms_again": await view.opened_again(), **stretches.figures()}
    return found


def steps(raw: dict[str, Any]) -> dict[str, int]:
    """When what lies before the first picture was reached, in that order, from the moment at which the page was asked
    for; milliseconds."""
    return {name: round(ms) for name, ms in sorted(raw["steps"].items(), key=lambda one: one[1])}


def figures(raw: dict[str, Any], seconds: float, cpu_cores: float) -> dict[str, Any]:
    """The published figures from what `live.js` saw."""
    delays = np.array([delay for _, delay in raw["samples"]], dtype=np.float64)
    if raw["first_ms"] is None or delays.size == 0:
        raise WutongError("no picture reached the browser; look at the rooms and the center with `wutong demo`")
    return {
        "capture_to_display_ms_p50": round(float(np.percentile(delays, 50)), 1),
        "capture_to_display_ms_p95": round(float(np.percentile(delays, 95)), 1),
        "capture_to_display_ms_max": round(float(delays.max()), 1),
        "first_picture_ms": round(float(raw["first_ms"]), 1),
        "stalls": int(raw["stalls"] + raw["frozen"]),
        "frames": int(raw["frames"]),
        "frames_read": int(delays.size),
        "frames_unreadable": int(raw["unreadable"]),
        "cpu_cores_mean": round(cpu_cores, 2),
        "seconds": seconds,
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }


def _cpu_s(stack: Stack) -> float:
    """Processor seconds that broker, center and room have used so far, encoders included (not the browser)."""
    total = 0.0
    for child in stack.processes.children:
        if child.pid is None:
            continue
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(child.pid)
            for one in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = one.cpu_times()
                    total += times.user + times.system
    return total
