"""`wutong bench live`: from a camera's frame to the pixels of an inspector's screen, through every real part.

A broker, the center and one room are started as the demo starts them; the bundled hearing is conducted, so the room
transcribes meanwhile. Headless Chromium opens the room's page as an inspector. `live.js` reads the time code from the
pixels of the displayed picture, so no program's opinion about its own delay is in the figures: capture and display are
told by the same machine's clock. The first three seconds after the first picture are counted like all others. What the
stages of the way took is the page's own word, as its chip shows it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import time
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from rich.console import Console
from rich.progress import track

from hardware.simulation.scenario import BUNDLED_HEARING, Scenario
from sync.errors import WutongError
from sync.room.paths import RoomPaths
from wutong.bench.browser import chromium, sign_in, unwarned_context
from wutong.bench.live.stages import RoomStages
from wutong.demo.clerk import Clerk
from wutong.demo.stack import Stack, start_stack

if TYPE_CHECKING:
    from playwright.async_api import Page

_SCRIPT = Path(__file__).with_name("live.js")
_CAMERA = "bench"
WARM_UP_S = 12
"""The hearing runs for so long before the page is opened: the speech model is busy by then."""


def machine() -> str:
    """This machine in a few words."""
    memory = psutil.virtual_memory().total / 1024**3
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


class LivePath(StrEnum):
    """The ways from coded to displayed that a page can take."""

    WEBCODECS = "webcodecs"
    MSE = "mse"


_WITHOUT_DECODERS = "delete window.VideoDecoder"
"""What a browser looks like that has none, or a page that came over plain http from another machine."""
_STAGES = """() => Object.fromEntries([...document.querySelectorAll('[data-stage]')].map((row) =>
    [row.dataset.stage, [...row.querySelectorAll('td.num')].map((cell) => Number(cell.textContent))]))"""


async def measure(
    data: Path,
    seconds: float,
    port_base: int,
    console: Console,
    *,
    tls: bool = False,
    path: LivePath = LivePath.WEBCODECS,
) -> dict[str, Any]:
    """Run the whole and return the figures; `data` is a folder that may be filled."""
    scenario = Scenario.load(BUNDLED_HEARING)
    console.print("starting broker, center and room …")
    stack = await start_stack(data, BUNDLED_HEARING, port_base=port_base, tls=tls)
    watching = asyncio.create_task(stack.processes.watch())
    room = stack.rooms[0]
    conducting: asyncio.Task[None] | None = None
    try:
        async with Clerk(stack.panel_url(room), stack.trusted()) as clerk:
            await clerk.sign_in(stack.clerk_code(room))
            while (await clerk.state())["transcriber"].get("state") != "ready":
                await asyncio.sleep(0.2)
            await clerk.self_test()  # before the hearing, not in what is measured
            conducting = asyncio.create_task(clerk.conduct(scenario, BUNDLED_HEARING, RoomPaths(room.data).stage))
            await asyncio.sleep(WARM_UP_S)
            return await _watch(stack, seconds, console, path)
    finally:
        for task in (watching, conducting):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, WutongError):
                    await task
        await stack.processes.stop()


async def _watch(stack: Stack, seconds: float, console: Console, path: LivePath) -> dict[str, Any]:
    room, in_room = stack.rooms[0], RoomStages()
    listening = asyncio.create_task(in_room.listen(room.data, _CAMERA))
    try:
        raw, busy, in_page = await _seen(stack, room.address, seconds, console, path)
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    found = {"path": str(path), **figures(raw, seconds, busy)}
    return found | {"room_stages_ms": in_room.figures(), "stages_ms_p50_p95_max": in_page}


async def _seen(
    stack: Stack, address: str, seconds: float, console: Console, path: LivePath
) -> tuple[dict[str, Any], float, dict[str, list[int]]]:
    """What the page saw, how many cores were busy meanwhile, and what the page says of each stage."""
    async with chromium() as browser:
        context = await unwarned_context(browser)
        page = await context.new_page()
        await sign_in(page, f"{stack.center_url}/inspect", stack.inspector_code())
        if path is LivePath.MSE:
            await page.add_init_script(_WITHOUT_DECODERS)
        await page.add_init_script(live_script(address))
        before, started = _cpu_s(stack), time.monotonic()
        await page.goto(f"{stack.center_url}/inspect#/room/{address}")
        for _ in track(range(int(seconds)), "watching the room", console=console, transient=True):
            await asyncio.sleep(1)
        raw = await page.evaluate("window.__wutong_live")
        busy = (_cpu_s(stack) - before) / (time.monotonic() - started)
        if raw["path"] and raw["path"] != path:
            raise WutongError(f"this browser took the path {raw['path']}, not {path}; it lacks what {path} needs")
        return raw, busy, await _stages(page)


async def _stages(page: Page) -> dict[str, list[int]]:
    """What the page says of each stage, by its name: median, 95 of 100, most; milliseconds."""
    await page.locator("details.chip summary").click()
    await page.locator("[data-stage]").first.wait_for()
    found: dict[str, list[int]] = await page.evaluate(_STAGES)
    return found


def live_script(address: str) -> str:
    """What runs in the page of the room `court/room` and leaves what it saw in `window.__wutong_live`."""
    return _SCRIPT.read_text(encoding="utf-8").replace("__TRACK__", f"{address}/{_CAMERA}")


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
