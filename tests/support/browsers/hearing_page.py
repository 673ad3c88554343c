"""The page of a hearing at the center, as somebody who is signed in sees it."""

from __future__ import annotations

from playwright.async_api import Browser, Page, expect

from tests.support.peers.center_peers import Served

PATIENCE_MS = 60_000


async def hearing_page(
    chromium: Browser, served: Served, locale: str, width: int, height: int, *, role: str = "inspector"
) -> Page:
    """The page of `h1`, in the language of `locale`; made by a machine that may be slow."""
    context = await chromium.new_context(viewport={"width": width, "height": height}, locale=locale)
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    async with served.inspector(role) as http:
        cookies = [{"name": name, "value": value, "url": served.url} for name, value in http.cookies.items()]
    await context.add_cookies(cookies)  # type: ignore[arg-type]  # a TypedDict of the same keys
    await page.goto(f"{served.url}/inspect#/hearing/h1")
    await expect(page.get_by_test_id("elapsed")).to_be_visible()
    if locale == "en-US":
        await page.get_by_role("button", name="切换到英文").click()
    return page
