"""The pages of administration in a real browser before a real center with 10,000 people and 1,000 rooms."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.browsers.looks import looked_at
from tests.support.paths import IMAGES
from tests.support.peers.administrator import signed_in
from tests.support.peers.center_peers import Served
from wutong.bench.admin.large_court import fill

pytestmark = pytest.mark.browser
PATIENCE_MS = 60_000
SECTIONS = {
    "fleet?q=少年": ("运行状况", "Health"),
    "people?q=欧阳": ("人员", "People"),
    "acts": ("两人办理", "Acts of two"),
    "rooms?q=少年": ("法庭", "Courtrooms"),
    "devices": ("设备与证书", "Devices"),
    "courts?q=牡丹江": ("法院", "Courts"),
    "reports?court=city2-0": ("统计", "Reports"),
}
"""Where each is looked at: with few rows, since axe reads each of them."""


async def opened(chromium: Browser, served: Served, post: str) -> Page:
    """A browser in which somebody with this post is signed in."""
    context = await chromium.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    cookie = (await signed_in(served.center, post, courts=()))["Cookie"]
    name, _, value = cookie.partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": served.url}])
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    return page


async def tab_to(page: Page, words: str) -> None:
    """Go on by the tabulator until what has the focus says this."""
    focused = "document.activeElement.textContent.trim()"
    for _ in range(60):
        if await page.evaluate(focused) == words:
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"no way to {words!r} by the keyboard")


async def choose_court(page: Page, words: str) -> None:
    """In the field that has the focus."""
    await page.keyboard.type(words)
    await expect(page.locator("dialog [role=option]").first).to_contain_text(words)
    await page.keyboard.press("Enter")


async def test_a_province_is_administered_by_keyboard_and_every_page_is_accessible(
    served: Served, chromium: Browser
) -> None:
    await fill(served.center, 10_000, 1_000)
    page = await opened(chromium, served, "administrator@hlj")
    await page.goto(f"{served.url}/admin")
    await expect(page.get_by_role("heading", name="运行状况", exact=True)).to_be_visible()

    # Somebody new, without a pointer.
    await page.goto(f"{served.url}/admin#/people")
    await expect(page.locator("tbody tr")).to_have_count(50)
    await expect(page.locator(".pager")).to_contain_text("10,001")
    if os.environ.get("WUTONG_SCREENSHOTS") == "1":
        await page.screenshot(path=str(Path(IMAGES) / "admin-people.png"))
    await tab_to(page, "添加人员")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.type("欧阳明")
    await page.keyboard.press("Tab")
    await page.keyboard.type("OuyangMing")
    await page.keyboard.press("Tab")
    await choose_court(page, "牡丹江市尖山")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="欧阳明", exact=True)).to_be_visible()
    await expect(page.locator("dl")).to_contain_text("ouyangming")
    await tab_to(page, "生成启用码")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("sign-up-code")).to_be_visible()
    await expect(page.get_by_text("前有效")).to_have_text(re.compile(r"^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d 前有效$"))
    await looked_at(page, "admin-person")

    # A room, without a pointer.
    await page.goto(f"{served.url}/admin#/rooms")
    await tab_to(page, "添加法庭")
    await page.keyboard.press("Enter")
    await choose_court(page, "牡丹江市尖山")
    await page.keyboard.press("Tab")
    await page.keyboard.type("少年法庭")
    await page.keyboard.press("Tab")
    await page.keyboard.type("c99")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("room-code")).to_be_visible()
    await looked_at(page, "admin-room-code")

    for language, name in enumerate(("zh", "en")):
        await page.evaluate(f"localStorage.setItem('wutong.lang', '{name}')")
        await page.reload()
        for section, words in SECTIONS.items():
            await page.goto(f"{served.url}/admin#/{section}")
            await expect(page.get_by_role("heading", name=words[language], exact=True)).to_be_visible()
            await expect(page.locator("[aria-busy=true]")).to_have_count(0)
            await looked_at(page, f"admin-{section.partition('?')[0]}-{name}")
    await page.context.close()


async def test_an_auditor_reads_who_did_what_and_nothing_else(served: Served, chromium: Browser) -> None:
    await fill(served.center, 3, 1)
    manages = await opened(chromium, served, "administrator@hlj")
    await manages.goto(f"{served.url}/admin#/people/{0:016x}")
    await manages.get_by_role("button", name="锁定").click()
    await manages.get_by_role("dialog").get_by_role("button", name="锁定").click()
    await expect(manages.get_by_text("已锁定").first).to_be_visible()
    await manages.context.close()
    audits = await opened(chromium, served, "auditor@hlj")
    await audits.goto(f"{served.url}/admin#/people")
    await expect(audits.get_by_role("heading", name="审计日志", exact=True)).to_be_visible()
    await expect(audits.get_by_role("navigation", name="主导航").get_by_role("link")).to_have_count(1)
    line = audits.locator("tbody tr", has_text="锁定人员")
    await expect(line).to_contain_text("管理员")
    await expect(line).to_contain_text("准许")
    await looked_at(audits, "admin-audit")
    await audits.context.close()
