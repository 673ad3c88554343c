"""`wutong bench live --tiles`: what a wall of live tiles costs, what it loses, and how soon a room opens from it.

A broker, the center and some rooms are started as the demo starts them; each room has one camera of 1280×720, and none
transcribes: what is measured is the wall. Headless Chromium opens the product's own wall, which is told of each room
several times (`tiles.js`), so that a few rooms fill it: each tile is decoded and painted by itself, while room, broker,
center and line carry each picture once. Rooms, center and browser share the machine.

A picture is dropped when it came and was not painted, or was lost on the way to the page (a gap in its track's
numbers). The delay is read from the pixels of the tiles, by turns, as `wutong bench live` reads it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from rich.console import Console
from rich.progress import track

from hardware.simulation.scenario import BUNDLED_HEARING
from sync.errors import WutongError
from wutong.bench.browser import chromium, inspector_context, sign_in
from wutong.bench.live.measure import machine
from wutong.demo.stack import Stack, start_stack

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

_SCRIPTS = [Path(__file__).with_name(name) for name in ("timecode.js", "tiles.js")]
_MOVING = """(most) => [...document.querySelectorAll('.tile canvas[data-live]')]
    .filter((canvas) => Number(canvas.dataset.frames) > 1).length >= most"""
_HIGH = 1440
"""Of the window: four rows of five tiles are to be seen."""
BEGUN_S = 60
SETTLED_S = 5
"""What happens so soon after the last tile has begun is the beginning's."""
OPENINGS = 5
EDGE = 4
"""Looks at the beginning and at the end of which the least counts: a picture or two are always on their way."""

Look = Sequence[float]
"""(ms, pictures that came, were decoded, were painted, stalls) of a tile so far."""


async def measure(
    data: Path, seconds: float, port_base: int, console: Console, *, rooms: int, tiles: int, tls: bool = False
) -> dict[str, Any]:
    """Run the whole and return the figures; `data` is a folder that may be filled."""
    console.print(f"starting broker, center and {rooms} rooms …")
    stack = await start_stack(data, BUNDLED_HEARING, rooms=rooms, port_base=port_base, tls=tls, words=False, cameras=1)
    watching = asyncio.create_task(stack.processes.watch())
    try:
        async with chromium(stack.addresses()) as browser:
            return await _wall(browser, stack, seconds, console, tiles)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError, WutongError):
            await watching
        await stack.processes.stop()


async def _wall(browser: Browser, stack: Stack, seconds: float, console: Console, tiles: int) -> dict[str, Any]:
    context = await inspector_context(browser)
    page = await context.new_page()
    await page.set_viewport_size({"width": 1920, "height": _HIGH})
    await sign_in(page, f"{stack.center_url}/inspect", stack.inspector_code())
    await page.add_init_script(tiles_script(-(-tiles // len(stack.rooms))))
    await page.goto(f"{stack.center_url}/inspect#/")
    await _begun(page, tiles)
    await asyncio.sleep(SETTLED_S)
    await page.evaluate("window.__wutong_begin()")
    parts = {"browser": _browser, "rooms": _named(stack, "room-"), "center": _named(stack, "center", "mosquitto")}
    before = {name: cpu_s(processes()) for name, processes in parts.items()}
    started = time.monotonic()
    for _ in track(range(int(seconds)), "watching the wall", console=console, transient=True):
        await asyncio.sleep(1)
    passed_s = time.monotonic() - started
    cores = {name: (cpu_s(processes()) - before[name]) / passed_s for name, processes in parts.items()}
    raw = await page.evaluate("window.__wutong_tiles")
    opened_ms = await _opened(page, stack, tiles)
    return figures({**raw, "opened_ms": opened_ms}, passed_s, cores)


async def _begun(page: Page, tiles: int) -> None:
    try:
        await page.wait_for_function(_MOVING, arg=tiles, timeout=BEGUN_S * 1000)
    except Exception as error:
        raise WutongError(f"of the wall's tiles {tiles} did not move within {BEGUN_S} s") from error


async def _opened(page: Page, stack: Stack, tiles: int) -> list[float]:
    """Open a room from the wall several times, each time from a wall that moves."""
    for number in range(OPENINGS):
        address = stack.rooms[number % len(stack.rooms)].address
        await page.locator(f'[data-room="{address}"]').click()
        await page.wait_for_function("(count) => window.__wutong_tiles.opened_ms.length > count", arg=number)
        await page.evaluate("history.back()")
        await _begun(page, tiles)
    found: list[float] = await page.evaluate("window.__wutong_tiles.opened_ms")
    return found


def tiles_script(copies: int) -> str:
    """What runs in the page of the wall and leaves what it saw in `window.__wutong_tiles`."""
    reader, wall = (script.read_text(encoding="utf-8") for script in _SCRIPTS)
    return f"{{\n{reader}\n{wall.replace('__COPIES__', str(copies))}\n}}"


def figures(raw: dict[str, Any], seconds: float, cores: dict[str, float]) -> dict[str, Any]:
    """The published figures from what `tiles.js` saw."""
    tiles = [tile["looks"] for tile in raw["tiles"].values() if tile["looks"]]
    if not tiles or not raw["delays"]:
        raise WutongError("no tile moved; look at the rooms and the center with `wutong demo`")
    dropped = raw["lost"] + sum(unpainted(looks) for looks in tiles)
    painted = [looks[-1][3] - looks[0][3] for looks in tiles]
    opened = raw["opened_ms"]
    return {
        "tiles": len(tiles),
        "tile_size": "×".join(map(str, next(iter(raw["tiles"].values()))["size"])),
        "tile_pictures_per_s": round(sum(painted) / len(tiles) / seconds, 1),
        "dropped_per_min": round(dropped * 60 / seconds, 1),
        "dropped_per_tile_and_min": round(dropped * 60 / seconds / len(tiles), 2),
        "lost_before_the_page": raw["lost"],
        "stalls": int(sum(looks[-1][4] - looks[0][4] for looks in tiles)),
        "tile_lag_ms_p50": round(float(np.percentile(raw["delays"], 50)), 1),
        "tile_lag_ms_p95": round(float(np.percentile(raw["delays"], 95)), 1),
        "tile_lags_read": len(raw["delays"]),
        "room_opened_ms_p50": round(float(np.median(opened)), 1) if opened else None,
        "room_opened_ms_max": round(max(opened), 1) if opened else None,
        **{f"{name}_cores": round(used, 2) for name, used in cores.items()},
        "seconds": round(seconds, 1),
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }


def unpainted(looks: Sequence[Look]) -> int:
    """How many pictures of a tile came and were never painted; those that are on their way count for neither end."""
    behind = [came - painted for _, came, _, painted, _ in looks]
    return int(max(min(behind[-EDGE:]) - min(behind[:EDGE]), 0))


def _browser() -> Iterator[psutil.Process]:
    """All that this process started and that is a browser's."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "chrom" in process.name() or "headless" in process.name():
                yield process


def _named(stack: Stack, *begin: str) -> Callable[[], Iterator[psutil.Process]]:
    def processes() -> Iterator[psutil.Process]:
        for child in stack.processes.children:
            if child.name.startswith(begin) and child.pid is not None:
                with contextlib.suppress(psutil.Error):
                    process = psutil.Process(child.pid)
                    yield process
                    yield from process.children(recursive=True)

    return processes


def cpu_s(processes: Iterable[psutil.Process]) -> float:
    """Processor seconds that they have used so far, with what their children that are gone have used."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
