"""33: what kills a player, live or in playback, has it opened anew by itself, and the page says so meanwhile."""

from __future__ import annotations

import hashlib

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.faults.pages.conftest import LIVE, PATIENCE_MS, cursor_s, holds, plays, signed_in, small_chromium
from tests.server.access.test_sealed_parts import at_room_time, store
from tests.support.browsers import hidden_tab
from tests.support.browsers.looks import looked_at
from tests.support.peers.center_peers import ROOM_NS, RoomPeer, Served, event, opening, until
from tests.support.peers.live_camera import CameraPeer

pytestmark = [pytest.mark.browser, pytest.mark.alone]
SECONDS = 12


async def record(served: Served, room: RoomPeer, media: bytes) -> None:
    """Have the center hold a closed hearing of one camera."""
    data = at_room_time(media)
    digest = hashlib.sha256(data).hexdigest()
    of_file = {"track": "bench", "index": 0, "file": "bench/00000.mp4", "bytes": len(data), "sha256": digest}
    of_time = {"from_ns": ROOM_NS, "to_ns": ROOM_NS + SECONDS * 10**9, "fragments": 1, "mime": "video/mp4"}
    for one in (
        opening(1),
        event(2, "segment", {**of_file, **of_time}, at_ms=SECONDS * 1000 - 100),
        event(3, "close", {}, at_ms=SECONDS * 1000),
    ):
        room.publish("events", one)
    await until(lambda: room.receipts() >= {1, 2, 3})
    await store(served, "segment", data)


async def played_to(page: Page, of_hearing_s: float) -> None:
    await holds(page, f"document.querySelector('video')?.currentTime > {ROOM_NS / 1e9 + of_hearing_s}")


@pytest.mark.parametrize("how", ["no-media", "no-picture"])
async def test_a_live_picture_that_breaks_off_comes_back(
    served: Served, camera: CameraPeer, chromium: Browser, path: str, how: str
) -> None:
    async with camera.running():
        page = await signed_in(chromium, served, "/room/court1/c03", path=path)
        await plays(page, path)
        if how == "no-media":
            camera.spoiled = 3
        else:
            camera.garbled = 3
        await expect(page.get_by_text("播放中断，正在自动重新打开").first).to_be_visible(timeout=PATIENCE_MS)
        await looked_at(page, f"live-again-{path}-1280")
        await plays(page, path)


async def test_a_worker_that_dies_is_replaced_with_its_canvas(
    served: Served, camera: CameraPeer, chromium: Browser
) -> None:
    async with camera.running():
        page = await signed_in(chromium, served, "/room/court1/c03")
        await plays(page, "WebCodecs")
        await page.evaluate(f"{LIVE}.id = 'first'")
        for worker in page.workers:
            await worker.evaluate("setTimeout(() => { throw new Error('dead'); })")
        await holds(page, f"{LIVE}?.id === ''")
        await plays(page, "WebCodecs")


async def test_playback_in_a_small_browser_goes_on_in_small_pieces(
    served: Served, room: RoomPeer, long_noise: bytes
) -> None:
    """One request's media is more than the browser holds; then what was played gives way to what comes."""
    await record(served, room, long_noise)
    async with small_chromium("--mse-video-buffer-size-limit-mb=1") as browser:
        page = await signed_in(browser, served, "/hearing/h1?t=0")
        await expect(page.get_by_text("改为小段读取").first).to_be_visible(timeout=PATIENCE_MS)
        assert await cursor_s(page) < ROOM_NS / 1e9 + 4, "nothing is passed over"
        await looked_at(page, "small-pieces-1280")
        await page.get_by_role("button", name="2×").click()
        await played_to(page, 11)
        assert "QuotaExceededError" in await hidden_tab.refused_appends(page)
        # Back to what the browser has thrown out long ago.
        await page.get_by_role("slider", name="庭审时间轴").focus()
        await page.keyboard.press("Home")
        await holds(page, f"document.querySelector('video').currentTime < {ROOM_NS / 1e9 + 3}")
        await played_to(page, 1.5)


async def test_playback_that_breaks_off_is_opened_anew_where_it_was(
    served: Served, room: RoomPeer, long_noise: bytes, chromium: Browser
) -> None:
    await record(served, room, long_noise)
    spoiled = 0

    async def spoil(route: Route) -> None:
        """What the second request brings is no media, twice."""
        nonlocal spoiled
        answer = await route.fetch()
        if spoiled < 2 and float(answer.headers.get("x-wutong-from-ms", 0)) > ROOM_NS / 1e6 + 9000:
            spoiled += 1
            await route.fulfill(response=answer, body=(await answer.body()).replace(b"moof", b"moov"))
        else:
            await route.fulfill(response=answer)

    page = await signed_in(chromium, served, "/hearing/h1?t=0")
    await page.route("**/media/**", spoil)
    await page.reload()
    await expect(page.get_by_text("播放中断，正在自动重新打开").first).to_be_visible(timeout=PATIENCE_MS)
    assert await cursor_s(page) < ROOM_NS / 1e9 + SECONDS
    await played_to(page, 3)
    assert spoiled == 2
