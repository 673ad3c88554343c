"""Set phrases and checks under a clerk's fingers: a real edge, a real browser, words that the test says."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright, expect

from sync.room.event_log import RoomLog
from tests.support.rooms.edge_room import Room
from wutong.bench.browser import ARGUMENTS, find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(300)]

PATIENCE_MS = 60_000
CASE = {
    "case_no": "(2026)黑05民初123号",
    "cause": "民间借贷纠纷",
    "title": "张伟明诉李建国民间借贷纠纷一案",
    "parties": {"审判长": "赵敏", "书记员": "孙丽", "原告": "张伟明", "被告": "李建国"},
}
SAID = [
    ("judge", "审判长", "现在开庭。今天公开审理原告张伟明诉被告李建国民间借贷纠纷一案。"),
    ("plaintiff", "原告", "我叫张伟民，一九八五年三月十二日出生。"),
    ("plaintiff", "原告代理人", "请求判令被告偿还借款本金三十万元，根据民法典第一千三百条。"),
    ("plaintiff", "原告代理人", "以上证据证明被告向原告借款二十万元的的事实。"),
]


@pytest_asyncio.fixture
async def page(room: Room) -> AsyncIterator[Page]:
    """The panel, signed in, in a hearing with some words."""
    hearing = (await room.clerk.post("/api/hearing", json=CASE)).json()["id"]
    now_ns = int((await room.state())["now_ms"] * 1e6)
    log = RoomLog(room.layout.log)
    for i, (seat, role, text) in enumerate(SAID):
        at_ns = now_ns + i * 1_000_000
        body = {"id": f"u{i}", "seat": seat, "role": role, "start_ns": at_ns, "end_ns": at_ns + 1, "text": text}
        log.append("utterance", {**body, "confidence": 0.9, "words": []}, hearing=hearing, room_ns=at_ns, utc_ns=at_ns)
    log.close()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        context = await browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True, locale="zh-CN")
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(f"{room.base}/panel")
        await page.get_by_label("登录码", exact=True).fill(room.code)
        await page.get_by_role("button", name="登录", exact=True).tap()
        await page.locator("[data-phase=session]").wait_for()
        yield page
        await browser.close()
        assert errors == []


async def look(page: Page, name: str) -> None:
    """A picture for whoever asks (WUTONG_LOOK: a folder), and what axe says."""
    if os.environ.get("WUTONG_LOOK"):
        await page.screenshot(path=Path(os.environ["WUTONG_LOOK"]) / f"{name}.png")
    small = await page.locator(".side").evaluate(
        """(side) => [...side.querySelectorAll('button, input')]
            .filter((e) => e.checkVisibility())
            .map((e) => [e.getAttribute('aria-label') ?? e.textContent.trim(), e.getBoundingClientRect()])
            .filter(([, box]) => Math.min(box.width, box.height) < 44)
            .map(([name, box]) => `${name}: ${box.width}x${box.height}`)"""
    )
    assert small == [], name
    found = await Axe().run(page)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"


async def test_the_clerk_settles_findings_and_inserts_phrases_by_touch(room: Room, page: Page) -> None:
    await expect(page.locator("#tab-checks .due")).to_have_text("4")
    await page.locator("#tab-checks").tap()
    cards = page.locator("[data-check]")
    await expect(cards).to_have_count(4)
    await look(page, "checks")

    amount = page.locator("[data-check=amount]")
    await expect(amount).to_contain_text("借款本金三十万元")
    await amount.locator(".also").tap()
    await expect(page.locator("[data-line=u2]")).to_be_in_viewport()
    await page.locator("[data-check=name]").get_by_role("button", name="改为“张伟明”").tap()
    await expect(page.locator("[data-line=u1]")).to_contain_text("我叫张伟明，")
    await expect(page.locator("[data-check=name]")).to_have_count(0)
    await page.locator("[data-check=doubled]").get_by_role("button", name="改为“的”").tap()
    await expect(page.locator("[data-line=u3]")).to_contain_text("二十万元的事实")
    await page.locator("[data-check=statute]").get_by_role("button", name="忽略").tap()
    await expect(page.locator("#tab-checks .count")).to_have_text("1")
    await page.get_by_role("button", name=re.compile("^已忽略")).tap()
    await expect(page.locator("[data-check=statute]")).to_be_visible()
    await page.locator("[data-check=statute]").get_by_role("button", name="恢复提示").tap()
    await expect(page.locator("#tab-checks .count")).to_have_text("2")

    await page.locator("#tab-phrases").tap()
    await look(page, "phrases")
    await page.locator("#phrase-filter").fill("hytzc")
    await expect(page.locator(".put")).to_have_count(1)
    await page.get_by_role("button", name="预览“合议庭组成”").tap()
    await expect(page.locator("#panel-phrases .missing")).to_have_text("____")
    await look(page, "preview")
    await page.locator(".put").tap()
    line = page.locator("[data-line]", has_text="由赵敏担任审判长，与____组成合议庭")
    await expect(line).to_be_visible()
    await look(page, "inserted")
    state = await room.until_state(lambda state: any(u["source"] == "phrase" for u in state["hearing"]["utterances"]))
    after = [u["text"][:4] for u in state["hearing"]["utterances"]]
    assert after.index("本案适用") == after.index("以上证据") + 1  # below the line that was chosen
    await page.locator("#panel-phrases").get_by_role("button", name="撤销").tap()
    await expect(line).to_have_count(0)

    await page.locator("#phrase-filter").fill("xtpy")
    await page.locator("#phrase-filter").press("Enter")
    await expect(page.locator("[data-line]", has_text="现在休庭，由合议庭进行评议。")).to_be_visible()
    await expect(page.locator("#phrase-filter")).to_have_value("")

    await page.get_by_role("button", name="编辑短语文件").tap()
    text = page.locator("#phrase-file")
    await expect(text).to_have_value(re.compile("宣布法庭纪律"))
    await text.fill('[[phrase]]\ngroup = "本院"\ntitle = "开庭"\ntext = "{某人}开庭。"\n')
    await page.get_by_role("button", name="检查并保存").tap()
    await expect(page.locator(".numbers .wrong")).to_have_text("4")
    await look(page, "file-wrong")
    await text.fill('[[phrase]]\ngroup = "本院"\ntitle = "开庭"\ntext = "{审判长}宣布开庭。"\n')
    await page.get_by_role("button", name="检查并保存").tap()
    await expect(page.locator("#phrase-file-says")).to_contain_text("已保存，1 条用语")
    await page.get_by_role("button", name="关闭", exact=True).tap()
    await page.locator("#phrase-filter").fill("")
    await expect(page.locator(".put .title")).to_have_text(["开庭"])
