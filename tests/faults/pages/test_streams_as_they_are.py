"""Streams as cameras send them: reordered pictures, another size in the middle, key frames far apart, H.265."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.faults.pages.conftest import LIVE, PATIENCE_MS, holds, plays, signed_in
from tests.support.browsers.looks import looked_at
from tests.support.peers.center_peers import RoomPeer, Served, until
from tests.support.peers.live_camera import CameraPeer, noisy_mp4, unit_mp4

pytestmark = [pytest.mark.browser, pytest.mark.alone]
H264 = "-c:v libx264 -preset ultrafast -g 25 -sc_threshold 0"
IN_ORDER = f"{H264} -bf 0"
REORDERED = f"{H264} -bf 2 -x264-params b-adapt=0:bframes=2"
H265 = "-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params log-level=none:keyint=25"


async def decoded(page: Page) -> int:
    return int(await page.evaluate(f"Number({LIVE}.dataset.decoded || 0)"))


async def test_reordered_pictures_are_all_shown(
    served: Served, room: RoomPeer, chromium: Browser, path: str, tmp_path: Path
) -> None:
    """One that a decoder gave out of its order would be dropped, and not be counted."""
    camera = CameraPeer(room, unit_mp4(tmp_path / "reordered.mp4", REORDERED))
    assert any(one.offset for one in camera._fragments[1:])
    async with camera.running():
        page = await signed_in(chromium, served, "/room/court1/c03", path=path)
        await plays(page, path)
        sent, seen = camera.sent, await decoded(page)
        await until(lambda: camera.sent >= sent + 150)
        assert await decoded(page) - seen > (camera.sent - sent) * 0.9
        await plays(page, path)


async def test_pictures_of_another_size_go_on_in_the_same_player(
    served: Served, room: RoomPeer, chromium: Browser, path: str, tmp_path: Path
) -> None:
    large = unit_mp4(tmp_path / "large.mp4", IN_ORDER, size="640x480")
    camera = CameraPeer(room, unit_mp4(tmp_path / "small.mp4", IN_ORDER))
    async with camera.running():
        page = await signed_in(chromium, served, "/room/court1/c03", path=path)
        await plays(page, path)
        size = f"({LIVE}.tagName === 'VIDEO' ? {LIVE}.videoWidth : {LIVE}.width)"
        await holds(page, f"{size} === 320")
        await page.evaluate(f"{LIVE}.id = 'first'")
        source = await page.evaluate(f"{LIVE}.src ?? ''")
        sent, seen = camera.sent, await decoded(page)
        camera.go_on_with(large)
        await holds(page, f"{size} === 640")
        await until(lambda: camera.sent >= sent + 150)
        assert await decoded(page) - seen > (camera.sent - sent) * 0.9
        await plays(page, path)
        assert await page.evaluate(f"[{LIVE}.id, {LIVE}.src ?? '']") == ["first", source]


@pytest.mark.parametrize("rate", [10, 2])
async def test_pictures_that_come_more_seldom_than_they_say_are_all_shown(
    served: Served, room: RoomPeer, chromium: Browser, tmp_path: Path, rate: int
) -> None:
    """A media element that was told of 40 ms would drop all up to the next key frame."""
    camera = CameraPeer(room, unit_mp4(tmp_path / "seldom.mp4", IN_ORDER, rate=rate))
    camera.said_ms = 40
    async with camera.running():
        page = await signed_in(chromium, served, "/room/court1/c03", path="MSE")
        await plays(page, "MSE")
        sent, seen = camera.sent, await decoded(page)
        await until(lambda: camera.sent >= sent + 5 * rate)
        assert await decoded(page) - seen >= 5 * rate * 0.8
        await plays(page, "MSE")


async def test_a_group_that_is_too_long_begins_at_the_next_key_frame_and_the_page_says_so(
    served: Served, room: RoomPeer, chromium: Browser, path: str, tmp_path: Path
) -> None:
    camera = CameraPeer(room, noisy_mp4(tmp_path / "long.mp4", seconds=8, rate="400k", key_s=8, fragment_ms=1))
    camera.only_keys, camera.long_keys_s = True, 50
    async with camera.running():
        page = await signed_in(chromium, served, "/room/court1/c03", path=path)
        words = page.get_by_text("摄像机约 50 秒才送来一幅关键帧")
        await expect(words.first).to_be_visible(timeout=PATIENCE_MS)
        await looked_at(page, f"long-group-{path}-1280")
        camera.only_keys = False
        await plays(page, path)
        await expect(words).to_have_count(0)


async def test_h265_is_shown_where_it_can_be_decoded_and_else_the_page_says_why(
    served: Served, room: RoomPeer, chromium: Browser, tmp_path: Path
) -> None:
    camera = CameraPeer(room, unit_mp4(tmp_path / "h265.mp4", H265))
    async with camera.running():
        page = await signed_in(chromium, served, "/room/court1/c03")
        config = "{ codec: 'hvc1.1.6.L60.90' }"
        if await page.evaluate(f"VideoDecoder.isConfigSupported({config}).then((one) => one.supported, () => false)"):
            await plays(page, "WebCodecs")
        else:
            words = page.get_by_text("此浏览器不能播放 H.265 (HEVC) 画面")
            await expect(words.first).to_be_visible(timeout=PATIENCE_MS)


async def test_the_h264_that_is_made_of_h265_is_shown_in_its_place(
    served: Served, room: RoomPeer, chromium: Browser, tmp_path: Path
) -> None:
    made = CameraPeer(room, unit_mp4(tmp_path / "made.mp4", IN_ORDER), track="bench-h264")
    camera = CameraPeer(room, unit_mp4(tmp_path / "h265.mp4", H265), beside=made)
    async with camera.running(), made.running():
        page = await signed_in(chromium, served, "/room/court1/c03")
        mime = camera.init.mime
        cannot = not await page.evaluate(f"MediaSource.isTypeSupported({mime!r})")
        shown = "court1/c03/bench-h264" if cannot else "court1/c03/bench"
        await holds(page, f"{LIVE}?.dataset.track === '{shown}'")
        if cannot:
            await plays(page, "WebCodecs")
