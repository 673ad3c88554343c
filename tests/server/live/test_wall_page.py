"""The wall in a real browser before many rooms: pictures of what is on the screen, and the alarms of all of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from sync.http.live.tab import LiveTab
from tests.faults.pages.conftest import PATIENCE_MS, holds, signed_in
from tests.support.browsers.looks import looked_at
from tests.support.peers.center_peers import until
from tests.support.peers.many_rooms import ManyRooms, address, many_rooms

pytestmark = pytest.mark.browser
ROOMS = 48
ALARM = {"code": "disk", "subject": "", "text": "磁盘空间不足", "since_ns": 1}
ON_SCREEN = """[...document.querySelectorAll('[data-place]')].filter((tile) => {
    const box = tile.getBoundingClientRect(), main = document.getElementById('main').getBoundingClientRect();
    return box.bottom > main.top && box.top < main.bottom;
}).map((tile) => tile.dataset.place).sort()"""
WITH_PICTURE = """[...document.querySelectorAll('[data-place]')].filter((tile) => tile.querySelector('img'))
    .map((tile) => tile.dataset.place).sort()"""


def the_tab(rooms: ManyRooms) -> LiveTab:
    (tab,) = rooms.served.center.live.gateway.tabs
    assert isinstance(tab, LiveTab)
    return tab


def in_sight(rooms: ManyRooms) -> list[str]:
    return sorted(rooms.served.center.live.gateway.audience._sees[the_tab(rooms)])


async def rests(page: Page, rooms: ManyRooms) -> list[str]:
    """What is on the screen, once the center knows it."""

    async with asyncio.timeout(PATIENCE_MS / 1000):
        while (shown := list(await page.evaluate(ON_SCREEN))) != in_sight(rooms):
            await asyncio.sleep(0.05)
    return shown


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
async def test_the_wall_asks_for_what_is_on_the_screen(
    tmp_path: Path, broker_port: int, chromium: Browser, width: int, height: int
) -> None:
    async with many_rooms(tmp_path, broker_port, ROOMS) as rooms:
        page = await signed_in(chromium, rooms.served, "/", width=width, height=height)
        await expect(page.locator(".tile")).to_have_count(ROOMS)
        first = await rests(page, rooms)
        assert 0 < len(first) < ROOMS
        for number in range(ROOMS):
            rooms.thumbnail(number, 1)
            rooms.caption(number, f"现在由第{number}法庭发问")
        await holds(page, f"JSON.stringify({WITH_PICTURE}) === JSON.stringify({ON_SCREEN})")
        await expect(page.locator(f'[data-room="{first[0]}"] .caption')).to_contain_text("发问")
        await looked_at(page, f"wall-{width}")

        # What comes onto the screen has its newest picture at once, and no word of before.
        await page.locator(f'[data-room="{address(ROOMS - 1)}"]').scroll_into_view_if_needed()
        last = await rests(page, rooms)
        assert address(ROOMS - 1) in last
        await holds(page, f"{WITH_PICTURE}.includes('{address(ROOMS - 1)}')")
        await expect(page.locator(f'[data-room="{address(ROOMS - 1)}"] .caption')).not_to_contain_text("发问")
        await looked_at(page, f"wall-{width}-end")

        # What is wrong out of sight comes to the front.
        middle = address(ROOMS // 2)
        assert middle not in last
        rooms.status(ROOMS // 2, alarms=[ALARM])
        await expect(page.locator(f'[data-room="{middle}"]')).to_contain_text("磁盘空间不足")
        # Scrolled in each look: a page that anchors what it showed may scroll back once while the tiles change places.
        await holds(page, f"(document.getElementById('main').scrollTo(0, 0), {ON_SCREEN}.includes('{middle}'))")
        assert await page.evaluate("document.querySelector('[data-place]').dataset.place") == middle
        await rests(page, rooms)
        await looked_at(page, f"wall-{width}-alarm")

        await page.get_by_placeholder("法庭、案号或案由").fill("第7法庭")
        await expect(page.locator(".tile")).to_have_count(1)
        await until(lambda: in_sight(rooms) == [address(7)])


async def test_a_page_that_missed_something_is_whole_again(tmp_path: Path, broker_port: int, chromium: Browser) -> None:
    async with many_rooms(tmp_path, broker_port, 3) as rooms:
        page = await signed_in(chromium, rooms.served, "/")
        await expect(page.locator(".tile.live")).to_have_count(3)
        told = rooms.served.center.live.wall._tabs[the_tab(rooms)]
        told.number += 1  # as if a message had been lost
        rooms.status(1, alarms=[ALARM])
        await expect(page.locator(f'[data-room="{address(1)}"]')).to_contain_text("磁盘空间不足")
        assert told.number == 0


async def test_a_room_s_page_has_that_room_in_sight_and_the_wall_again_what_it_shows(
    tmp_path: Path, broker_port: int, chromium: Browser
) -> None:
    async with many_rooms(tmp_path, broker_port, 3) as rooms:
        page = await signed_in(chromium, rooms.served, "/")
        everything = [address(number) for number in range(3)]
        await until(lambda: in_sight(rooms) == everything)
        await page.locator(f'[data-room="{address(1)}"]').click()
        await until(lambda: in_sight(rooms) == [address(1)])
        await page.get_by_role("link", name="巡查墙").click()
        await until(lambda: in_sight(rooms) == everything)
        rooms.status(2, online=False)
        await expect(page.locator(f'[data-room="{address(2)}"] .gone')).to_be_visible()
