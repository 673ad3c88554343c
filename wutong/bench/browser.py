"""Debian's Chromium, driven by Playwright, for what can only be measured or shown in a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sync.errors import ConfigError

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)


def find_chromium() -> str | None:
    """Path of an installed Chromium, or None for the one that Playwright brings."""
    named = os.environ.get("WUTONG_CHROMIUM")
    if named:
        return named
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless browser; `ConfigError` when there is none."""
    try:
        from playwright.async_api import Error, async_playwright
    except ImportError:
        raise ConfigError(
            "the browser driver is missing; run `make setup SET=bench`, or pip install 'wutong[bench]'"
        ) from None
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        except Error as error:
            raise ConfigError(
                f"no Chromium could be started ({error.message.splitlines()[0]}); apt install chromium"
            ) from None
        try:
            yield browser
        finally:
            await browser.close()


async def unwarned_context(browser: Browser) -> BrowserContext:
    """A context of an inspector's size for a stack of our own, whose authority this browser does not know.

    What TLS costs is the same; whether browsers trust the authority is a test's question, not a figure's.
    """
    return await browser.new_context(viewport={"width": 1920, "height": 1080}, ignore_https_errors=True)


async def sign_in(page: Page, url: str, code: str) -> None:
    """Sign in on the server of `url` with a code, through its own API; the page's context keeps the session."""
    await page.goto(url)
    accepted = await page.evaluate(
        """async code => (await fetch("/api/session", {method: "POST", body: JSON.stringify({code}),
           headers: {"Content-Type": "application/json", "X-Wutong": "1"}})).ok""",
        code,
    )
    if not accepted:
        raise ConfigError(f"{url} refused the code that was made for it; start with an empty data folder")
    await page.goto("about:blank")
