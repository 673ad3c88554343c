"""A page as people would look at it: a picture for whoever asks for one, and what axe says of it."""

from __future__ import annotations

import os
from pathlib import Path

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page


async def looked_at(page: Page, name: str) -> None:
    """No violation of accessibility; `WUTONG_LOOK` names a folder for `<name>.png`."""
    folder = os.environ.get("WUTONG_LOOK")
    if folder:
        await page.screenshot(path=str(Path(folder) / f"{name}.png"))
    found = await Axe().run(page)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
