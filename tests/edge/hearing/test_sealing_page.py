"""封存此段 on the panel, in a real browser before a real room: two touches seal, one ends; the wall says so."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.rooms.edge_room import Room
from wutong.bench.browser import ARGUMENTS, find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(300)]
PATIENCE_MS = 60_000


@pytest_asyncio.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        expect.set_options(timeout=PATIENCE_MS)
        yield browser
        await browser.close()


async def looked_at(page: Page, name: str) -> None:
    """A picture for whoever asks (WUTONG_LOOK: a folder), and what axe says."""
    folder = os.environ.get("WUTONG_LOOK")
    if folder:
        await page.screenshot(path=str(Path(folder) / f"panel-{name}.png"))
    found = await Axe().run(page)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
async def test_two_touches_seal_what_comes_and_one_ends_it(
    room: Room, chromium: Browser, width: int, height: int
) -> None:
    await room.open()
    context = await chromium.new_context(viewport={"width": width, "height": height}, has_touch=True, locale="zh-CN")
    cookies = [{"name": name, "value": value, "url": room.base} for name, value in room.clerk.cookies.items()]
    await context.add_cookies(cookies)  # type: ignore[arg-type]  # a TypedDict of the same keys
    page = await context.new_page()
    await page.goto(f"{room.base}/panel")
    wall = await context.new_page()
    await wall.goto(f"{room.base}/display?token={room.token}")
    await page.get_by_role("button", name="封存此段").click()
    sheet = page.get_by_role("group", name="封存哪一段？")
    await expect(sheet).to_be_visible()
    await looked_at(page, f"ask-{width}")
    await sheet.get_by_role("button", name="从现在起").click()
    ending = page.get_by_role("button", name="结束封存")
    await expect(ending).to_be_visible()
    await expect(wall.get_by_role("heading", name="此段已封存")).to_be_visible()
    await looked_at(page, f"on-{width}")
    await looked_at(wall, f"wall-{width}")
    await ending.click()
    await expect(page.get_by_role("button", name="封存此段")).to_be_visible()
    await expect(wall.get_by_role("heading", name="此段已封存")).to_have_count(0)
    parts = (await room.state())["hearing"]["sealed_parts"]
    assert [part["reason"] for part in parts] == ["涉及个人隐私"]
    assert parts[0]["to_ms"] is not None
