"""What a newcomer does at pages, counted: a touch is a press or a field that is filled, a key is a character typed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Locator, Page

STEP_TOUCHES = 2
"""What opening a page at its address counts for: going to the line of the browser, and sending it."""


@dataclass
class Stage:
    """One part of the walk, as `docs/figures.md` lists it."""

    name: str
    touches: int = 0
    keys: int = 0
    seconds: float = 0.0


@dataclass
class Newcomer:
    """Acts at pages and counts; `stage` names what it is about."""

    stages: list[Stage] = field(default_factory=list)
    pictures: list[tuple[str, bytes]] = field(default_factory=list)
    """(name, PNG) of pages on the way."""

    @asynccontextmanager
    async def stage(self, name: str) -> AsyncIterator[None]:
        """Count what is done in the block under this name."""
        self.stages.append(Stage(name))
        began = time.monotonic()
        yield
        self.stages[-1].seconds += time.monotonic() - began

    async def open(self, page: Page, address: str) -> None:
        """Type an address."""
        self._count(STEP_TOUCHES, len(address))
        await page.goto(address)

    async def press(self, what: Locator) -> None:
        """Touch or click."""
        self._count(1, 0)
        await what.click()

    async def fill(self, what: Locator, text: str) -> None:
        """Go to a field and type; that the first field of a page has the focus already is not counted off."""
        self._count(1, len(text))
        await what.fill(text)

    async def enter(self, page: Page) -> None:
        """Send what was typed."""
        self._count(1, 0)
        await page.keyboard.press("Enter")

    async def choose(self, what: Locator, label: str) -> None:
        """Open a list and take one of it."""
        self._count(2, 0)
        await what.select_option(label)

    def _count(self, touches: int, keys: int) -> None:
        self.stages[-1].touches += touches
        self.stages[-1].keys += keys

    def table(self) -> str:
        """For whoever reads the test's output, and for docs/figures.md."""
        rows = [f"| {one.name} | {one.touches} | {one.keys} | {one.seconds:.1f} |" for one in self.stages]
        touches, keys = sum(one.touches for one in self.stages), sum(one.keys for one in self.stages)
        seconds = sum(one.seconds for one in self.stages)
        head = "| step | touches | keys | s |\n| --- | --- | --- | --- |"
        return "\n".join([head, *rows, f"| all | {touches} | {keys} | {seconds:.1f} |"])
