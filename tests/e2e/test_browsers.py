"""Browsers other than the newest Chromium: one that has no more than the least versions have, Debian's Firefox ESR, one
that is too old, and one that plays no H.264."""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import screenshot
from tests.support.browsers.firefox import find_firefox, firefox
from tests.support.browsers.old_engine import newer_members, removal
from tests.support.paths import HEARING
from tests.support.rooms.running_demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PATIENCE_MS = 60_000
"""The machine may be busy; every wait ends as soon as what it waits for is there."""
MOVES = """(track) => {
    const picture = document.querySelector(`[data-track$="${track}"]`);
    const words = picture?.closest('.frame')?.querySelector('p')?.innerText ?? '';
    const now = Number(picture?.dataset.shownMs) / 1000 || (picture?.readyState >= 2 ? picture.currentTime : 0);
    const before = Number(picture?.dataset.moved ?? now);
    if (picture) picture.dataset.moved = String(before);
    return picture !== null && words === '' && now > before + 0.5;
}"""
"""Whether a picture goes on, with no words over it; asked again and again."""
DRAWN = "document.querySelector('[data-drawn]:not([data-drawn=\"\"])') !== null"
TOO_OLD = (
    "Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/86.0.4240.198 Safari/537.36"
)


@pytest.fixture
def clerk(demo: Demo) -> Iterator[httpx.Client]:
    """The clerk without a browser, in a room without a hearing."""
    base = demo.room["panel_url"].removesuffix("/panel")
    with httpx.Client(base_url=base, headers={"X-Wutong": "1"}, timeout=60) as http:
        http.post("/api/session", json={"code": demo.room["clerk_code"]}).raise_for_status()
        hearing = http.get("/api/state").json()["hearing"]
        if hearing is not None and hearing["state"] in ("open", "paused"):
            http.post("/api/hearing/close").raise_for_status()
        yield http


def present(clerk: httpx.Client) -> None:
    """An exhibit comes on the courtroom's display."""
    with (HEARING / "iou.pdf").open("rb") as file:
        added = clerk.post("/api/exhibits", files={"file": ("iou.pdf", file)}, data={"title": "借条"})
    view = {"exhibit": added.raise_for_status().json()["id"], "page": 1, "zoom": 1, "x": 0.5, "y": 0.5}
    clerk.put("/api/presentation", json=view).raise_for_status()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Pages that fail the test when one of their scripts does; `before` runs in them first."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(url: str, before: str = "", user_agent: str | None = None) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN", user_agent=user_agent)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        if before:
            context.add_init_script(before)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(f"{url}: {error}"))
        page.goto(url)
        return page

    expect.set_options(timeout=PATIENCE_MS)
    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def until(page: Page, script: str, argument: str | None = None) -> None:
    """Ask again until the script gives true. (`wait_for_function` needs eval, which the pages' policy forbids.)"""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(script, argument):
        assert time.monotonic() < deadline, f"{script} on a page that says: {page.inner_text('body')[:600]}"
        time.sleep(0.2)  # another process's state: there is no event to wait for


def sign_in(page: Page, code: str) -> None:
    page.get_by_label("登录码", exact=True).fill(code)
    page.get_by_role("button", name="登录", exact=True).click()


def open_hearing(panel: Page) -> None:
    """As the clerk does, without a self-test."""
    panel.locator("[data-phase]:not([data-phase=loading])").wait_for()
    if panel.locator("[data-phase=done]").count():
        panel.get_by_role("button", name="准备下一个庭审").click()
    panel.locator(".row").first.click()
    panel.get_by_role("button", name="开庭", exact=True).click()
    panel.get_by_role("button", name="确认，仍然开庭").click()
    panel.locator("[data-recording=recording], [data-recording=partial]").wait_for()


def test_a_hearing_is_held_and_watched_with_no_more_than_the_least_browsers_have(
    demo: Demo, clerk: httpx.Client, opened: Callable[..., Page]
) -> None:
    members = {(owner, name) for owner, name, _ in newer_members()}
    gone = {("Array", "at"), ("URL", "parse"), ("Promise", "withResolvers"), ("", "structuredClone")}
    gone |= {
        ("", "VideoDecoder"),
        ("HTMLVideoElement", "requestVideoFrameCallback"),
        ("AbortSignal", "timeout"),
        ("Array", "findLast"),
    }
    assert gone <= members
    assert not {("", "MediaSource"), ("", "WebSocket"), ("Array", "map"), ("Response", "blob")} & members

    old = removal()
    panel = opened(demo.room["panel_url"], old)
    left = "['withResolvers' in Promise, 'parse' in URL, 'requestVideoFrameCallback' in HTMLVideoElement.prototype]"
    assert panel.evaluate(left) == [False, False, False]
    sign_in(panel, demo.room["clerk_code"])
    open_hearing(panel)
    for camera in ("bench", "parties"):
        until(panel, MOVES, camera)
    present(clerk)
    display = opened(demo.room["display_url"], old)
    until(display, DRAWN)

    inspector = opened(demo.summary["inspect_url"], old)
    sign_in(inspector, demo.summary["inspector_code"])
    until(inspector, MOVES, "/tile")
    expect(inspector.locator(".tile")).to_contain_text(re.compile(r"MSE · 延迟 \d+ ms"))
    inspector.locator(".tile").click()
    expect(inspector.locator('[data-mode="live"]')).to_be_visible()
    until(inspector, MOVES, "/bench")
    until(inspector, DRAWN)
    expect(panel.locator(".transcript .words, [data-line] .words").first).to_be_visible()
    panel.locator("[data-line] .words").first.click()
    expect(panel.locator("[data-line] textarea")).to_be_focused()

    line = inspector.get_by_role("slider", name="庭审时间轴")
    box = line.bounding_box()
    assert box is not None
    inspector.mouse.click(box["x"] + box["width"] / 5, box["y"] + box["height"] / 2)
    expect(inspector.locator('[data-mode="past"]')).to_be_visible()
    inspector.evaluate("() => document.querySelectorAll('[data-track]').forEach((one) => delete one.dataset.moved)")
    for camera in ("/bench", "/parties"):
        until(inspector, MOVES, camera)


def test_a_hearing_is_held_and_watched_in_firefox(demo: Demo, clerk: httpx.Client, tmp_path: Path) -> None:
    if find_firefox() is None and platform.freedesktop_os_release()["ID"] == "ubuntu":
        pytest.skip("Ubuntu's Firefox is a snap, which no container can run")
    with firefox(tmp_path / "firefox") as browser:
        panel = browser.page()
        panel.goto(demo.room["panel_url"])
        panel.type("input[type=password]", demo.room["clerk_code"])
        panel.press("登录")
        panel.until("document.querySelector('[data-phase]:not([data-phase=loading])') !== null")
        if panel.evaluate("document.querySelector('[data-phase=done]') !== null"):
            panel.press("准备下一个庭审")
        panel.until("document.querySelector('.row') !== null")
        panel.evaluate("document.querySelector('.row').click()")
        panel.press("开庭")
        panel.press("确认，仍然开庭")
        panel.until("document.querySelector('[data-recording=recording], [data-recording=partial]') !== null")
        for camera in ("bench", "parties"):
            panel.until(f"({MOVES})('{camera}')")
        present(clerk)
        display = browser.page(1920, 1080)
        display.goto(demo.room["display_url"])
        display.until(DRAWN)
        assert "本次庭审正在录音录像" in display.text()

        # Once as it is, once as Firefox was before it had decoders, and once as before it could tell its frames.
        for path, forget in (
            ("WebCodecs", ""),
            ("MSE", "() => { delete window.VideoDecoder; }"),
            ("MSE", "() => { delete HTMLVideoElement.prototype.requestVideoFrameCallback; }"),
        ):
            if forget:
                browser.before_each_page(forget)
            inspector = browser.page(1920, 1080)
            inspector.goto(demo.summary["inspect_url"])
            inspector.until("document.querySelector('input[type=password], .tile') !== null")
            if inspector.evaluate("document.querySelector('.tile') === null"):
                inspector.type("input[type=password]", demo.summary["inspector_code"])
                inspector.press("登录")
            inspector.until(f"({MOVES})('/tile')")
            inspector.until(f"/{path} · 延迟 \\d+ ms/.test(document.body.innerText)")
            inspector.screenshot(tmp_path / "inspector.png")
        inspector.evaluate("document.querySelector('.tile').click()")
        inspector.until("document.querySelector('[data-mode=live]') !== null")
        inspector.until(f"({MOVES})('/parties')")
        inspector.until(DRAWN)
        inspector.screenshot(tmp_path / "room.png")


@pytest.mark.parametrize("page", ["panel", "display", "inspect", "view", "admin"])
def test_a_browser_that_is_too_old_is_told_so_and_may_go_on(
    demo: Demo, opened: Callable[..., Page], tmp_path: Path, page: str
) -> None:
    room = demo.room["panel_url"].removesuffix("/panel")
    center = demo.summary["inspect_url"].removesuffix("/inspect")
    shown = opened(f"{room if page in ('panel', 'display') else center}/{page}", user_agent=TOO_OLD)
    expect(shown.get_by_role("alert")).to_contain_text("浏览器版本过低")
    expect(shown.get_by_role("alert")).to_contain_text("This browser: Chromium 86. The least version: Chromium 90.")
    expect(shown.locator("#app")).to_have_count(0)
    screenshot(shown, f"too-old-{page}", tmp_path)
    shown.get_by_role("button", name="仍要打开").click()
    expect(shown.locator("#app > *").first).to_be_visible()


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("delete window.MediaSource; delete window.VideoDecoder;", "缺少 Media Source Extensions"),
        (
            "MediaSource.isTypeSupported = (mime) => !mime.includes('avc1');"
            "VideoDecoder.isConfigSupported = async (config) => ({ supported: false, config });",
            "此浏览器不能播放 H.264 画面",
        ),
    ],
    ids=["no-media-source", "no-h264"],
)
def test_a_browser_that_cannot_play_pictures_says_why(
    demo: Demo, opened: Callable[..., Page], missing: str, words: str
) -> None:
    panel = opened(demo.room["panel_url"], missing)
    sign_in(panel, demo.room["clerk_code"])
    expect(panel.locator(".frame").first).to_contain_text(words)
    wall = opened(demo.summary["inspect_url"], missing)
    sign_in(wall, demo.summary["inspector_code"])
    expect(wall.locator(".tile .frame")).to_contain_text(words)
