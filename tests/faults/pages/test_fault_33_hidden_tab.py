"""33: a tab that nobody looks at keeps little, asks for nothing after a while, and is live when it is looked at."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.faults.pages.conftest import LIVE, buffered_s, holds, plays, shown_s, signed_in, small_chromium
from tests.support.browsers import hidden_tab
from tests.support.peers.center_peers import RoomPeer, Served, until
from tests.support.peers.live_camera import CameraPeer
from tests.support.peers.live_tab import BENCH

pytestmark = [pytest.mark.browser, pytest.mark.alone]

MOST_UNTOLD = 25
"""Pictures that were decoded before the tab was hidden, and that the page is told of afterwards."""


async def passes(camera: CameraPeer, fragments: int) -> None:
    begun = camera.sent
    await until(lambda: camera.sent >= begun + fragments)


async def test_a_hidden_tab_keeps_little_and_then_rests(
    served: Served, room: RoomPeer, footage: bytes, chromium: Browser, path: str
) -> None:
    camera = CameraPeer(room, footage)
    async with camera.running():
        page = await signed_in(chromium, served, "/room/court1/c03", path=path)
        await plays(page, path)
        stood_s = await shown_s(page)
        await hidden_tab.hide(page)
        decoded = await page.evaluate(f"{LIVE}.dataset.decoded")
        if path == "MSE":
            for lead_s in range(5, 65, 5):  # a minute of it comes ahead, in pieces that no queue on its way need drop
                camera.lead_s = lead_s
                await holds(page, f"tab.bufferedEnd() > {stood_s} + {lead_s - 10}")
            assert await buffered_s(page) < 30
        else:
            await passes(camera, 20)
            assert int(await page.evaluate(f"{LIVE}.dataset.decoded")) <= int(decoded) + MOST_UNTOLD
        assert BENCH in served.center.live.gateway.watched, "a short look at another tab costs nothing"

        await hidden_tab.pass_time(page, 11_000)
        await until(lambda: BENCH not in served.center.live.gateway.watched)
        await until(lambda: room.demands()[-1]["tracks"] == [])
        await passes(camera, 10)
        left_s = camera.end_s
        await hidden_tab.show(page)
        # Nothing of what it missed is played: it is not there. A media element may show the end of what it had before.
        await holds(page, f"Number({LIVE}.dataset.shownMs) > {(left_s - 2) * 1000}")
        await plays(page, path)


async def test_a_full_hidden_tab_goes_on_with_what_is_new(served: Served, camera: CameraPeer) -> None:
    """A browser that holds one megabyte, less than three seconds of this camera, really refuses the append."""
    async with small_chromium("--mse-video-buffer-size-limit-mb=1") as browser, camera.running():
        page = await signed_in(browser, served, "/room/court1/c03", path="MSE")
        await plays(page, "MSE")
        await hidden_tab.hide(page)
        await holds(page, "tab.log.includes('QuotaExceededError')")
        await passes(camera, 20)
        await hidden_tab.show(page)
        await plays(page)
        assert set(await hidden_tab.refused_appends(page)) == {"QuotaExceededError"}


async def test_a_tab_that_is_looked_at_again_shows_the_live_edge_without_a_new_key_frame(
    served: Served, room: RoomPeer, one_key: bytes, chromium: Browser
) -> None:
    camera = CameraPeer(room, one_key)
    async with camera.running():
        page = await signed_in(chromium, served, "/room/court1/c03")
        await plays(page, "WebCodecs")
        await hidden_tab.hide(page)
        await passes(camera, 10)
        key_frames, left_s = camera.key_frames, camera.end_s
        await hidden_tab.show(page)
        await holds(page, f"Number({LIVE}.dataset.shownMs) > {left_s * 1000 - 500}")
        assert camera.key_frames == key_frames
