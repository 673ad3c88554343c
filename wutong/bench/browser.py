"""Debian's Chromium, driven by Playwright, for what can only be measured or shown in a browser."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import shutil
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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
async def chromium(known: Iterable[str] = ()) -> AsyncIterator[Browser]:
    """A headless browser; `ConfigError` when there is none.

    `known`: addresses of running servers of a stack of our own, whose certificates it takes as those of an authority
    that it trusts, and no others: without, it would warn of each page, and keep no script of such a server.
    """
    try:
        from playwright.async_api import Error, async_playwright
    except ImportError:
        raise ConfigError(
            "the browser driver is missing; run `make setup SET=bench`, or pip install 'wutong[bench]'"
        ) from None
    arguments = [*ARGUMENTS, *await asyncio.to_thread(_knowing, known)]
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        except Error as error:
            raise ConfigError(
                f"no Chromium could be started ({error.message.splitlines()[0]}); apt install chromium"
            ) from None
        try:
            yield browser
        finally:
            await browser.close()


def _knowing(addresses: Iterable[str]) -> list[str]:
    """The argument by which Chromium takes what these servers show."""
    keys = []
    for address in addresses:
        parts = urlsplit(address)
        if parts.scheme == "https":
            assert parts.hostname is not None
            shown = ssl.get_server_certificate((parts.hostname, parts.port or 443))
            key = x509.load_pem_x509_certificate(shown.encode()).public_key()
            info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            keys.append(base64.b64encode(hashlib.sha256(info).digest()).decode())
    return [f"--ignore-certificate-errors-spki-list={','.join(keys)}"] if keys else []


async def inspector_context(browser: Browser) -> BrowserContext:
    """A context of an inspector's size."""
    return await browser.new_context(viewport={"width": 1920, "height": 1080})


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
