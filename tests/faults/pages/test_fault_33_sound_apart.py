"""33: sound and picture of a live room are of one moment in a page, and nobody gets sound that nobody hears."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.faults.pages.conftest import LIVE, holds, plays, signed_in
from tests.support.peers.center_peers import RoomPeer, Served, fragmented_mp4, until
from tests.support.peers.live_camera import CameraPeer, tone_mp4

pytestmark = [pytest.mark.browser, pytest.mark.alone]
MIX = "court1/c03/mix"
APART_MS = 40
"""Lips and voice: nobody sees them apart by less."""


async def apart_ms(page: Page, looks: int) -> list[float]:
    """So many times how much later than its picture sound was heard, as the page measures it, in order of size."""
    found: list[float] = []
    frames = -1
    while len(found) < looks:
        await holds(page, f"{LIVE}.dataset.soundLateMs !== '' && Number({LIVE}.dataset.frames) > {frames}")
        late, frames = await page.evaluate(f"[Number({LIVE}.dataset.soundLateMs), Number({LIVE}.dataset.frames)]")
        found.append(float(late))
    return sorted(found)


async def test_sound_and_picture_are_of_one_moment(
    served: Served, room: RoomPeer, tmp_path: Path, chromium: Browser
) -> None:
    sound = CameraPeer(room, tone_mp4(tmp_path / "tone.mp4"), track="mix")
    camera = CameraPeer(room, fragmented_mp4(tmp_path / "footage.mp4"), beside=sound)
    async with camera.running(), sound.running():
        page = await signed_in(chromium, served, "/room/court1/c03")
        await plays(page, "WebCodecs")
        assert MIX not in served.center.live.gateway.watched
        await page.keyboard.press("m")
        await until(lambda: MIX in served.center.live.gateway.watched)
        found = await apart_ms(page, 20)
        assert abs(found[len(found) // 2]) <= APART_MS, found
        await plays(page, "WebCodecs")

        await page.keyboard.press("m")
        await until(lambda: MIX not in served.center.live.gateway.watched)
        await holds(page, f"{LIVE}.dataset.soundLateMs === ''")
        await plays(page, "WebCodecs")
