"""The panel's acts are all there to touch, in both languages: none lies outside of the page or under another."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.support.browsers.looks import looked_at
from tests.support.rooms.edge_room import Room

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(300)]

BOXES = """
[...document.querySelectorAll('footer button')].map((button) => {
    const { left, right, top, bottom } = button.getBoundingClientRect();
    const cut = button.scrollWidth > button.clientWidth + 1;
    return { name: button.textContent.trim(), left, right, top, bottom, cut };
})
"""


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_every_act_is_on_the_page_and_none_on_another(
    room: Room, chromium: Browser, width: int, height: int, language: str
) -> None:
    expect.set_options(timeout=60_000)
    await room.open()
    context = await chromium.new_context(viewport={"width": width, "height": height}, has_touch=True, locale="zh-CN")
    cookies = [{"name": name, "value": value, "url": room.base} for name, value in room.clerk.cookies.items()]
    await context.add_cookies(cookies)  # type: ignore[arg-type]  # a TypedDict of the same keys
    page = await context.new_page()
    await page.goto(f"{room.base}/panel")
    if language == "en":
        await page.get_by_role("button", name="切换到英文").click()
    closing = page.get_by_role("button", name="Close hearing" if language == "en" else "闭庭")
    await expect(closing).to_be_visible()
    for state in ("open", "paused"):
        if state == "paused":
            assert (await room.clerk.post("/api/hearing/pause", json={"reason": "recess"})).status_code == 200
            await expect(
                page.get_by_role("button", name="Resume hearing" if language == "en" else "继续开庭")
            ).to_be_visible()
        boxes = sorted(await page.evaluate(BOXES), key=lambda box: box["left"])
        assert len(boxes) >= 9
        for before, after in zip(boxes, [*boxes[1:], None], strict=True):
            assert before["left"] >= 0, before
            assert before["right"] <= (width if after is None else after["left"]), (before, after)
            assert 0 < before["top"] < before["bottom"] <= height, before
            assert not before["cut"], f"{before['name']} is cut off"
        await looked_at(page, f"acts-{language}-{width}-{state}")
