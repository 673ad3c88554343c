"""A whole Wutong for the browser's tests: the real `wutong demo` on ports of its own, conducted by the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.paths import IMAGES
from tests.support.rooms.running_demo import Demo, run_demo
from wutong.bench.browser import ARGUMENTS, find_chromium


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo in which the test is the clerk; fresh for each test module."""
    yield from run_demo(tmp_path_factory.mktemp("demo"), "--manual")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One headless Chromium for a module; not longer, because its driver holds the event loop that other tests need."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page of the panel's size; script errors fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True, locale="zh-CN")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def screenshot(page: Page, name: str, tmp_path: Path) -> None:
    """Keep a picture of the page: in docs/images with WUTONG_SCREENSHOTS=1, else among the test's own files."""
    folder = IMAGES if os.environ.get("WUTONG_SCREENSHOTS") == "1" else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(folder / f"{name}.png"))
