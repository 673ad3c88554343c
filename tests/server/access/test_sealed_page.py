"""A sealed part on the screens, in a real browser before a real center: who sees what, and who lifts it."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.server.access.test_sealed_parts import WORD, hold, seal
from tests.support.browsers.hearing_page import hearing_page
from tests.support.browsers.looks import looked_at
from tests.support.peers.center_peers import RoomPeer, Served

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(300)]


async def opened(chromium: Browser, served: Served, role: str, locale: str, width: int, height: int) -> Page:
    page = await hearing_page(chromium, served, locale, width, height, role=role)
    await looked_at(page, f"sealed-{role}-{locale}-{width}")
    await page.locator("#tab-details").click()
    await looked_at(page, f"sealed-{role}-{locale}-{width}-details")
    return page


async def test_an_inspector_sees_that_a_part_is_sealed_and_the_archivist_lifts_it_on_the_page(
    served: Served, room: RoomPeer, footage: bytes, voices: bytes, chromium: Browser
) -> None:
    await hold(served, room, footage, voices)
    async with served.inspector() as http:
        await seal(http)
    inspector = await opened(chromium, served, "inspector", "zh-CN", 1280, 800)
    await expect(inspector.get_by_test_id("sealed-span")).to_have_attribute("title", "此段已封存")
    assert WORD not in await inspector.content()
    await expect(inspector.get_by_role("button", name="解除封存")).to_have_count(0)
    await inspector.locator("#tab-words").click()
    await expect(inspector.get_by_text("〔此段已封存〕")).to_have_count(1)
    assert WORD not in await inspector.content()

    archivist = await opened(chromium, served, "archivist", "en-US", 1920, 1080)
    await archivist.get_by_role("button", name="Lift", exact=True).click()
    await archivist.get_by_test_id("sealed-parts").get_by_label("Reason").first.fill("申请获批")
    await archivist.get_by_role("button", name="Lift this seal").click()
    await expect(archivist.get_by_text("No part is sealed.")).to_be_visible()
    # The page that was open all the time is told, and asks again.
    await expect(inspector.get_by_text(WORD).first).to_be_visible()
    await expect(inspector.get_by_test_id("sealed-span")).to_have_count(0)
