"""The clerk's panel and the courtroom's display in a real browser, before a real room and center."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import screenshot
from tests.support.paths import HEARING
from tests.support.rooms.running_demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PATIENCE_MS = 60_000
"""The machine may be busy; every wait ends as soon as what it waits for is there."""
KEPT = re.compile("^(recording|partial)$")
"""A crowded machine may starve a simulated camera; the panel then says so, which is not what most tests are about."""
CASE = {
    "case_no": "(2026)黑05民初123号",
    "cause": "民间借贷纠纷",
    "title": "张伟明诉李建国民间借贷纠纷一案",
    "parties": {"审判长": "赵敏", "书记员": "孙丽", "原告": "张伟明", "被告": "李建国"},
    "public": True,
}


@pytest.fixture(scope="module")
def http(demo: Demo) -> Iterator[httpx.Client]:
    """The clerk's session without a browser, to arrange what a test begins with."""
    base = demo.room["panel_url"].removesuffix("/panel")
    with httpx.Client(base_url=base, headers={"X-Wutong": "1"}, timeout=60) as client:
        answer = client.post("/api/session", json={"code": demo.room["clerk_code"]})
        assert answer.is_success, answer.text
        yield client


def state_of(http: httpx.Client) -> str | None:
    """`open`, `paused`, `closed`, or None before the first hearing."""
    hearing = http.get("/api/state").json()["hearing"]
    return None if hearing is None else str(hearing["state"])


@pytest.fixture
def no_hearing(http: httpx.Client) -> None:
    """The room is free."""
    if state_of(http) in ("open", "paused"):
        assert http.post("/api/hearing/close").is_success


@pytest.fixture
def hearing(http: httpx.Client) -> dict[str, Any]:
    """A hearing is in session."""
    if state_of(http) == "paused":
        assert http.post("/api/hearing/resume").is_success
    elif state_of(http) != "open":
        despite = http.get("/api/state").json()["selftest"]["hindrances"]
        answer = http.post("/api/hearing", json={**CASE, "despite": despite})
        assert answer.is_success, answer.text
    return dict(http.get("/api/state").json()["hearing"])


@pytest.fixture
def tested(http: httpx.Client) -> None:
    """A self-test that passed counts."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while (now := http.get("/api/state").json()["selftest"])["state"] != "passed":
        assert time.monotonic() < end, now
        if now["state"] != "running":
            http.post("/api/selftest")
        time.sleep(0.2)  # another process's state: there is no event to wait for


@pytest.fixture
def panel(demo: Demo, page: Page) -> Page:
    """Signed in at the panel."""
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(demo.room["panel_url"])
    page.get_by_label("登录码", exact=True).fill(demo.room["clerk_code"])
    page.get_by_role("button", name="登录", exact=True).tap()
    page.locator("[data-phase]:not([data-phase=loading])").wait_for()
    if page.locator("[data-phase=done]").count():
        page.get_by_role("button", name="准备下一个庭审").tap()
    return page


@pytest.fixture
def display(demo: Demo, browser: Browser) -> Iterator[Page]:
    """The courtroom's screen."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(demo.room["display_url"])
    yield page
    context.close()


def assert_accessible(page: Page, where: str) -> None:
    """Axe finds nothing in Chinese and nothing in English; leaves the page in Chinese."""
    for language in ("zh-CN", "en"):
        expect(page.locator("html")).to_have_attribute("lang", language)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{where} ({language}): {found.generate_report()}"
        page.get_by_role("button", name=re.compile("^(切换到英文|Switch to Chinese|English|中文)$")).tap()


def assert_large_enough(page: Page, selector: str, least_px: int) -> None:
    """Every visible control can be touched."""
    small = page.evaluate(
        """([selector, least]) => [...document.querySelectorAll(selector)]
            .filter((e) => e.checkVisibility() && !e.closest('.sr-only') && e.getBoundingClientRect().width > 1)
            .map((e) => [e.getAttribute('aria-label') ?? e.textContent.trim(), e.getBoundingClientRect()])
            .filter(([, box]) => Math.min(box.width, box.height) < least)
            .map(([name, box]) => `${name}: ${box.width}x${box.height}`)""",
        [selector, least_px],
    )
    assert small == []


def add_exhibit(panel: Page, file: str, title: str) -> None:
    """Through the file picker, as a clerk does."""
    panel.get_by_role("button", name="添加证据").tap()
    panel.locator("#exhibit-file").set_input_files(str(HEARING / file))
    panel.get_by_label("证据名称").fill(title)
    panel.get_by_role("button", name="添加", exact=True).tap()
    panel.locator(".tile", has_text=title).wait_for()


def test_the_bundled_case_waits_on_the_docket(panel: Page) -> None:
    expect(panel.locator(".row")).to_have_count(1)
    expect(panel.locator(".row")).to_contain_text("(2026)黑05民初123号")
    expect(panel.locator(".row")).to_contain_text("张伟明诉李建国民间借贷纠纷一案")


def test_sign_in_says_why_it_refuses(demo: Demo, page: Page) -> None:
    page.goto(demo.room["panel_url"])
    field = page.get_by_label("登录码", exact=True)
    page.get_by_role("button", name="登录", exact=True).tap()
    expect(page.get_by_role("alert")).to_have_text("请输入登录码。")
    field.fill("WRONG-CODE")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("登录码不正确，请核对后再试。")
    expect(field).to_be_focused()
    assert_accessible(page, "sign-in")
    assert_large_enough(page, "button", 44)


@pytest.mark.usefixtures("no_hearing")
def test_a_hearing_is_held_by_touch(demo: Demo, http: httpx.Client, panel: Page, display: Page, tmp_path: Path) -> None:
    center = demo.summary["inspect_url"].removesuffix("/inspect")
    with httpx.Client(base_url=center, headers={"X-Wutong": "1"}, timeout=30) as inspector:
        inspector.post("/api/session", json={"code": demo.summary["inspector_code"]}).raise_for_status()
        docket = {"date": date.today().isoformat(), "hearings": [{"id": "d-1", "time": "09:30", **CASE}]}
        inspector.put(f"/api/docket/{demo.room['address']}", json=docket).raise_for_status()

    expect(panel.get_by_role("button", name="开庭", exact=True)).to_be_disabled()
    expect(panel.locator("[data-recording]")).to_have_attribute("data-recording", "untested")
    expect(panel.locator(".found.untested")).to_have_count(6)  # four seats and two cameras
    expect(panel.locator(".row")).to_contain_text("09:30")  # the demo's own docket is gone
    assert_accessible(panel, "untested")
    panel.locator(".row", has_text="123号").tap()
    panel.get_by_role("button", name="开庭", exact=True).tap()
    expect(panel.get_by_role("alertdialog")).to_contain_text("没有有效的设备自检")
    screenshot(panel, "selftest-missing", tmp_path)
    assert_accessible(panel, "despite")
    panel.get_by_role("button", name="返回自检").tap()
    panel.get_by_role("button", name="设备自检").tap()
    expect(panel.locator("[data-selftest]")).to_have_attribute("data-selftest", "running")
    expect(panel.locator("[data-selftest]")).to_have_attribute("data-selftest", "passed")
    expect(panel.locator(".found.ok")).to_have_count(6)
    expect(panel.locator("[data-leg='test.server']")).to_have_attribute("data-finding", "ok")
    expect(panel.locator("[data-recording]")).to_have_attribute("data-recording", "idle")
    screenshot(panel, "selftest", tmp_path)
    expect(display.locator("main")).to_contain_text(re.compile("尚未开庭|庭审结束"))
    assert_accessible(panel, "before")
    panel.get_by_role("button", name="登记未排期案件").tap()
    assert_accessible(panel, "form")
    panel.get_by_role("button", name="返回排期").tap()

    panel.locator(".row", has_text="123号").tap()
    panel.get_by_role("button", name="开庭", exact=True).tap()
    expect(panel.locator("[data-recording]")).to_have_attribute("data-recording", "recording")
    expect(display.locator("header")).to_contain_text("本次庭审正在录音录像")
    expect(panel.locator(".transcript .words").first).to_be_visible()
    expect(display.locator(".captions p").first).to_be_visible()

    add_exhibit(panel, "iou.pdf", "借条")
    add_exhibit(panel, "transfer-slip.png", "银行转账凭证")
    sent: list[str] = []
    panel.on("request", lambda request: sent.append(request.url) if "/pages/" in request.url else None)
    display.on("request", lambda request: sent.append(request.url) if "/display/page" in request.url else None)
    panel.locator(".tile", has_text="借条").tap()
    expect(display.locator("[data-exhibit][data-page='1'] [data-drawn$=':1'] img")).to_be_visible()
    expect(display.locator(".title")).to_contain_text("证据1借条")
    panel.get_by_role("button", name="下一页").tap()
    expect(display.locator("[data-page='2'] [data-drawn$=':2'] img")).to_be_visible()
    for name, page in (("上一页", 1), ("下一页", 2), ("上一页", 1), ("下一页", 2)):
        panel.get_by_role("button", name=name).tap()
        expect(display.locator(f"[data-page='{page}'] [data-drawn$=':{page}'] img")).to_be_visible()
        expect(panel.locator(".preview img")).to_be_visible()
    assert len(sent) == len(set(sent)), "nothing that was shown is sent a second time"
    panel.get_by_role("button", name="放大").tap()
    expect(panel.locator(".whole")).to_have_text("140%")
    panel.get_by_role("group", name="做标记").get_by_role("button", name="质证").tap()
    expect(panel.locator(".transcript .mark")).to_contain_text("质证")
    assert_accessible(panel, "in session")
    assert_large_enough(panel, "button, input, select, textarea", 44)
    assert_large_enough(panel, "footer .main, footer .marks button:not(.plus)", 64)
    panel.locator(".tile", has_text="银行转账凭证").tap()
    expect(display.locator(".sheet img")).to_be_visible()
    screenshot(panel, "panel", tmp_path)
    screenshot(display, "display", tmp_path)
    panel.get_by_role("button", name="撤下证据").tap()
    expect(display.locator("[data-exhibit]")).to_have_count(0)

    panel.locator("#act-pause").tap()
    expect(panel.locator(".reason")).to_have_count(3)
    expect(panel.locator("[data-recording]")).to_be_visible()
    panel.get_by_role("button", name="不公开举证、质证").tap()
    expect(panel.locator("[data-recording]")).to_have_attribute("data-recording", "paused")
    expect(display.locator("main h1")).to_have_text("休庭")
    expect(display.locator("header")).not_to_contain_text("正在录音录像")
    assert_accessible(panel, "paused")
    panel.get_by_role("button", name="继续开庭", exact=True).tap()
    expect(panel.locator("[data-recording]")).to_have_attribute("data-recording", KEPT)

    panel.locator("#act-close").tap()
    expect(panel.locator("[data-recording]")).to_be_visible()
    panel.get_by_role("button", name="不闭庭").tap()
    expect(panel.get_by_role("button", name="确认闭庭")).to_have_count(0)
    panel.locator("#act-close").tap()
    panel.get_by_role("button", name="确认闭庭").tap()
    expect(panel.get_by_role("heading", name="庭审已结束")).to_be_visible()
    expect(panel.locator("main")).to_contain_text("不公开举证、质证")
    assert_accessible(panel, "closed")
    assert state_of(http) == "closed"
    panel.get_by_role("button", name="准备下一个庭审").tap()
    expect(panel.locator("[data-phase=before]")).to_be_visible()


@pytest.mark.usefixtures("no_hearing", "tested")
def test_an_unlisted_case_is_entered_and_opened(http: httpx.Client, panel: Page) -> None:
    panel.get_by_role("button", name="登记未排期案件").tap()
    panel.get_by_role("button", name="开庭", exact=True).tap()
    expect(panel.get_by_role("alert").filter(has_text="请填写案号。")).to_be_visible()
    for label, text in (("案号", "(2026)黑05民初9号"), ("案由", "买卖合同纠纷"), ("原告", "甲"), ("被告", "乙")):
        panel.get_by_label(label, exact=True).fill(text)
    panel.reload()
    panel.get_by_role("button", name="登记未排期案件").tap()
    expect(panel.get_by_label("案号", exact=True)).to_have_value("(2026)黑05民初9号")  # typed words outlive the page
    panel.get_by_role("button", name="开庭", exact=True).tap()
    panel.locator("[data-phase=session]").wait_for()
    case = http.get("/api/state").json()["hearing"]["case"]
    assert (case["title"], case["parties"]) == ("甲诉乙买卖合同纠纷一案", {"原告": "甲", "被告": "乙"})


def touch_in(panel: Page, group: str, names: list[str]) -> int:
    """Touch buttons of one group; how many touches that were."""
    for name in names:
        panel.get_by_role("group", name=group).get_by_role("button", name=name, exact=True).tap()
    return len(names)


@pytest.mark.usefixtures("no_hearing", "tested")
@pytest.mark.parametrize(
    ("kind", "word", "cause", "label", "names", "title"),
    [
        (
            "刑事案件",
            "刑初",
            "盗窃罪",
            "罪名",
            {"公诉人": "周正", "被告人": "王五", "辩护人": "李律"},
            "王五盗窃罪一案",
        ),
        (
            "行政案件",
            "行初",
            "行政处罚",
            "案由",
            {"原告": "甲", "被告": "某局", "行政机关负责人": "丁"},
            "甲诉某局行政处罚一案",
        ),
    ],
)
def test_a_case_of_each_kind_is_entered_by_touch(
    http: httpx.Client,
    panel: Page,
    tmp_path: Path,
    kind: str,
    word: str,
    cause: str,
    label: str,
    names: dict[str, str],
    title: str,
) -> None:
    panel.get_by_role("button", name="登记未排期案件").tap()
    touches = 1 + touch_in(panel, "案件种类", [kind])
    number = panel.get_by_label("案号", exact=True)
    expect(number).to_have_value(re.compile(rf"^\(\d{{4}}\).*{word}号$"))  # year, court and type word stand there
    touches += touch_in(panel, "案件编号", list("1204"))
    touches += touch_in(panel, f"常见{label}", [cause])
    expect(number).to_have_value(re.compile(rf"{word}1204号$"))
    for role, name in names.items():
        panel.get_by_label(role, exact=True).fill(name)
        touches += 1
    assert_accessible(panel, kind)
    screenshot(panel, f"unlisted-{kind}", tmp_path)
    panel.get_by_role("button", name="开庭", exact=True).tap()
    touches += 1
    panel.locator("[data-phase=session]").wait_for()
    assert touches == 11  # docs/figures.md counts with them
    case = http.get("/api/state").json()["hearing"]["case"]
    assert (case["title"], case["cause"], case["parties"]) == (title, cause, names)
    assert case["case_no"].endswith(f"{word}1204号")
    signers = [role for role in case["roles"] if role in names]
    assert signers == list(names)


@pytest.mark.usefixtures("no_hearing", "tested")
def test_a_wrong_case_number_is_named_and_the_kind_follows_a_right_one(panel: Page) -> None:
    panel.get_by_role("button", name="登记未排期案件").tap()
    panel.get_by_label("案号", exact=True).fill("(2026)黑05民出9号")
    expect(panel.get_by_role("status").filter(has_text="“民出”不是类型代字")).to_be_visible()
    panel.get_by_label("案号", exact=True).fill("（2026）黑05刑终9号")
    expect(panel.get_by_role("status").filter(has_text="类型代字")).to_have_count(0)
    expect(panel.get_by_role("button", name="刑事案件", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(panel.get_by_label("被告人", exact=True)).to_be_visible()


@pytest.mark.usefixtures("hearing")
def test_a_lost_server_is_said_and_found_again(panel: Page) -> None:
    expect(panel.locator("[data-recording]")).to_have_attribute("data-recording", KEPT)
    panel.locator("#tab-marks").tap()
    panel.locator("#mark-text").fill("原告提交新证据")
    panel.context.set_offline(True)
    expect(panel.locator("[data-recording]")).to_have_attribute("data-recording", "unknown")
    expect(panel.get_by_role("alert").filter(has_text="与服务器的连接已断开")).to_be_visible()
    expect(panel.locator("#act-close")).to_be_disabled()
    panel.context.set_offline(False)
    expect(panel.locator("[data-recording]")).to_have_attribute("data-recording", KEPT)
    expect(panel.locator("#mark-text")).to_have_value("原告提交新证据")
    panel.get_by_role("button", name="记下标记").tap()
    expect(panel.locator("#panel-marks li").first).to_contain_text("原告提交新证据")
    panel.reload()
    expect(panel.locator("[data-phase=session]")).to_be_visible()
    expect(panel.locator("[data-recording]")).to_have_attribute("data-recording", KEPT)


@pytest.mark.usefixtures("hearing")
def test_the_panel_is_worked_by_keyboard(panel: Page) -> None:
    panel.locator("#tab-exhibits").focus()
    panel.keyboard.press("ArrowRight")
    expect(panel.locator("#tab-marks")).to_be_focused()
    expect(panel.locator("#panel-marks")).to_be_visible()
    panel.locator("#act-close").focus()
    panel.keyboard.press("Enter")
    expect(panel.get_by_role("button", name="不闭庭")).to_be_focused()
    panel.keyboard.press("Escape")
    expect(panel.locator("#act-close")).to_be_focused()
    expect(panel.get_by_role("button", name="确认闭庭")).to_have_count(0)


@pytest.mark.usefixtures("hearing")
def test_a_hearing_that_is_not_recorded_is_called_out(demo: Demo, panel: Page, display: Page) -> None:
    expect(panel.locator("[data-recording]")).to_have_attribute("data-recording", KEPT)
    recorder = next(pid for name, pid in demo.summary["pids"].items() if name.endswith(".recorder"))
    os.kill(recorder, signal.SIGSTOP)
    try:
        expect(panel.locator("[data-recording]")).to_have_attribute("data-recording", "none")
        expect(panel.get_by_role("alert").filter(has_text="没有在录制")).to_be_visible()
        expect(display.locator("header")).not_to_contain_text("正在录音录像")
        assert_accessible(panel, "not recording")
        # The alarm in the log comes a little after the page's own words.
        until = time.monotonic() + PATIENCE_MS / 1000
        while not panel.evaluate(
            """async () => {
                const { hearing } = await (await fetch("/api/state")).json();
                return hearing.alarms.some((alarm) => alarm.code === "not-recording" && alarm.cleared_ms === null);
            }"""
        ):
            assert time.monotonic() < until, "the alarm was not raised"
            panel.wait_for_timeout(200)
    finally:
        os.kill(recorder, signal.SIGCONT)
    expect(panel.locator("[data-recording]")).to_have_attribute("data-recording", KEPT)
    over = panel.get_by_role("region", name="告警").get_by_role("listitem")
    expect(over.first).to_be_visible()  # it stays until it was seen
    while over.count():
        panel.get_by_role("button", name="知道了").first.tap()


def test_a_display_with_a_wrong_link_says_so_and_shows_nothing(demo: Demo, page: Page) -> None:
    page.goto(demo.room["display_url"].split("?")[0] + "?token=" + "x" * 43)
    expect(page.get_by_text("此屏幕的链接无效")).to_be_visible(timeout=PATIENCE_MS)
    assert json.loads(page.evaluate("JSON.stringify([document.querySelectorAll('video, canvas, img').length])")) == [0]
