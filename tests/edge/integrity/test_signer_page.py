"""The signer is away while a hearing runs: what the clerk sees, and that it is plain what goes on and whom to call."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, expect

from tests.support.browsers.looks import looked_at
from tests.support.rooms.edge_room import Room
from tests.support.rooms.signer_peer import signing

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(300)]
PATIENCE_MS = 60_000


async def test_the_panel_says_that_recording_goes_on_and_who_is_to_look_and_that_it_is_over(
    room: Room, chromium: Browser
) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    await room.open()
    await asyncio.to_thread(room._signer.close)
    await room.until_state(lambda state: any(alarm["code"] == "signer" for alarm in state["alarms"]))
    for locale, width, height, said, goes_on in (
        ("zh-CN", 1280, 800, "请通知管理员检查 wutong-signer", "录制不受影响"),
        ("en-US", 1920, 1080, "tell the administrator", "Recording is not affected"),
    ):
        context = await chromium.new_context(viewport={"width": width, "height": height}, locale=locale)
        cookies = [{"name": name, "value": value, "url": room.base} for name, value in room.clerk.cookies.items()]
        await context.add_cookies(cookies)  # type: ignore[arg-type]  # a TypedDict of the same keys
        page = await context.new_page()
        await page.goto(f"{room.base}/panel")
        if locale == "en-US":
            await page.get_by_role("button", name="切换到英文").click()
        alarm = page.get_by_role("alert").filter(has_text=said)
        await expect(alarm).to_be_visible()
        await expect(alarm).to_contain_text(goes_on)
        await looked_at(page, f"signer-{locale}-{width}")
        if width == 1920:
            room._signer.enter_context(await asyncio.to_thread(lambda: signing(room.layout, room.profile.address)))
            await expect(alarm).to_have_count(0)
            await looked_at(page, f"signer-{locale}-{width}-over")
        await context.close()
