"""What all tests share: which of them are `unit`, and generated cases that are the same at every run, so that a failure
comes of a change, not of chance.

`WUTONG_EXPLORE=1` draws new cases, for who looks for defects. How long a case takes is nowhere a reason to fail.
"""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from hypothesis import settings

from tests.support import kinds, quick_codes, quick_tls
from tests.support.files import databases
from wutong.bench import browser

if TYPE_CHECKING:
    from playwright.async_api import Browser

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("exploring", deadline=None)
settings.load_profile("exploring" if os.environ.get("WUTONG_EXPLORE") else "repeatable")

guard = kinds.Guard()
databases.watch()
quick_codes.make_quick()
quick_tls.make_quick()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported here stays; only what the tests make is looked through for what nobody holds."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)  # before pytest itself chooses by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    kinds.mark(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if item.get_closest_marker("unit"):
        guard.begin()
    try:
        return (yield)
    finally:
        guard.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    yield
    if guard.broken:
        pytest.fail("\n".join(guard.broken), pytrace=False)


@pytest.fixture(scope="module", autouse=True)
def _left_open() -> Iterator[None]:
    """After a file's last test what nobody holds is thrown away, so that what was left open is told there, and not of
    the test of another file in which Python happens to look for it."""
    yield
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """What the files before set aside is looked through once: what it left open is still told."""
    gc.unfreeze()
    gc.collect()


@pytest_asyncio.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A headless browser, as the benches use it."""
    async with browser.chromium() as found:
        yield found
