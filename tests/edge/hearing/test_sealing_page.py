"""封存此段 on the panel, in a real browser before a real room: two touches seal, one ends; the wall says so."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.support.browsers.looks import looked_at
from tests.support.rooms.edge_room import Room

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(300)]
PATIENCE_MS = 60_000


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
async def test_two_touches_seal_what_comes_and_one_ends_it(
    room: Room, chromium: Browser, width: int, height: int
) -> None:
    expect.set_options(timeout=PATIENCE_MS)
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
    await looked_at(page, f"panel-ask-{width}")
    await sheet.get_by_role("button", name="从现在起").click()
    ending = page.get_by_role("button", name="结束封存")
    await expect(ending).to_be_visible()
    await expect(wall.get_by_role("heading", name="此段已封存")).to_be_visible()
    await looked_at(page, f"panel-on-{width}")
    await looked_at(wall, f"panel-wall-{width}")
    await ending.click()
    await expect(page.get_by_role("button", name="封存此段")).to_be_visible()
    await expect(wall.get_by_role("heading", name="此段已封存")).to_have_count(0)
    parts = (await room.state())["hearing"]["sealed_parts"]
    assert [part["reason"] for part in parts] == ["涉及个人隐私"]
    assert parts[0]["to_ms"] is not None
