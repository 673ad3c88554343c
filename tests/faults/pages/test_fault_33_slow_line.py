"""33: an inspector whose line is slow holds up nobody, is told so, sees what is new, and recovers by itself."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.faults.pages.conftest import PATIENCE_MS, plays, signed_in
from tests.support.browsers import hidden_tab
from tests.support.browsers.looks import looked_at
from tests.support.peers.center_peers import Served, until
from tests.support.peers.live_camera import CameraPeer
from tests.support.peers.live_tab import BENCH, tab
from tests.support.peers.narrow_line import NarrowLine

pytestmark = [pytest.mark.browser, pytest.mark.alone]
SLOW = "网络较慢"
MOST_BYTES = 1536 * 1024
"""Four seconds of this camera: what is a second old when a key frame comes gives way to it."""


async def test_a_slow_page_is_told_so_and_holds_up_nobody(
    served: Served, camera: CameraPeer, chromium: Browser, path: str
) -> None:
    line = NarrowLine(int(served.url.rpartition(":")[2]))
    most = 0
    async with line.running() as port, camera.running(), served.inspector() as http, tab(served, http) as quick:
        await quick.say(watch=[BENCH])
        await until(lambda: quick.sequences())
        page = await signed_in(chromium, served, "/room/court1/c03", path=path, url=f"http://127.0.0.1:{port}")
        await plays(page, path)
        line.bytes_per_s = 60_000
        note = page.get_by_text(SLOW)
        await expect(note).to_be_visible(timeout=PATIENCE_MS)
        await looked_at(page, f"slow-line-{path}-1280")
        lost = sum(one.lost for one in served.center.live.gateway.tabs)
        begun, carried = camera.sent, line.carried
        while camera.sent < begun + 18:
            most = max(most, *(one._media_bytes for one in served.center.live.gateway.tabs))
            now = camera.sent
            await until(lambda now=now: camera.sent > now)  # type: ignore[misc]  # a lambda's default
        await until(lambda: line.carried > carried)  # what can be sent is sent
        await until(lambda: sum(one.lost for one in served.center.live.gateway.tabs) > lost)
        assert most < MOST_BYTES
        got = quick.sequences()
        assert got == list(range(got[0], got[0] + len(got)))
        assert not quick.of("lost")
        line.bytes_per_s = None
        await plays(page)
        await hidden_tab.pass_time(page, 9000)
        await expect(note).to_be_hidden(timeout=PATIENCE_MS)
        await plays(page)
