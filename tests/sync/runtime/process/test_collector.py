"""What lives long is set aside from the collector of cycles, and looked at as a whole in time."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import psutil
import pytest

from sync.runtime.process import collector
from sync.runtime.process.service import cancel_and_wait


class Ring:
    """Held by itself alone."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def _unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


class Hours:
    """Time that passes when the test says so."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Hours:
    """The collector's clock; what it waits for between two looks is one step of the loop."""
    monkeypatch.setattr(collector, "SET_ASIDE_S", 0)
    return Hours()


async def _steps() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_has_lived_for_a_while_is_not_looked_at_until_the_hour_is_over(hours: Hours) -> None:
    keeping = asyncio.create_task(collector.keep_collector_away(hours))
    try:
        await _steps()
        ring = Ring()
        gone = weakref.ref(ring)
        await _steps()  # it is set aside while it is held
        del ring
        gc.collect()
        assert gone() is not None
        hours.now_s += collector.WHOLE_S - 1
        await _steps()
        assert gone() is not None
        hours.now_s += 1
        await _steps()
        assert gone() is None
    finally:
        await cancel_and_wait(keeping)


async def test_memory_that_has_grown_much_is_looked_at_earlier(hours: Hours, monkeypatch: pytest.MonkeyPatch) -> None:
    now_bytes = collector.FEW_BYTES
    monkeypatch.setattr(collector, "resident_bytes", lambda: now_bytes)
    keeping = asyncio.create_task(collector.keep_collector_away(hours))
    try:
        await _steps()
        ring = Ring()
        gone = weakref.ref(ring)
        await _steps()
        del ring
        now_bytes = collector.GROWN * collector.FEW_BYTES - 1
        await _steps()
        assert gone() is not None
        now_bytes += 1
        await _steps()
        assert gone() is None
    finally:
        await cancel_and_wait(keeping)


def test_the_memory_of_this_process_is_what_the_kernel_says() -> None:
    said = psutil.Process().memory_info().rss
    assert collector.resident_bytes() == pytest.approx(said, rel=0.2)
