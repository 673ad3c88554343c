"""`wutong bench exhibits`: how soon the courtroom's display and an inspector see what the clerk presents.

Broker, center and one room run as in the demo, the hearing is going on and is transcribed. Headless Chromium shows the
room's display and the inspector's room page. Through the panel's API an exhibit is presented, its page turned, zoomed,
and another put in its place. Measured is the time from before the request until each page has drawn that page at that
zoom, as its own document says (`data-drawn`, `data-zoom`, at the next frame after both are right).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.progress import track

from hardware.simulation.cue import Play, announce
from hardware.simulation.scenario import BUNDLED_HEARING, Scenario
from sync.room.paths import RoomPaths
from wutong.bench.browser import chromium, sign_in
from wutong.bench.live.measure import machine
from wutong.demo.clerk import Clerk
from wutong.demo.stack import Stack, start_stack

if TYPE_CHECKING:
    from playwright.async_api import Page

_FILES = ("iou.pdf", "transfer-slip.png")
# One cycle: the two pages of the PDF, a closer look, and the picture. (file, page, zoom)
_CYCLE = ((0, 1, 1.0), (0, 2, 1.0), (0, 2, 2.0), (1, 1, 1.0))
_SEEN = """([drawn, zoom]) => new Promise((resolve, reject) => {
  const seen = () => [...document.querySelectorAll("[data-drawn]")].some(
    view => view.dataset.drawn === drawn && Number(view.dataset.zoom) === zoom && view.clientWidth > 300);
  const deadline = Date.now() + 15000;
  const look = () => {
    if (seen()) resolve(Date.now());
    else if (Date.now() > deadline) reject(new Error("the page did not show it within 15 s"));
    else requestAnimationFrame(look);
  };
  look();
})"""


async def measure(data: Path, cycles: int, port_base: int, console: Console) -> dict[str, Any]:
    """Run the whole and return the figures; `data` is a folder that may be filled."""
    console.print("starting broker, center and room …")
    stack = await start_stack(data, BUNDLED_HEARING, port_base=port_base)
    watching = asyncio.create_task(stack.processes.watch())
    try:
        return await _present(stack, cycles, console)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await stack.processes.stop()


async def _present(stack: Stack, cycles: int, console: Console) -> dict[str, Any]:
    room = stack.rooms[0]
    scenario = Scenario.load(BUNDLED_HEARING)
    async with Clerk(stack.panel_url(room)) as clerk, chromium() as browser:
        await clerk.sign_in(stack.clerk_code(room))
        await clerk.open(scenario.case)
        announce(RoomPaths(room.data).stage, Play(time.monotonic_ns(), BUNDLED_HEARING))
        added = [await clerk.add_exhibit(BUNDLED_HEARING / name, name) for name in _FILES]
        display = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await display.goto(stack.display_url(room))
        context = await browser.new_context(viewport={"width": 1920, "height": 1080})
        inspector = await context.new_page()
        await sign_in(inspector, f"{stack.center_url}/inspect", stack.inspector_code())
        await inspector.goto(f"{stack.center_url}/inspect#/room/{room.address}")
        await inspector.wait_for_selector("video")
        await asyncio.sleep(5)  # exhibits reach the center, the speech model is at work
        delays: dict[str, list[float]] = {"display": [], "inspector": []}
        for step in track(range(cycles * len(_CYCLE)), "presenting", console=console, transient=True):
            file, page, zoom = _CYCLE[step % len(_CYCLE)]
            exhibit = added[file]
            wanted = [f"{exhibit['sha256']}:{page}", zoom]
            started_ms = time.time() * 1000
            seen = asyncio.gather(_seen(display, wanted), _seen(inspector, wanted))
            await clerk.show(str(exhibit["id"]), page, zoom, 0.5, 0.5)
            for name, at_ms in zip(delays, await seen, strict=True):
                delays[name].append(at_ms - started_ms)
        await clerk.close()
    return {
        **{
            f"present_to_{name}_ms_{label}": round(float(np.percentile(values, share)), 1)
            for name, values in delays.items()
            for label, share in (("p50", 50), ("p95", 95), ("max", 100))
        },
        "presentations": cycles * len(_CYCLE),
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }


async def _seen(page: Page, wanted: list[object]) -> float:
    return float(await page.evaluate(_SEEN, wanted))
