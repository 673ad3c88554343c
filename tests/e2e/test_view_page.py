"""A party views the one hearing that was granted: the archivist's page and the party's, in a real browser, before a
real center to which a room has sent a hearing of some seconds."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import screenshot
from tests.support.peers import center_peers
from tests.support.peers.center_peers import RoomPeer, config_text, metadata, mosquitto
from tests.support.peers.device_signatures import enroll_at, signed_claim
from tests.support.ports import free_port

pytestmark = pytest.mark.browser

PATIENCE_MS = 60_000
SECONDS = 12
LINES = [
    ("审判长", "现在开庭。请原告陈述诉讼请求。"),
    ("原告代理人", "请求判令被告归还借款本金三十万元及利息。"),
    ("被告", "借款属实，但已经归还了五万元。"),
]
MEDIA = {
    "bench": f"-f lavfi -i testsrc2=size=640x360:rate=25 -t {SECONDS} -c:v libx264 -preset ultrafast -bf 0 -g 25"
    " -pix_fmt yuv420p",
    "party": f"-f lavfi -i smptebars=size=320x180:rate=25 -t {SECONDS} -c:v libx264 -preset ultrafast -bf 0 -g 25"
    " -pix_fmt yuv420p",
    "mix": f"-f lavfi -i sine=f=330:r=48000 -t {SECONDS} -ac 1 -c:a aac -b:a 64k",
}
FLAGS = "-movflags empty_moov+default_base_moof+frag_keyframe -frag_duration 160000 -f mp4"


def story(digests: dict[str, tuple[str, int]]) -> list[dict[str, Any]]:
    """A hearing that is over; the media's own time is the room's, from zero."""
    first = center_peers.opening(1)
    first["body"]["case"]["cause"] = "民间借贷纠纷"
    first["body"]["seats"] = [{"id": f"s{n}", "role": role, "roles": [role]} for n, (role, _) in enumerate(LINES)]
    kinds = {"bench": ("video", "审判席"), "party": ("video", "当事人席"), "mix": ("audio", "混音")}
    first["body"]["tracks"] = [{"id": track, "kind": kind, "name": name} for track, (kind, name) in kinds.items()]
    events = [first]
    for n, (role, text) in enumerate(LINES):
        one = center_peers.said(10 + n, text, role=role, at_ms=500 + n * 3500)
        one["body"] |= {"seat": f"s{n}", "end_ns": one["body"]["start_ns"] + 3_000_000_000}
        events.append(one)
    struck = {"line": "u12", "base": 12, "set": {"text": "借款属实，但已归还五万元。", "doubtful": True}}
    act = {"id": "r1", "act": "edit", "by": "clerk", "tab": "t", "name": "王五", "reason": "", "changes": [struck]}
    events.append(center_peers.event(20, "revision", act, at_ms=11_000))
    for n, (track, (sha256, size)) in enumerate(digests.items()):
        body = {"track": track, "index": 0, "file": f"{track}/0.mp4", "bytes": size, "sha256": sha256, "fragments": 1}
        body |= {"from_ns": 0, "to_ns": SECONDS * 10**9, "mime": ""}
        events.append(center_peers.event(30 + n, "segment", body, at_ms=12_000))
    words = {"id": "t1", "version": 1, "sha256": "a" * 64, "lines": 3, "through": 20}
    strokes = [[[0.1, 0.6, 0, 1], [0.3, 0.2, 20, 1], [0.45, 0.8, 40, 1], [0.7, 0.3, 60, 1], [0.9, 0.6, 80, 1]]]
    mine = {"id": "s1", "transcript": "a" * 64, "role": "原告", "name": "张三", "act": "sign", "reason": ""}
    events.append(center_peers.event(40, "close", {}, at_ms=SECONDS * 1000))
    events.append(center_peers.event(41, "transcript", words, at_ms=13_000))
    events.append(center_peers.event(42, "signature", {**mine, "size": [4, 3], "strokes": strokes}, at_ms=14_000))
    return events


@pytest.fixture(scope="module")
def center(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int, dict[str, str]]]:
    """(address, the broker's port, sign-in codes) of a center that holds the hearing."""
    folder = tmp_path_factory.mktemp("center")
    broker, port = free_port(), free_port()
    config = folder / "center.toml"
    config.write_text(config_text(folder / "data", broker, port))
    with mosquitto(folder, broker), pytest.MonkeyPatch.context() as patch:
        patch.setattr(center_peers, "ROOM_NS", 0)
        with (folder / "center.log").open("wb") as log:
            command = [sys.executable, "-m", "wutong", "server", "--config", str(config)]
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            asyncio.run(enroll_at(config, ["court1/c03"]))
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                try:
                    httpx.get(url + "/api/session", timeout=2)
                    break
                except httpx.HTTPError:
                    time.sleep(0.2)  # another process is starting: there is no event to wait for
            asyncio.run(_send(folder, url, broker, _media(folder)))
            yield url, broker, json.loads((folder / "data" / "codes.json").read_text())
        finally:
            process.terminate()
            process.wait(20)


def _media(folder: Path) -> dict[str, bytes]:
    media: dict[str, bytes] = {}
    for track, words in MEDIA.items():
        path = folder / f"{track}.mp4"
        subprocess.run(["ffmpeg", "-v", "error", "-y", *words.split(), *FLAGS.split(), str(path)], check=True)
        media[track] = path.read_bytes()
    return media


async def _send(folder: Path, url: str, broker: int, media: dict[str, bytes]) -> None:
    digests = {track: (hashlib.sha256(data).hexdigest(), len(data)) for track, data in media.items()}
    room = await RoomPeer(broker).start()
    events = story(digests)
    for event in events:
        room.publish("events", event)
    await center_peers.until(lambda: {event["number"] for event in events} <= room.receipts(), 60)
    room.stop()
    served = center_peers.Served(url, broker, folder / "data")
    async with served.uploader() as (tus, http):
        for track, data in media.items():
            upload = await tus.create(metadata(0, track=track))
            await tus.append(upload, 0, data)
            sha256, size = digests[track]
            claim = {"upload": upload, "sha256": sha256, "bytes": size, "room": "court1/c03", "hearing": "h1"}
            signed = signed_claim({**claim, "kind": "segment", "track": track, "index": 0})
            answer = await http.post("/api/objects", json=signed)
            assert answer.status_code in (200, 201), answer.text


def say(broker: int, *events: dict[str, Any]) -> None:
    """The room says something more."""

    async def send() -> None:
        room = await RoomPeer(broker).start()
        for event in events:
            room.publish("events", event)
        await center_peers.until(lambda: {event["number"] for event in events} <= room.receipts(), 60)
        room.stop()

    thread = threading.Thread(target=lambda: asyncio.run(send()))  # the browser's driver has this thread's loop
    thread.start()
    thread.join(90)


def accessible(page: Page) -> None:
    found = Axe().run(page)
    serious = [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
    assert not serious, [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in serious]


def test_the_archivist_grants_a_party_views_and_the_archivist_revokes(
    center: tuple[str, int, dict[str, str]], page: Page, browser: Browser, tmp_path: Path
) -> None:
    url, broker, codes = center
    page.goto(f"{url}/inspect#/hearing/h1")
    page.get_by_role("textbox").fill(codes["archivist"])
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_role("tab", name="案件信息").click(timeout=PATIENCE_MS)
    expect(page.get_by_text("已签名")).to_be_visible()
    link = page.get_by_test_id("grant-link")
    page.get_by_label("姓名").fill("钱律师")
    page.get_by_role("button", name="授权查阅").click()
    expect(link).to_be_visible()
    expect(page.get_by_text("未打开")).to_be_visible()
    accessible(page)
    screenshot(page, "grants", tmp_path)

    # What the clerk revises is on the inspector's page at once.
    page.get_by_role("tab", name="笔录").click()
    change = {"line": "u10", "base": 10, "set": {"text": "现在开庭。请原告陈述诉讼请求和理由。"}}
    act = {"id": "r2", "act": "edit", "by": "clerk", "tab": "t", "name": "王五", "reason": "", "changes": [change]}
    say(broker, center_peers.event(50, "revision", act, at_ms=20_000))
    expect(page.get_by_text("请原告陈述诉讼请求和理由。")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("tab", name="案件信息").click()
    page.get_by_label("姓名").fill("赵律师")
    page.get_by_role("button", name="授权查阅").click()
    expect(link).to_be_visible()

    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    party = context.new_page()
    party.goto(link.input_value())
    expect(party.get_by_text("每次查看和播放均记入法院审计日志。")).to_be_visible(timeout=PATIENCE_MS)
    assert "#" not in party.url, "the code stays in no address"
    accessible(party)
    screenshot(party, "view-notice", tmp_path)
    party.get_by_role("button", name="进入查阅").click()
    expect(party.get_by_text("借款属实，但已归还五万元。")).to_be_visible(timeout=PATIENCE_MS)
    party.get_by_role("button", name="播放").first.click()
    main = party.locator("video").first
    party.wait_for_function("() => document.querySelector('video').currentTime > 3", timeout=PATIENCE_MS)
    expect(main).to_be_visible()
    accessible(party)
    screenshot(party, "view", tmp_path)
    assert party.locator("a[download]").count() == 0

    page.get_by_role("button", name="撤销").first.click()
    expect(page.get_by_text("已撤销")).to_be_visible()
    party.get_by_text("借款属实").click()
    party.reload()
    expect(party.get_by_role("heading", name="请用法院发来的查阅链接打开本页")).to_be_visible(timeout=PATIENCE_MS)
    context.close()
