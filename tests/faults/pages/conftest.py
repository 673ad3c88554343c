"""Inspectors' pages in a real Chromium, before a real center to which a room sends real pictures."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest
from playwright.async_api import Browser, Page, Route, async_playwright

from tests.support.browsers import hidden_tab
from tests.support.peers.center_fixtures import broker_port, room, served
from tests.support.peers.center_peers import RoomPeer, Served, fragmented_mp4
from tests.support.peers.live_camera import CameraPeer, noisy_mp4
from wutong.bench.browser import ARGUMENTS, find_chromium

__all__ = ["broker_port", "room", "served"]

PATIENCE_MS = 60_000
LIVE = "document.querySelector('[data-live]')"
WITHOUT = {"WebCodecs": "", "MSE": "delete window.VideoDecoder"}
"""What is taken from a page so that its pictures take this path."""


@pytest.fixture(params=list(WITHOUT))
def path(request: pytest.FixtureRequest) -> str:
    """Each of the paths from coded to displayed."""
    return str(request.param)


@pytest.fixture(scope="session")
def noise(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds of pictures at 3 Mbit/s."""
    return noisy_mp4(tmp_path_factory.mktemp("noise") / "noise.mp4")


@pytest.fixture(scope="session")
def long_noise(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Twelve seconds of them."""
    return noisy_mp4(tmp_path_factory.mktemp("noise") / "long.mp4", seconds=12)


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds of pictures that need little."""
    return fragmented_mp4(tmp_path_factory.mktemp("footage") / "footage.mp4")


@pytest.fixture(scope="session")
def one_key(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A minute of pictures that need little, with one key frame, each in a fragment of its own."""
    return noisy_mp4(tmp_path_factory.mktemp("key") / "key.mp4", seconds=60, rate="200k", key_s=60, fragment_ms=1)


@pytest.fixture
def camera(room: RoomPeer, noise: bytes) -> CameraPeer:
    return CameraPeer(room, noise)


@contextlib.asynccontextmanager
async def small_chromium(*arguments: str) -> AsyncIterator[Browser]:
    """A Chromium with further arguments, such as how much a SourceBuffer may hold."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=[*ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            await browser.close()


async def signed_in(
    browser: Browser,
    served: Served,
    address: str,
    *,
    path: str = "WebCodecs",
    url: str = "",
    width: int = 1280,
    height: int = 800,
    held: Mapping[str, Callable[[Route], Awaitable[None]]] | None = None,
) -> Page:
    """The page of an inspector; `address`: what comes after `#`, `path`: of its pictures, `url`: of the center, `held`:
    who answers what the page asks for."""
    url = url or served.url
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await hidden_tab.prepare(page)
    await page.add_init_script(WITHOUT[path])
    async with served.inspector() as http:
        cookies = [{"name": name, "value": value, "url": url} for name, value in http.cookies.items()]
    await context.add_cookies(cookies)  # type: ignore[arg-type]  # a TypedDict of the same keys
    for pattern, answer in (held or {}).items():
        await page.route(pattern, answer)
    await page.goto(f"{url}/inspect#{address}")
    return page


async def holds(page: Page, expression: str) -> None:
    """Wait until the expression is true; the page's policy lets no test wait inside of it."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not await page.evaluate(expression):
            await asyncio.sleep(0.05)


async def plays(page: Page, path: str = "") -> None:
    """Wait until the live picture goes on, and is of now as far as this machine allows; by `path` where one is said."""
    moved = f"Number({LIVE}?.dataset.shownMs) > {await shown_s(page) * 1000} + 300"
    await holds(page, f"{moved} && Number({LIVE}.dataset.lagMs || 1e9) < 3000")
    if path:
        tag = await page.evaluate(f"{LIVE}.tagName")
        assert tag == ("VIDEO" if path == "MSE" else "CANVAS"), f"the page did not take the path {path}"


async def shown_s(page: Page) -> float:
    """The room time of the live picture on the screen, seconds; 0 while there is none."""
    return float(await page.evaluate(f"Number({LIVE}?.dataset.shownMs || 0)")) / 1000


async def cursor_s(page: Page) -> float:
    return float(await page.evaluate("document.querySelector('video')?.currentTime ?? 0"))


async def buffered_s(page: Page) -> float:
    """How much is buffered, seconds."""
    return float(
        await page.evaluate(
            """(() => {
                const { buffered } = document.querySelector('video');
                let sum = 0;
                for (let i = 0; i < buffered.length; i += 1) sum += buffered.end(i) - buffered.start(i);
                return sum;
            })()"""
        )
    )
