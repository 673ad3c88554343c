"""What one tab, or one session with many, can make the center keep."""

from __future__ import annotations

import contextlib

import pytest
import websockets

from server.api.inspectors import MAX_TABS
from sync.http.live.gateway import MAX_WATCHED
from tests.support.peers.center_peers import Served, until
from tests.support.peers.live_tab import tab


async def test_what_no_page_says_is_not_kept_and_what_pages_say_is_bounded(served: Served) -> None:
    async with served.inspector() as http, tab(served, http) as greedy:
        for number in range(20):
            await greedy.say(**{f"key{number}": "x" * 200_000})
        await greedy.say(rooms=["court1/c03", "x" * 5000, *(f"court1/c{n}" for n in range(500))])
        (kept,) = served.center.live.gateway.tabs
        await until(lambda: kept.wanted)
        assert list(kept.wanted) == ["rooms"]
        assert kept.wanted["rooms"][:2] == ["court1/c03", "court1/c0"]
        assert len(kept.wanted["rooms"]) < MAX_WATCHED


@pytest.mark.parametrize("rooms", ["court1/c03", {"a": 1}, [["court1/c03"]], [1]])
async def test_what_is_no_list_of_addresses_is_not_of_the_protocol(served: Served, rooms: object) -> None:
    async with served.inspector() as http, tab(served, http) as wrong:
        await wrong.say(rooms=rooms)
        await wrong.ws.wait_closed()
        assert wrong.ws.close_code == 1008


async def test_a_session_has_so_many_live_pages_and_another_session_its_own(served: Served) -> None:
    async with served.inspector() as http, contextlib.AsyncExitStack() as pages:
        for _ in range(MAX_TABS):
            await pages.enter_async_context(tab(served, http))
        cookie = "; ".join(f"{k}={v}" for k, v in http.cookies.items())
        address = served.url.replace("http", "ws") + "/api/live"
        async with websockets.connect(address, origin=served.url, additional_headers={"Cookie": cookie}) as ws:  # type: ignore[arg-type]
            await ws.wait_closed()
            assert ws.close_code == 1013
        async with served.inspector() as other, tab(served, other):
            assert len(served.center.live.gateway.tabs) == MAX_TABS + 1
