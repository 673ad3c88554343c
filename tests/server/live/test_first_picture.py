"""An inspector's first picture waits for nothing that it does not need: no record, no answer, no key frame."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.faults.pages.conftest import LIVE, PATIENCE_MS, footage, holds, one_key, plays, signed_in
from tests.support.peers.center_fixtures import broker_port, room, served
from tests.support.peers.center_peers import RoomPeer, Served, opening, until
from tests.support.peers.live_camera import CameraPeer
from tests.support.peers.live_tab import BENCH

__all__ = ["broker_port", "footage", "one_key", "room", "served"]
pytestmark = [pytest.mark.browser, pytest.mark.alone]
TILE = '[data-room="court1/c03"]'
LONG_S = 16
"""Pictures since the key frame: 400 of them."""
OPEN = {"id": "h1", "state": "open", "case": {"case_no": "9", "public": True}, "opened_utc_ns": 1}


async def at_the_edge(page: Page, camera: CameraPeer) -> None:
    """Wait until the picture is the newest there is, and goes on."""
    await plays(page, "WebCodecs")
    await holds(page, f"Number({LIVE}.dataset.shownMs) > {camera.end_s * 1000 - 500}")
    await plays(page, "WebCodecs")


@pytest.mark.parametrize("long_s", [0, LONG_S])
async def test_from_the_wall_a_room_has_its_picture_without_a_new_key_frame_or_a_word_to_the_room(
    served: Served, room: RoomPeer, footage: bytes, one_key: bytes, chromium: Browser, long_s: int
) -> None:
    small = CameraPeer(room, footage, track="tile")
    camera = CameraPeer(room, one_key, tile=small)
    camera.may_begin.clear()
    async with small.running(), camera.running():
        page = await signed_in(chromium, served, "/")
        await plays(page, "WebCodecs")
        assert BENCH not in served.center.live.gateway.watched, "of a room on the wall the small picture is enough"
        await page.locator(TILE).hover()
        await until(lambda: BENCH in served.center.live.gateway.watched)
        camera.lead_s = long_s
        camera.may_begin.set()
        await until(lambda: camera.sent > 5 + long_s * 25)
        told = len(room.demands())
        await page.locator(TILE).click()
        await page.locator("[data-mode=live]").wait_for()
        await at_the_edge(page, camera)
        assert camera.key_frames == 1
        assert all("bench" in demand["tracks"] for demand in room.demands()[told:])


async def test_a_room_on_whose_tile_the_pointer_rests_is_asked_for_before_it_is_opened(
    served: Served, room: RoomPeer, footage: bytes, chromium: Browser
) -> None:
    camera = CameraPeer(room, footage)
    async with camera.running():
        page = await signed_in(chromium, served, "/")
        box = await page.locator(TILE).bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + 50, box["y"] + 40)
        await until(lambda: BENCH in served.center.live.gateway.watched)
        await page.mouse.move(5, 5)
        await until(lambda: BENCH not in served.center.live.gateway.watched)


async def test_the_picture_of_a_hearing_is_there_before_its_record(
    served: Served, room: RoomPeer, footage: bytes, chromium: Browser
) -> None:
    camera = CameraPeer(room, footage)
    camera.hearing = OPEN
    room.publish("events", opening(1))
    await until(lambda: room.receipts() >= {1})
    asked, may = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await may.wait()
        await route.continue_()

    async with camera.running():
        page = await signed_in(chromium, served, "/room/court1/c03", held={"**/api/hearings/h1": hold})
        await plays(page, "WebCodecs")
        assert asked.is_set()
        await expect(page.get_by_text("正在打开庭审")).to_be_visible(timeout=PATIENCE_MS)
        await page.evaluate(f"{LIVE}.id = 'first'")
        may.set()
        await expect(page.get_by_test_id("elapsed")).to_be_visible(timeout=PATIENCE_MS)
        await plays(page, "WebCodecs")
        assert await page.evaluate(f"{LIVE}.id") == "first", "the picture stays where it is"


async def test_who_was_signed_in_has_a_picture_of_now_of_a_camera_whose_key_frame_is_long_ago(
    served: Served, room: RoomPeer, one_key: bytes, chromium: Browser
) -> None:
    camera = CameraPeer(room, one_key)
    camera.lead_s = LONG_S
    camera.may_begin.clear()
    async with camera.running():
        page = await signed_in(chromium, served, "/room/court1/c03")
        await until(lambda: BENCH in served.center.live.gateway.watched)
        camera.may_begin.set()
        await at_the_edge(page, camera)
        second = await page.context.new_page()
        await second.goto(f"{served.url}/inspect#/room/court1/c03")
        await at_the_edge(second, camera)
        assert camera.key_frames == 1


async def test_who_was_signed_in_is_sent_the_picture_while_the_page_still_asks_who_that_is(
    served: Served, room: RoomPeer, footage: bytes, chromium: Browser
) -> None:
    camera = CameraPeer(room, footage)
    may = asyncio.Event()

    async def hold(route: Route) -> None:
        await may.wait()
        await route.continue_()

    async with camera.running():
        page = await signed_in(chromium, served, "/room/court1/c03")
        await plays(page, "WebCodecs")
        await page.goto("about:blank")
        await until(lambda: not served.center.live.gateway.tabs)
        await page.route("**/api/session", hold)
        await page.goto(f"{served.url}/inspect#/room/court1/c03")
        await until(lambda: len(served.center.live.gateway.tabs) == 1)
        assert await page.locator("[data-live]").count() == 0, "nothing is shown before it is known to whom"
        may.set()
        await plays(page, "WebCodecs")

        # Whoever signs out leaves no such page behind.
        await page.get_by_role("button", name="退出").click()
        await page.get_by_role("textbox").wait_for()
        may.clear()
        await page.goto("about:blank")
        await page.goto(f"{served.url}/inspect")
        await holds(page, "document.querySelector('main.wait') !== null")
        assert not served.center.live.gateway.tabs
        may.set()
        await page.get_by_role("textbox").wait_for()
        assert not served.center.live.gateway.tabs
