"""Headless Chromium as a court's PC has it: with the authorities of its NSS database, and no warning clicked away."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from wutong.bench.browser import ARGUMENTS, find_chromium


@asynccontextmanager
async def chromium_trusting(authority: Path, home: Path) -> AsyncIterator[Browser]:
    """A browser whose profile lives in `home` and trusts this authority, as docs/authority.md has it installed."""
    _install(authority, home / ".pki" / "nssdb")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), args=list(ARGUMENTS), env={**os.environ, "HOME": str(home)}
        )
        try:
            yield browser
        finally:
            await browser.close()


def _install(authority: Path, database: Path) -> None:
    database.mkdir(parents=True)
    for arguments in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "wutong", "-i", str(authority)]):
        subprocess.run(["certutil", "-d", f"sql:{database}", *arguments], check=True, timeout=60)
