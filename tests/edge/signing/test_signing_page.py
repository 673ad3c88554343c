"""Reading through and signing on the panel, in a real browser before a real room: touch, refuse, object, reload."""

from __future__ import annotations

import math
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright, expect

from tests.support.paths import IMAGES
from tests.support.rooms.edge_room import Room
from tests.support.rooms.signing_court import Court
from wutong.bench.browser import ARGUMENTS, find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(300)]
PATIENCE_MS = 60_000


@pytest_asyncio.fixture
async def page(room: Room) -> AsyncIterator[Page]:
    """The clerk's browser, signed in."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        context = await browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True, locale="zh-CN")
        cookies = [{"name": name, "value": value, "url": room.base} for name, value in room.clerk.cookies.items()]
        await context.add_cookies(cookies)  # type: ignore[arg-type]  # a TypedDict of the same keys
        made = await context.new_page()
        made.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        errors: list[str] = []
        made.on("pageerror", lambda error: errors.append(str(error)))
        yield made
        await browser.close()
        assert errors == []


async def picture(page: Page, name: str, folder: Path) -> None:
    """In docs/images with WUTONG_SCREENSHOTS=1, else among the test's own files."""
    kept = IMAGES if os.environ.get("WUTONG_SCREENSHOTS") == "1" else folder
    await page.screenshot(path=str(kept / f"{name}.png"))


async def assert_accessible(page: Page, where: str) -> None:
    """Axe finds nothing, and every button can be touched."""
    found = await Axe().run(page)
    assert found.violations_count == 0, f"{where}: {found.generate_report()}"
    small = await page.evaluate(
        """() => [...document.querySelectorAll('main button, dialog button, select, textarea')]
            .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
            .map((one) => one.textContent)"""
    )
    assert small == [], f"{where}: too small for a finger: {small}"


async def write_name(page: Page) -> None:
    """A hand on the pad."""
    box = await page.get_by_label("签名板").bounding_box()
    assert box is not None
    for stroke in range(3):
        left = box["x"] + 180 + stroke * 190
        for i in range(24):
            x, y = left + 70 * math.sin(i / 4), box["y"] + 150 + 70 * math.cos(i / 3 + stroke)
            await page.mouse.move(x, y)
            if i == 0:
                await page.mouse.down()
        await page.mouse.up()


async def sign(page: Page, role: str) -> None:
    await page.get_by_role("button", name=role).click()
    sheet = page.get_by_test_id("sign-sheet")
    await expect(sheet.get_by_role("button", name="确认签名")).to_be_disabled()
    await write_name(page)
    await sheet.get_by_role("button", name="确认签名").click()
    await expect(sheet).to_have_count(0)
    await expect(page.get_by_role("button", name=role)).to_contain_text("已签名")


async def test_a_transcript_is_read_through_objected_to_signed_and_taken_along(
    room: Room, page: Page, tmp_path: Path
) -> None:
    court = await Court.of(room)
    await page.goto(f"{room.base}/panel")
    await page.get_by_test_id("open-signing").click()
    await expect(page.get_by_test_id("signing-state")).to_contain_text("尚未提交")
    current = page.locator("li[aria-current]")
    await expect(current).to_contain_text("请全体起立")
    await page.get_by_role("button", name="下一条").click()
    await expect(current).to_contain_text("现在开庭")
    await page.reload()  # a reader finds the place again
    await expect(current).to_contain_text("现在开庭")

    await page.get_by_role("button", name="下一条").click()
    await current.get_by_role("button", name="更正").click()
    await page.get_by_test_id("read-text").fill("请求判令被告偿还借款本金三十万元及利息。")
    await page.get_by_role("button", name="保存更正").click()
    await expect(current).to_contain_text("及利息")
    await assert_accessible(page, "read-through")
    await picture(page, "signing-read", tmp_path)

    await page.get_by_role("button", name="提交核对签名").click()
    await expect(page.get_by_test_id("signing-state")).to_contain_text("第 1 版 · 待签名 4 人")

    await page.get_by_role("button", name="下一条").click()
    await current.get_by_role("button", name="提出异议").click()
    sheet = page.get_by_test_id("objection-sheet")
    await sheet.get_by_label("提出人").select_option(label="被告 李建国")
    await sheet.get_by_test_id("objection-wants").fill("我实际收到二十五万元。")
    await expect(sheet.get_by_role("button", name="不予补正")).to_be_disabled()  # not before it was played
    await sheet.get_by_role("button", name="播放录音").click()
    await expect(sheet.get_by_text("没有录音可以回放")).to_be_visible()  # nothing was recorded in this room
    await sheet.get_by_role("button", name="不予补正").click()
    await sheet.get_by_test_id("objection-reason").fill("当庭确认笔录与陈述一致")
    await assert_accessible(page, "objection")
    await picture(page, "signing-objection", tmp_path)
    await sheet.get_by_role("button", name="不予补正").click()
    await expect(page.get_by_text("未补正：当庭确认笔录与陈述一致")).to_be_visible()

    # Another panel changes a line while somebody writes: what is written does not count, and is not asked for.
    await page.get_by_role("button", name="原告 张伟明").click()
    sheet = page.get_by_test_id("sign-sheet")
    await write_name(page)
    await expect(sheet.get_by_role("button", name="确认签名")).to_be_enabled()
    base = (await room.state())["hearing"]["utterances"][0]["revision"]
    struck = {"line": "u0", "base": base, "set": {"struck": True}}
    await court.post("revisions", {"act": "strike", "tab": "other", "changes": [struck]})
    await expect(page.get_by_test_id("sign-changed")).to_be_visible()
    await expect(sheet.get_by_role("button", name="确认签名")).to_be_disabled()
    await assert_accessible(page, "words changed under a signature")
    await sheet.get_by_role("button", name="取消").click()
    await expect(page.locator("ol s")).to_have_text("请全体起立。")  # struck, and read through as such
    await page.get_by_role("button", name="重新提交核对签名").click()
    await expect(page.get_by_test_id("signing-state")).to_contain_text("第 2 版 · 待签名 4 人")

    await sign(page, "原告 张伟明")
    await page.get_by_role("button", name="被告 李建国").click()
    await write_name(page)
    await assert_accessible(page, "signing pad")
    await picture(page, "signing-pad", tmp_path)
    await page.get_by_role("button", name="拒绝签名…").click()
    await page.get_by_test_id("sign-reason").fill("补正申请未获准许")
    await page.get_by_role("button", name="记录拒绝签名").click()
    await expect(page.get_by_role("button", name="被告 李建国")).to_contain_text("拒绝签名")
    await page.reload()
    for role in ("审判长 赵敏", "书记员 孙丽"):
        await sign(page, role)
    await expect(page.get_by_test_id("signing-state")).to_contain_text("签名完毕，1 人拒绝签名")
    await court.finished()
    async with page.expect_download() as download:
        await page.get_by_test_id("document-pdf").click()
    assert (await download.value).suggested_filename.endswith("法庭笔录.pdf")
    await picture(page, "signing-complete", tmp_path)
    strokes = [e.body["strokes"] for e in await court.events("signature") if e.body["act"] == "sign"]
    assert [len(drawn) for drawn in strokes] == [3, 3, 3]
    court.log.close()


async def test_what_the_paper_will_not_have_is_on_the_page_and_on_the_sheet_before_anybody_signs(
    room: Room, page: Page, tmp_path: Path
) -> None:
    court = await Court.of(room)
    await court.edit("u3", "证人叫张\ue000，曾用名𨰿。")
    await page.goto(f"{room.base}/panel")
    await page.get_by_test_id("open-signing").click()
    told = page.get_by_test_id("unprinted")
    await expect(told).to_contain_text("U+E000")
    await expect(told).not_to_contain_text("U+28C3F")
    await told.get_by_role("button", name="第 4 条").click()
    await expect(page.locator("[aria-current]")).to_contain_text("证人叫张")
    await assert_accessible(page, "unprinted")
    for name, size in (("small", (1280, 800)), ("large", (1920, 1080))):
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        await page.screenshot(path=str(tmp_path / f"{name}.png"))
    await court.lay()
    await page.get_by_role("button", name="原告 张伟明").click()
    await expect(page.get_by_test_id("sheet-unprinted")).to_contain_text("U+E000")
    await page.screenshot(path=str(tmp_path / "sheet.png"))
    court.log.close()
