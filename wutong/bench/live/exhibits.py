"""`wutong bench exhibits`: how soon the courtroom's display and an inspector see what the clerk presents.

Broker, center and one room run as in the demo, the hearing is going on and is transcribed. Headless Chromium shows the
room's display and the inspector's room page. Through the panel's API each of several exhibits is presented for the
first time (a scan, a picture, a long document, a photograph, the screenshot of a long chat); then pages are turned,
zoomed, and exhibits put in each other's place. Measured is the time from before the request until each page has drawn
that page at that zoom, as its own document says (`data-drawn`, `data-zoom`, at the next frame after both are right).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from fpdf import FPDF
from PIL import Image, ImageDraw
from rich.console import Console
from rich.progress import track

from hardware.simulation.cue import Play, announce
from hardware.simulation.scenario import BUNDLED_HEARING, Scenario
from sync.room.paths import RoomPaths
from wutong.bench.browser import chromium, inspector_context, sign_in
from wutong.bench.live.measure import machine
from wutong.demo.clerk import Clerk
from wutong.demo.stack import Stack, start_stack

if TYPE_CHECKING:
    from playwright.async_api import Page

_FILES = ("iou.pdf", "transfer-slip.png")
# One cycle: the two pages of the PDF, a closer look, and the picture. (file, page, zoom)
_CYCLE = ((0, 1, 1.0), (0, 2, 1.0), (0, 2, 2.0), (1, 1, 1.0))
_LONG_PAGES = 60
_CHAT = (1080, 24_000)
_PHOTO = (4000, 3000)
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


async def measure(data: Path, cycles: int, port_base: int, console: Console, *, tls: bool = False) -> dict[str, Any]:
    """Run the whole and return the figures; `data` is a folder that may be filled."""
    console.print("starting broker, center and room …")
    stack = await start_stack(data, BUNDLED_HEARING, port_base=port_base, tls=tls)
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
    async with Clerk(stack.panel_url(room), stack.trusted()) as clerk, chromium(stack.addresses()) as browser:
        await clerk.sign_in(stack.clerk_code(room))
        await clerk.open(scenario.case)
        announce(RoomPaths(room.data).stage, Play(time.monotonic_ns(), BUNDLED_HEARING))
        files = [*(BUNDLED_HEARING / name for name in _FILES), *await asyncio.to_thread(_made, room.data.parent)]
        added = [await clerk.add_exhibit(file, file.name) for file in files]
        display = await (await inspector_context(browser)).new_page()
        await display.goto(stack.display_url(room))
        context = await inspector_context(browser)
        inspector = await context.new_page()
        await sign_in(inspector, f"{stack.center_url}/inspect", stack.inspector_code())
        await inspector.goto(f"{stack.center_url}/inspect#/room/{room.address}")
        await inspector.wait_for_selector("video")
        await asyncio.sleep(5)  # exhibits reach the center, the speech model is at work
        delays: dict[str, list[float]] = {"display": [], "inspector": []}
        first: dict[str, dict[str, float]] = {name: {} for name in delays}

        async def present(exhibit: dict[str, Any], page: int, zoom: float) -> dict[str, float]:
            wanted = [f"{exhibit['sha256']}:{page}", zoom]
            started_ms = time.time() * 1000
            seen = asyncio.gather(_seen(display, wanted), _seen(inspector, wanted))
            await clerk.show(str(exhibit["id"]), page, zoom, 0.5, 0.0)
            return {name: at_ms - started_ms for name, at_ms in zip(delays, await seen, strict=True)}

        for exhibit, file in zip(added, files, strict=True):
            for name, delay_ms in (await present(exhibit, 1, 1.0)).items():
                first[name][file.name] = round(delay_ms, 1)
            await asyncio.sleep(1)
        for step in track(range(cycles * len(_CYCLE)), "presenting", console=console, transient=True):
            place, page, zoom = _CYCLE[step % len(_CYCLE)]
            for name, delay_ms in (await present(added[place], page, zoom)).items():
                delays[name].append(delay_ms)
        await clerk.close()
    return {
        **{
            f"present_to_{name}_ms_{label}": round(float(np.percentile(values, share)), 1)
            for name, values in delays.items()
            for label, share in (("p50", 50), ("p95", 95), ("max", 100))
        },
        **{f"first_page_to_{name}_ms": values for name, values in first.items()},
        **{f"first_page_to_{name}_ms_max": max(values.values()) for name, values in first.items()},
        "presentations": cycles * len(_CYCLE),
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }


def _made(folder: Path) -> list[Path]:
    """A long document, a photograph and the screenshot of a long chat, written into `folder`."""
    paths = [folder / "ledger.pdf", folder / "photo.jpg", folder / "chat.png"]
    document = FPDF(unit="pt", format=(595, 842))
    document.set_font("Helvetica", size=10)
    for page in range(1, _LONG_PAGES + 1):
        document.add_page()
        for line in range(60):
            document.text(40, 40 + 13 * line, f"page {page} line {line}  " + "2026-11-29  30,000.00  " * 4)
    document.output(str(paths[0]))
    noise = np.random.default_rng(1).integers(0, 255, (_PHOTO[1] // 20, _PHOTO[0] // 20, 3), np.uint8)
    Image.fromarray(noise).resize(_PHOTO, Image.Resampling.BICUBIC).save(paths[1], quality=90)
    chat = Image.new("RGB", _CHAT, "#ededed")
    draw = ImageDraw.Draw(chat)
    for number in range(_CHAT[1] // 240):
        left = 60 if number % 2 else 320
        draw.rounded_rectangle((left, number * 240 + 40, left + 700, number * 240 + 200), 20, fill="white")
        draw.text((left + 30, number * 240 + 80), f"message {number}", fill="black", font_size=48)
    chat.save(paths[2])
    return paths


async def _seen(page: Page, wanted: list[object]) -> float:
    return float(await page.evaluate(_SEEN, wanted))
