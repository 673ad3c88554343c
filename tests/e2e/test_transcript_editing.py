"""The clerk edits the transcript in a real browser while a real room records: by touch, by keys, from two panels."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from tests.e2e.conftest import screenshot
from tests.support.rooms.running_demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PATIENCE_MS = 60_000
SECOND = 10**9
# Words that the room's own corrector leaves alone: an amount it would write in the court's form meanwhile.
LINES = (
    ("t1", "审判长", "现在核对当事人身份，请原告陈述。"),
    ("t2", "原告", "我借给被告一大笔钱，有借条和转账记录为证。"),
    ("t3", "被告", "钱收到了，但是已经还了一半。"),
    ("t4", "审判长", "被告是否有证据证明？"),
    ("t5", "被告", "有微信聊天记录。"),
)
LISTEN = """window.heard = new Promise((heard) => {
  window.Audio = class extends Audio {
    constructor() { super(); this.addEventListener('timeupdate', () => this.currentTime > 0 && heard(this.duration)); }
  };
})"""
ENTER = "f => f.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"


class Court:
    """The demo's room: its clerk's session, and its log, into which words are said."""

    def __init__(self, demo: Demo) -> None:
        self.http = httpx.Client(
            base_url=demo.room["panel_url"].removesuffix("/panel"), headers={"X-Wutong": "1"}, timeout=60
        )
        assert self.http.post("/api/session", json={"code": demo.room["clerk_code"]}).is_success
        case = {"case_no": "(2026)黑05民初123号", "cause": "民间借贷纠纷", "title": "", "parties": {}, "public": True}
        end = time.monotonic() + PATIENCE_MS / 1000
        while True:
            despite = self.state()["selftest"]["hindrances"]
            answer = self.http.post("/api/hearing", json={**case, "despite": despite})
            if answer.is_success:
                break
            assert time.monotonic() < end, answer.text
            time.sleep(0.2)  # the recorder of the room may still be starting
        self.hearing = answer.json()
        seats = {role: seat["id"] for seat in self.hearing["seats"] for role in seat["roles"]}
        data = next(path for path in demo.data.rglob("room.db")).parent
        log = RoomLog(RoomPaths(data).log)
        opened_ns = round(self.hearing["opened_ms"] * 1_000_000)
        for n, (name, role, text) in enumerate(LINES):
            start_ns = opened_ns + SECOND + n * 1_000_000  # so close that what is really said comes not in between
            body = {"id": name, "seat": seats.get(role, ""), "role": role, "start_ns": start_ns, "voice": ""}
            body |= {"end_ns": start_ns + SECOND, "text": text, "confidence": 0.8}
            body |= {"words": [{"text": "转账", "start_ns": 0, "end_ns": 1, "probability": 0.2}]}
            log.append("utterance", body, hearing=self.hearing["id"], room_ns=start_ns, utc_ns=start_ns)
        log.close()

    def state(self) -> Any:
        return self.http.get("/api/state").json()

    def until(self, name: str, **values: Any) -> None:
        """Until a line in the log is like this."""
        end = time.monotonic() + PATIENCE_MS / 1000
        while True:
            lines = self.state()["hearing"]["utterances"]
            line: Any = next((u for u in lines if u["id"] == name), {})
            if values.items() <= line.items():
                return
            assert time.monotonic() < end, f"{name} never was {values}: {line}"
            time.sleep(0.1)  # another process's state: there is no event to wait for


@pytest.fixture(scope="module")
def court(demo: Demo) -> Iterator[Court]:
    court = Court(demo)
    yield court
    court.http.close()


def enter(page: Page, demo: Demo) -> Page:
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.add_init_script(LISTEN)
    page.goto(demo.room["panel_url"])
    page.get_by_label("登录码", exact=True).fill(demo.room["clerk_code"])
    page.get_by_role("button", name="登录", exact=True).tap()
    page.locator('[data-line="t5"]').wait_for()
    return page


def row(page: Page, name: str) -> Locator:
    return page.locator(f'[data-line="{name}"]')


def touch(page: Page, name: str, tool: str) -> None:
    """Choose a line without typing in it, and touch a tool."""
    row(page, name).locator(".words").focus()
    page.locator(f'[data-tool="{tool}"]').tap()


def retype(page: Page, name: str, text: str) -> None:
    """Touch a line and write it anew."""
    row(page, name).locator(".words").tap()
    row(page, name).locator("textarea").fill(text)


def test_the_clerk_edits_while_speech_goes_on(
    demo: Demo, court: Court, page: Page, browser: Browser, tmp_path: Path
) -> None:
    enter(page, demo)
    expect(row(page, "t2").locator(".unsure")).to_have_text("转账")

    # A touch puts the cursor where the finger was; Enter saves.
    words = row(page, "t3").locator(".words")
    words.tap(position={"x": 2, "y": 20})
    page.keyboard.type("借的")
    page.keyboard.press("Enter")
    court.until("t3", text="借的钱收到了，但是已经还了一半。", touched=True)
    expect(words).to_be_focused()

    # An input method composes; its Enter is not ours.
    retype(page, "t5", "有聊天记录")
    field = row(page, "t5").locator("textarea")
    ime = page.context.new_cdp_session(page)
    ime.send("Input.imeSetComposition", {"text": "wei'xin", "selectionStart": 7, "selectionEnd": 7})
    field.evaluate(ENTER)
    expect(field).to_be_visible()
    ime.send("Input.insertText", {"text": "，在微信里。"})
    expect(field).to_have_value("有聊天记录，在微信里。")
    screenshot(page, "editing", tmp_path)
    assert Axe().run(page).violations_count == 0
    page.keyboard.press("Enter")
    court.until("t5", text="有聊天记录，在微信里。")

    # Split where the cursor is, merge again, take the merging back.
    retype(page, "t2", "我借给被告一大笔钱，有借条和转账记录为证。")
    row(page, "t2").locator("textarea").evaluate("f => f.setSelectionRange(10, 10)")
    page.keyboard.press("Shift+Enter")
    court.until("t2", text="我借给被告一大笔钱，")
    touch(page, "t2", "merge")
    court.until("t2", text="我借给被告一大笔钱，有借条和转账记录为证。")
    page.keyboard.press("Control+z")
    court.until("t2", text="我借给被告一大笔钱，")
    page.locator('[data-tool="undo"]').tap()
    court.until("t2", text="我借给被告一大笔钱，有借条和转账记录为证。", touched=True)

    # Speaker, strike and restore, doubt, insert.
    touch(page, "t4", "speaker")
    page.locator(".roles").get_by_role("button", name="书记员", exact=True).tap()
    court.until("t4", role="书记员")
    touch(page, "t1", "strike")
    court.until("t1", struck=True)
    expect(row(page, "t1").locator(".text.struck")).to_be_visible()
    touch(page, "t1", "strike")
    court.until("t1", struck=False)
    touch(page, "t1", "doubt")
    court.until("t1", doubtful=True)
    touch(page, "t1", "insert")
    page.keyboard.type("（原告提交身份证件）")
    page.keyboard.press("Enter")
    expect(page.locator(".text", has_text="（原告提交身份证件）")).to_be_visible()
    row(page, "t1").locator(".more").tap()
    expect(page.get_by_role("dialog")).to_contain_text("标记存疑")
    page.keyboard.press("Escape")

    # A long touch and one touch play the moment of the line.
    with page.expect_response(re.compile("/t3/sound$")) as answer:
        touch(page, "t3", "play")
    assert answer.value.ok
    assert 1 < page.evaluate("window.heard") < 2, "a second, and a moment around it"

    # Keys alone: to the line above, edit, save.
    row(page, "t5").locator(".words").focus()
    page.keyboard.press("ArrowUp")
    expect(row(page, "t4").locator(".words")).to_be_focused()
    page.keyboard.press("F2")
    page.keyboard.type("请回答。")
    page.keyboard.press("Enter")
    court.until("t4", text="被告是否有证据证明？请回答。")

    # Two panels on one line: the second is shown both texts, and chooses.
    context = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True, locale="zh-CN")
    other = enter(context.new_page(), demo)
    retype(other, "t5", "另一台的说法。")
    retype(page, "t5", "这一台的说法。")
    page.keyboard.press("Enter")
    court.until("t5", text="这一台的说法。")
    other.keyboard.press("Enter")
    conflict = row(other, "t5").locator(".conflict")
    expect(conflict).to_contain_text("另一台的说法。")
    expect(conflict).to_contain_text("这一台的说法。")
    screenshot(other, "conflict", tmp_path)
    assert Axe().run(other).violations_count == 0
    conflict.get_by_role("button", name="合并编辑").tap()
    row(other, "t5").locator("textarea").fill("两台的说法。")
    other.keyboard.press("Enter")
    expect(row(page, "t5")).to_contain_text("两台的说法。")
    context.close()

    # The server is away: what is typed waits, and is sent by itself.
    page.context.set_offline(True)
    retype(page, "t3", "断开时写下的话。")
    page.keyboard.press("Enter")
    expect(row(page, "t3").locator("[data-state=waiting]")).to_be_visible()
    expect(row(page, "t3")).to_contain_text("断开时写下的话。")
    screenshot(page, "offline", tmp_path)
    page.context.set_offline(False)
    court.until("t3", text="断开时写下的话。")
    expect(page.locator("[data-state]")).to_have_count(0)

    # The text that was not saved is offered again on a new page.
    row(page, "t2").locator(".words").tap()
    page.keyboard.type("还没写完")
    page.reload()
    expect(row(page, "t2").locator(".draft")).to_contain_text("还没写完")
    row(page, "t2").get_by_role("button", name="丢弃").tap()
    assert json.loads(page.evaluate("JSON.stringify(Object.keys(localStorage))")) == []


def test_no_secret_and_no_word_is_in_any_log_of_the_demo(demo: Demo, court: Court) -> None:
    """After all of the above: of a hearing, and of what opens anything, no service has said a word to its log."""
    logs = {file.name: file.read_text(encoding="utf-8", errors="replace") for file in demo.data.rglob("*.log")}
    assert len(logs) >= 5, logs.keys()
    secrets = [file.read_text().strip() for file in (demo.data / "keys").iterdir()]
    for file in demo.data.rglob("codes.json"):
        secrets += json.loads(file.read_text()).values()
    secrets += [file.read_text().strip() for file in demo.data.rglob("*display*token*") if file.is_file()]
    secrets += ["".join(file.read_text().splitlines()[1:-1])[:40] for file in demo.data.rglob("*.key")]
    secrets += [value for value in court.http.cookies.values() if value]
    words = [text for _, _, text in LINES] + ["断开时写下的话", "两台的说法"]
    assert len(secrets) > 8
    for name, text in logs.items():
        assert [said for said in (*secrets, *words) if said and said in text] == [], name
        assert all(line.isprintable() for line in text.splitlines() if line.startswith("{")), name
