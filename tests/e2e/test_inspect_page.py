"""The inspection pages in a real browser, before a real center and a room whose clerk is this test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import screenshot
from tests.support.command_lines import command_line
from tests.support.paths import ROOT
from tests.support.rooms.running_demo import Demo

pytestmark = pytest.mark.browser

HEARING = ROOT / "hardware" / "hearing"
CASE = {
    "case_no": "(2026)黑05民初901号",
    "cause": "民间借贷纠纷",
    "title": "张伟明诉李建国民间借贷纠纷一案",
    "parties": {"原告": "张伟明", "被告": "李建国"},
    "public": True,
}
PATIENCE_S = 120
"""The machine may be busy; every wait ends as soon as what it waits for is there."""
T = TypeVar("T")


def until(what: str, look: Callable[[], T | None], patience_s: float = PATIENCE_S) -> T:
    """Ask again until there is an answer."""
    deadline = time.monotonic() + patience_s
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.25)  # another process's state: there is no event to wait for


@dataclass
class Clerk:
    """The clerk of the room, at the panel's own interface."""

    http: httpx.Client

    def send(self, method: str, path: str, **more: Any) -> Any:
        """One request; anything but success fails the test."""
        answer = self.http.request(method, path, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def state(self) -> dict[str, Any]:
        """`GET /api/state`."""
        return dict(self.send("GET", "/api/state"))


@pytest.fixture(scope="module")
def clerk(demo: Demo) -> Iterator[Clerk]:
    """Signed in, with devices that run and words that will come."""
    base = demo.room["panel_url"].removesuffix("/panel")
    with httpx.Client(base_url=base, headers={"X-Wutong": "1"}, timeout=30) as http:
        clerk = Clerk(http)
        clerk.send("POST", "/api/session", json={"code": demo.room["clerk_code"]})
        until("the speech model", lambda: (clerk.state()["transcriber"] or {}).get("state") == "ready")
        yield clerk


@pytest.fixture(scope="module")
def hearing(clerk: Clerk) -> str:
    """An open hearing in which people speak, with one exhibit shown, one mark and one recess."""
    opened = clerk.send("POST", "/api/hearing", json={**CASE, "despite": clerk.state()["selftest"]["hindrances"]})
    with (HEARING / "iou.pdf").open("rb") as file:
        exhibit = clerk.send("POST", "/api/exhibits", files={"file": ("iou.pdf", file)}, data={"title": "借条"})
    clerk.send("POST", "/api/marks", json={"kind": "举证", "text": ""})
    until("two utterances", lambda: len((clerk.state()["hearing"] or {}).get("utterances", [])) >= 2)
    view = {"exhibit": exhibit["id"], "page": 1, "zoom": 1, "x": 0.5, "y": 0.5}
    clerk.send("PUT", "/api/presentation", json=view)
    return str(opened["id"])


@pytest.fixture
def inspector(demo: Demo, page: Page) -> Page:
    """Signed in and before the wall."""
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(demo.summary["inspect_url"])
    page.get_by_label("登录码", exact=True).fill(demo.summary["inspector_code"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="巡查墙")).to_be_visible()
    return page


def get(page: Page, path: str) -> Any:
    """Ask the center with the page's own session."""
    answer = page.request.get(page.url.split("/inspect")[0] + path)
    assert answer.ok, answer.text()
    return answer.json()


MOVES = """async (selector) => {
    const at = () => {
        const element = document.querySelector(selector);
        return Number(element?.dataset.shownMs || element?.currentTime || 0);
    };
    const first = at();
    for (let repaint = 0; first > 0 && repaint < 60; repaint += 1) {
        await new Promise((resolve) => requestAnimationFrame(resolve));
        if (at() > first) return true;
    }
    return false;
}"""


def moves(page: Page, selector: str) -> bool:
    """Whether the picture goes on within a second of repaints, played or live, where it says so four times a second."""
    return bool(page.evaluate(MOVES, selector))


def reader() -> str:
    """web/src/lib/timecode.ts as a function of plain JavaScript."""
    script = (
        "const ts = require('typescript');"
        "const source = require('fs').readFileSync('src/lib/timecode.ts', 'utf8').replace('export ', '');"
        "const target = { compilerOptions: { target: 'ES2022' } };"
        "process.stdout.write(ts.transpileModule(source, target).outputText);"
    )
    done = subprocess.run(["node", "-e", script], cwd=ROOT / "web", capture_output=True, text=True, check=True)
    return done.stdout


def shown(page: Page, track: str) -> tuple[float, int] | None:
    """(media time in room ms, UTC in ms by the time code) of one frame on the screen; None when none came."""
    found = page.evaluate(
        """([source, track]) => new Promise((done) => {
            const readTimecode = new Function(source + '; return readTimecode;')();
            const video = document.querySelector(`video[data-track="${track}"]`);
            setTimeout(() => done(null), 3000);
            video?.requestVideoFrameCallback((now, frame) => {
                const paint = new OffscreenCanvas(1280, 720).getContext('2d');
                paint.drawImage(video, 0, 0, 1280, 720);
                const utc = readTimecode(paint.getImageData(0, 0, 1280, 720));
                done(utc === null ? null : [frame.mediaTime * 1000, utc]);
            });
        })""",
        [reader(), track],
    )
    return None if found is None else (float(found[0]), int(found[1]))


def elapsed_s(page: Page) -> int:
    """The cursor, seconds after the opening."""
    hours, minutes, seconds = map(int, page.get_by_test_id("elapsed").inner_text().split(":"))
    return hours * 3600 + minutes * 60 + seconds


def test_a_wrong_code_is_refused_in_words(demo: Demo, page: Page) -> None:
    page.goto(demo.summary["inspect_url"])
    page.get_by_label("登录码", exact=True).fill("WRONG-CODE")
    page.keyboard.press("Enter")
    expect(page.get_by_text("登录码不正确")).to_be_visible()
    expect(page.get_by_role("heading", name="巡查墙")).to_have_count(0)


def test_the_wall_shows_each_room_moving_with_its_case(
    hearing: str, inspector: Page, demo: Demo, tmp_path: Path
) -> None:
    tile = inspector.locator(f'[data-room="{demo.room["address"]}"]')
    expect(tile).to_contain_text(str(CASE["case_no"]))
    until("a picture on the wall", lambda: moves(inspector, ".tile [data-live]"), 20)
    expect(tile).to_contain_text(re.compile(r"延迟 \d+ ms"))
    screenshot(inspector, "inspect-wall", tmp_path)
    inspector.get_by_placeholder("法庭、案号或案由").fill("没有这样的案件")
    expect(inspector.get_by_text("没有符合筛选条件的法庭")).to_be_visible()
    inspector.get_by_role("button", name="清除筛选").click()
    expect(tile).to_be_visible()


def test_a_tile_is_the_room_s_small_picture_while_it_is_on_the_screen_and_stays_until_the_large_one_is_there(
    hearing: str, inspector: Page, demo: Demo
) -> None:
    address = demo.room["address"]
    recorder = psutil.Process(demo.summary["pids"]["room-01.recorder"])

    def makes_it() -> bool:
        return any("hardware.program.tile" in command_line(worker) for worker in recorder.children())

    small = f'.tile canvas[data-track="{address}/tile"]'
    until("the small picture", lambda: moves(inspector, small), 60)
    size = "(selector) => { const { width, height } = document.querySelector(selector); return [width, height]; }"
    assert inspector.evaluate(size, small) == [640, 360]
    assert makes_it()
    filters = inspector.get_by_placeholder("法庭、案号或案由")
    filters.fill("没有这样的案件")
    expect(inspector.locator("[data-live]")).to_have_count(0)
    until("nobody looks, nothing is made", lambda: not makes_it(), 60)
    filters.fill("")
    until("the small picture again", lambda: moves(inspector, small), 60)
    inspector.evaluate(
        """() => {
            window.handed = [];
            new MutationObserver(() => {
                const picture = document.querySelector('.stand-in canvas');
                if (!picture) return;
                const { data } = picture.getContext('2d').getImageData(0, 0, picture.width, picture.height);
                window.handed.push([picture.width, picture.height, data.some((value, at) => at % 4 < 3 && value > 60)]);
            }).observe(document, { childList: true, subtree: true });
        }"""
    )
    inspector.locator(f'[data-room="{address}"]').click()
    large = f'canvas[data-track="{address}/bench"]'
    until("the large picture", lambda: moves(inspector, large), 60)
    assert inspector.evaluate(size, large) == [1280, 720]
    expect(inspector.locator(".stand-in")).to_have_count(0)
    assert [640, 360, True] in inspector.evaluate("window.handed"), "what was decoded small stood there"
    until("nobody looks at a wall any more", lambda: not makes_it(), 60)


def test_the_room_page_follows_words_and_exhibit_live(
    hearing: str, clerk: Clerk, inspector: Page, demo: Demo, tmp_path: Path
) -> None:
    address = demo.room["address"]
    inspector.locator(f'[data-room="{address}"]').click()
    expect(inspector.locator('[data-mode="live"]')).to_be_visible()
    for camera in ("bench", "parties"):
        until(f"the camera {camera}", lambda c=camera: moves(inspector, f'[data-live][data-track="{address}/{c}"]'), 20)  # type: ignore[misc]  # a lambda's default
    first = clerk.state()["hearing"]["utterances"][0]
    expect(inspector.locator(f'[data-utterance="{first["id"]}"]')).to_contain_text(first["text"])
    exhibit = clerk.state()["hearing"]["exhibits"][0]["id"]
    expect(inspector.locator(f'[data-exhibit="{exhibit}"][data-page="1"] img')).to_be_visible()
    clerk.send("PUT", "/api/presentation", json={"exhibit": exhibit, "page": 2, "zoom": 1, "x": 0.5, "y": 0.5})
    expect(inspector.locator(f'[data-exhibit="{exhibit}"][data-page="2"]')).to_be_visible()
    screenshot(inspector, "inspect-room", tmp_path)
    chip = inspector.locator("details.chip")
    expect(chip).to_contain_text(re.compile(r"WebCodecs · 延迟 \d+ ms"))
    chip.locator("summary").click()
    for stage in ("摄取到本页", "解码", "等待显示", "合计"):
        expect(chip.get_by_role("row", name=stage)).to_be_visible()
    screenshot(inspector, "inspect-stages", tmp_path)
    assert Axe().run(inspector).violations_count == 0
    chip.locator("summary").click()
    swap = inspector.get_by_role("button", name=re.compile("放大当事人席"))
    swap.click()
    expect(inspector.get_by_role("button", name=re.compile("放大审判席"))).to_be_visible()
    clerk.send("DELETE", "/api/presentation")
    expect(inspector.get_by_text("此刻没有出示证据")).to_be_visible()


def test_a_past_moment_plays_while_the_hearing_goes_on(
    hearing: str, inspector: Page, demo: Demo, tmp_path: Path
) -> None:
    address = demo.room["address"]
    inspector.locator(f'[data-room="{address}"]').click()
    line = inspector.get_by_role("slider", name="庭审时间轴")
    box = line.bounding_box()
    assert box is not None
    record = get(inspector, f"/api/hearings/{hearing}")
    end_ms = record["now_ms"] - record["opened_ms"]
    inspector.mouse.click(box["x"] + box["width"] * 5000 / end_ms, box["y"] + box["height"] / 2)
    expect(inspector.locator('[data-mode="past"]')).to_be_visible()
    until("the picture of then", lambda: moves(inspector, f'video[data-track="{address}/bench"]'), 30)
    frame = until("a time code", lambda: shown(inspector, f"{address}/bench"), 30)
    of_room_ms = frame[1] - (record["opened_utc_ms"] - record["opened_ms"])
    assert abs(of_room_ms - frame[0]) < 500, "the picture is of another moment than the cursor says"
    assert abs(elapsed_s(inspector) - (frame[0] - record["opened_ms"]) / 1000) < 4
    screenshot(inspector, "inspect-playback", tmp_path)

    # Space holds the cursor, arrows move it, End goes back to live.
    line.focus()
    inspector.keyboard.press("Space")
    expect(inspector.get_by_role("button", name=re.compile("^播放"))).to_be_visible()
    held = elapsed_s(inspector)
    inspector.keyboard.press("ArrowRight")
    until("ten seconds more", lambda: held + 9 <= elapsed_s(inspector) <= held + 12, 10)
    inspector.keyboard.press("End")
    expect(inspector.locator('[data-mode="live"]')).to_be_visible()


def test_a_line_of_the_transcript_plays_its_moment(hearing: str, inspector: Page, demo: Demo) -> None:
    inspector.goto(inspector.url.split("#")[0] + f"#/hearing/{hearing}?t=0")
    record = get(inspector, f"/api/hearings/{hearing}")
    said = record["utterances"][1]
    line = inspector.locator(f'[data-utterance="{said["id"]}"]')
    line.get_by_role("button").click()
    expect(line).to_have_class(re.compile("current"))
    start_s = (said["start_ms"] - record["opened_ms"]) / 1000
    track = f"{demo.room['address']}/bench"
    until("the picture of the line", lambda: moves(inspector, f'video[data-track="{track}"]'), 30)
    frame = until("a time code", lambda: shown(inspector, track), 30)
    assert start_s - 1 < (frame[0] - record["opened_ms"]) / 1000 < start_s + PATIENCE_S


def test_a_recess_is_drawn_and_skipped_with_a_note(hearing: str, clerk: Clerk, inspector: Page) -> None:
    clerk.send("POST", "/api/hearing/pause", json={"reason": "recess"})
    paused = until("the pause", lambda: (clerk.state()["hearing"] or {}).get("pauses"))[0]
    until("a recess of two seconds", lambda: clerk.state()["now_ms"] >= paused["from_ms"] + 2000)
    clerk.send("POST", "/api/hearing/resume", json={})

    def recorded() -> dict[str, Any] | None:
        record = get(inspector, f"/api/hearings/{hearing}")
        tracks = [t for t in record["tracks"] if t["id"] in ("bench", "mix")]
        ended = record["pauses"] and record["pauses"][0]["to_ms"]
        there = ended and all(t["ranges"] and t["ranges"][-1][1] > ended + 4000 for t in tracks)
        return dict(record) if there else None

    record = until("media after the recess", recorded)
    at_ms = paused["from_ms"] - record["opened_ms"] - 1500
    inspector.goto(inspector.url.split("#")[0] + f"#/hearing/{hearing}?t={at_ms:.0f}")
    expect(inspector.get_by_test_id("note")).to_contain_text("休庭，未录制", timeout=30_000)
    resumed_s = (record["pauses"][0]["to_ms"] - record["opened_ms"]) / 1000
    until("the cursor behind the recess", lambda: elapsed_s(inspector) >= int(resumed_s), 30)
    expect(inspector.locator(".bar.pause")).to_have_count(1)


def test_one_seat_is_heard_alone_without_losing_the_cursor(hearing: str, demo: Demo, inspector: Page) -> None:
    track = f"{demo.room['address']}/bench"
    inspector.goto(inspector.url.split("#")[0] + f"#/hearing/{hearing}?t=3000")
    until("the picture", lambda: moves(inspector, f'video[data-track="{track}"]'), 60)
    before = elapsed_s(inspector)
    with inspector.expect_response(lambda answer: "seat=" in answer.url and answer.ok, timeout=30_000) as asked:
        inspector.get_by_test_id("solo").select_option(label="原告")
    assert asked.value.headers["x-wutong-mime"] == 'audio/mp4; codecs="flac"'
    until("the picture goes on", lambda: moves(inspector, f'video[data-track="{track}"]'), 60)
    assert before <= elapsed_s(inspector) < before + PATIENCE_S
    # What is decoded from now on is that seat: an element of its own source has heard nothing before.
    heard = f"() => document.querySelector('video[data-track=\"{track}\"]').webkitAudioDecodedByteCount"
    until("its sound", lambda: inspector.evaluate(heard) > 0, 30)
    inspector.get_by_test_id("solo").select_option(label="全部席位")
    until("the mix again", lambda: moves(inspector, f'video[data-track="{track}"]'), 60)


def test_what_is_missing_is_shown_with_its_cause_and_drafts_the_explanation(
    hearing: str, demo: Demo, clerk: Clerk, inspector: Page
) -> None:
    recorder = str(demo.summary["pids"]["room-01.recorder"])
    listing = subprocess.run(["ps", "-ww", "--ppid", recorder, "-o", "pid=,args="], capture_output=True, text=True)
    camera = next(row for row in listing.stdout.splitlines() if "simulated_camera" in row and '"parties"' in row)
    os.kill(int(camera.split()[0]), signal.SIGKILL)

    def declared() -> list[dict[str, Any]]:
        return [gap for gap in clerk.state()["hearing"]["gaps"] if gap["track"] == "parties"]

    until("the declared gap", declared)
    until("the gap at the center", lambda: [g for g in get(inspector, f"/api/hearings/{hearing}")["gaps"]
                                            if g["track"] == "parties"])  # fmt: skip
    inspector.goto(inspector.url.split("#")[0] + f"#/hearing/{hearing}?t=1000")
    expect(inspector.get_by_test_id("missing-parties").locator(".gap").first).to_be_visible(timeout=30_000)
    summary = inspector.get_by_test_id("gaps")
    expect(summary).to_contain_text(re.compile(r"缺口 \d+ 处 · 共 [\d.]+ 秒"))
    summary.focus()
    inspector.keyboard.press("Enter")
    expect(inspector.locator("#gap-list")).to_contain_text("当事人席 缺")
    inspector.keyboard.press("Escape")
    expect(inspector.locator("#gap-list")).to_have_count(0)

    inspector.get_by_role("button", name="查看草稿").click()
    text = inspector.get_by_label("情况说明正文，可以修改")
    for words in (str(CASE["case_no"]), "当事人席", "审判长（独任审判员）：＿"):
        expect(text).to_have_value(re.compile(re.escape(words)))
    inspector.evaluate(
        "() => { window.print = () => { window.printed = document.querySelector('.print-only').innerText } }"
    )
    inspector.get_by_role("button", name="打印").click()
    assert str(CASE["case_no"]) in inspector.evaluate("window.printed")
    assert declared()[0]["why"] in text.input_value()


def test_the_archive_finds_words_and_plays_them(hearing: str, inspector: Page, demo: Demo, tmp_path: Path) -> None:
    record = get(inspector, f"/api/hearings/{hearing}")
    said = max(record["utterances"][:3], key=lambda u: len(u["text"]))
    word = re.sub(r"[^\u4e00-\u9fff]", " ", said["text"]).split()[0][:4]
    inspector.get_by_role("link", name="庭审档案").click()
    expect(inspector.locator(f'[data-hearing="{hearing}"]')).to_contain_text(str(CASE["case_no"]))
    screenshot(inspector, "inspect-archive", tmp_path)
    inspector.get_by_label("在全部笔录中搜索").fill(word)
    inspector.keyboard.press("Enter")
    hit = inspector.locator(f'a[data-utterance="{said["id"]}"]')
    expect(hit.locator("mark").first).to_have_text(word)
    hit.click()
    track = f"{demo.room['address']}/bench"
    until("the picture of the hit", lambda: moves(inspector, f'video[data-track="{track}"]'), 30)
    start_s = (said["start_ms"] - record["opened_ms"]) / 1000
    assert start_s - 1 <= elapsed_s(inspector) < start_s + PATIENCE_S
    inspector.goto(inspector.url.split("#")[0] + "#/archive?q=绝无此词")
    expect(inspector.get_by_text("没有找到“绝无此词”")).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_keeps_anybody_out(hearing: str, demo: Demo, inspector: Page, language: str) -> None:
    inspector.evaluate("(language) => localStorage.setItem('wutong.lang', language)", language)
    top = demo.summary["inspect_url"]
    pages = {
        "#/": ".tile",
        f"#/room/{demo.room['address']}": '[data-mode="live"] [role=slider]',
        f"#/hearing/{hearing}?t=1000": '[data-mode="past"] [role=slider]',
        "#/archive": "tbody tr",
        "#/archive?q=审": ".results h2",
    }
    for address, sign in pages.items():
        inspector.goto(top + address)
        inspector.reload()
        expect(inspector.locator(sign).first).to_be_visible(timeout=20_000)
        assert inspector.evaluate("document.documentElement.lang") == ("zh-CN" if language == "zh" else "en")
        found = Axe().run(inspector)
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"


def test_a_center_that_died_is_said_and_found_again(hearing: str, demo: Demo, inspector: Page) -> None:
    expect(inspector.locator(".tile")).to_have_count(1)
    os.kill(demo.summary["pids"]["center"], signal.SIGKILL)
    expect(inspector.get_by_text("与服务器的连接已断开")).to_be_visible(timeout=30_000)
    expect(inspector.get_by_text("与服务器的连接已断开")).to_have_count(0, timeout=60_000)
    until("the picture again", lambda: moves(inspector, ".tile [data-live]"), 60)
