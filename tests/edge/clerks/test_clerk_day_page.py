"""A clerk's day in a real browser before a real room: sign in, PIN, lock, unlock, take-over, while it records."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from sync.room.event_log import RoomLog
from tests.support.browsers.looks import looked_at
from tests.support.peers.clerk_center import PASSWORD, ClerkCenter
from tests.support.ports import free_port
from tests.support.rooms.edge_room import Room

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(300)]
PATIENCE_MS = 60_000
SIZES = ((1280, 800), (1920, 1080))


@pytest_asyncio.fixture
async def court(tmp_path: Path, people: tuple[Path, str]) -> AsyncIterator[tuple[Room, ClerkCenter]]:
    center = ClerkCenter(port=free_port(), totp="135790")
    room = Room(tmp_path, *people, more=f'[center]\nurl = "http://127.0.0.1:{center.port}"\n')
    center.enroll(room.layout)
    async with center.running(), room:
        yield room, center


async def shown(page: Page, name: str) -> None:
    """Looked at in both sizes; axe finds nothing, and nothing is too small for a finger."""
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        await looked_at(page, f"{name}-{width}")
        small = await page.evaluate(
            """() => [...document.querySelectorAll('button, input')]
                .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
                .map((one) => one.outerHTML)"""
        )
        assert small == [], name


async def fill_in(page: Page, login: str) -> None:
    """The full sign-in, by keyboard alone."""
    await page.get_by_label("帐号", exact=True).fill(login)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.get_by_label("验证码").fill("135790")
    await page.keyboard.press("Enter")


async def test_a_day_of_two_clerks_while_a_hearing_is_recorded_without_a_gap(
    court: tuple[Room, ClerkCenter], chromium: Browser
) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    room, _ = court
    await room.open()
    await room.clerk.post("/api/marks", json={"kind": "重要", "text": "只有书记员可见"})
    context = await chromium.new_context(viewport={"width": 1280, "height": 800}, has_touch=True, locale="zh-CN")
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(f"{room.base}/panel")
    await expect(page.get_by_text("由谁接手？")).to_be_visible()
    await shown(page, "clerk-entry")
    await page.get_by_role("button", name="另一位书记员接手").click()
    await fill_in(page, "lin")

    account = page.get_by_role("dialog", name="我的登录")
    await expect(account).to_be_visible()
    await shown(page, "clerk-set-pin")
    for _ in range(2):  # it is said twice
        pad = account.get_by_role("group")
        await pad.focus()
        await page.keyboard.type("4826")
        await account.get_by_role("button", name="确定").tap()
    await expect(account.get_by_role("button", name="更换 PIN")).to_be_visible()
    await shown(page, "clerk-account")
    await page.keyboard.press("Escape")

    recording = page.locator("[data-recording]")
    await expect(recording).to_have_attribute("data-recording", "recording")
    await page.get_by_role("button", name="锁定面板").click()
    await expect(page.get_by_role("heading", name="面板已锁定")).to_be_visible()
    await expect(recording).to_have_attribute("data-recording", "recording")
    assert "(2026)黑05民初123号" not in await page.inner_text("body")
    await shown(page, "clerk-locked")

    for digit in "4826":
        await page.get_by_role("button", name=digit, exact=True).tap()
    await page.get_by_role("button", name="进入", exact=True).tap()
    await page.get_by_role("button", name="休庭").click()  # what a running hearing needs is there at once
    await page.keyboard.press("Escape")

    await page.get_by_role("button", name="锁定面板").click()
    await page.get_by_role("button", name="另一位书记员接手").click()
    await fill_in(page, "zhou")
    await expect(page.get_by_role("dialog", name="我的登录").get_by_text("周书记")).to_be_visible()
    await page.get_by_role("button", name="以后再设").click()
    await page.locator("footer .marks button").first.click()
    await expect(page.locator(".marked")).not_to_be_empty()
    await context.close()

    state = await room.state()
    assert state["hearing"]["state"] == "open"
    assert state["recorder"]["tracks"][0]["kept"]
    with contextlib.closing(RoomLog(room.layout.log)) as log:
        events = log.since(0)
    assert [event.kind for event in events if event.kind in ("pause", "close", "gap")] == []
    marks = [event.body for event in events if event.kind == "mark"]
    assert [body.get("who", {}).get("name") for body in marks] == [None, "周书记"]
