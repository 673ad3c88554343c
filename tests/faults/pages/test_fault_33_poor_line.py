"""33: a line that is slow, uneven and loses packets, and stands still for seconds, leaves the page at the live edge."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.faults.pages.conftest import LIVE, holds, plays, shown_s, signed_in
from tests.support.peers.center_peers import RoomPeer, Served, until
from tests.support.peers.live_camera import CameraPeer
from wutong.bench.live.poor_line import PoorLine

pytestmark = [pytest.mark.browser, pytest.mark.alone]
STOOD_S = 3
EDGE_S = 1.0
"""So far behind what the camera has sent a picture may be that counts as live, on a machine that may be busy."""


async def test_a_line_that_stood_still_shows_the_live_edge_again_and_nothing_piles_up(
    served: Served, room: RoomPeer, footage: bytes, chromium: Browser, path: str
) -> None:
    camera = CameraPeer(room, footage)
    line = PoorLine(int(served.url.rpartition(":")[2]))
    async with line.running() as port, camera.running():
        page = await signed_in(chromium, served, "/room/court1/c03", path=path, url=f"http://127.0.0.1:{port}")
        await plays(page, path)
        for _ in range(2):
            line.stand_still()
            stood_s = await shown_s(page)
            await until(lambda stood_s=stood_s: camera.end_s > stood_s + STOOD_S)  # type: ignore[misc]  # a default
            left_s = camera.end_s
            line.go_on()
            await holds(page, f"Number({LIVE}.dataset.shownMs) > {(left_s - EDGE_S) * 1000}")
            await holds(page, f"Number({LIVE}.dataset.lagMs) < {EDGE_S * 1000}")
            (tab,) = served.center.live.gateway.tabs
            await until(lambda tab=tab: not tab._media)  # type: ignore[misc]  # a default
            await plays(page, path)
