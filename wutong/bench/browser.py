"""Debian's Chromium, driven by Playwright, for what can only be measured or shown in a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sync.errors import ConfigError

if TYPE_CHECKING:
    from playwright.async_api import Browser

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
        raise ConfigError("the browser driver is missing; run `make setup`, or pip install 'wutong[bench]'") from None
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
