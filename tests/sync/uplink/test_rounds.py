"""Rounds go on whatever one of them meets, and what comes during one has a round of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from sync.uplink import rounds
from sync.uplink.rounds import Rounds


@asynccontextmanager
async def going(work: Callable[[], Awaitable[None]]) -> AsyncIterator[Rounds]:
    one = Rounds(work, "it_failed")
    task = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_comes_during_a_round_waits_for_no_time_to_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "LOOK_S", 1e6)
    begun, ends = asyncio.Queue[None](), asyncio.Queue[None]()

    async def work() -> None:
        begun.put_nowait(None)
        await ends.get()

    async with asyncio.timeout(10), going(work) as one:
        await begun.get()
        one.kick()  # in the middle of the first round
        ends.put_nowait(None)
        await begun.get()


async def test_without_news_a_round_comes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "LOOK_S", 0.0)
    begun = asyncio.Queue[None]()

    async def work() -> None:
        begun.put_nowait(None)

    async with asyncio.timeout(10), going(work):
        await begun.get()
        await begun.get()


async def test_a_defect_costs_its_own_round_and_is_in_the_log_with_its_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "LOOK_S", 1e6)
    monkeypatch.setattr(rounds, "DEFECT_S", 0.0)
    begun = asyncio.Queue[None]()

    async def work() -> None:
        begun.put_nowait(None)
        if not well.is_set():
            well.set()
            raise OverflowError("nobody foresaw this")

    well = asyncio.Event()
    with capture_logs() as said:
        async with asyncio.timeout(10), going(work) as one:
            await well.wait()
            one.kick()
            await begun.get()
            await begun.get()
            assert one.failed == 1
    assert [(line["event"], line["failed"], line["exc_info"]) for line in said] == [("it_failed", 1, True)]


async def test_who_ends_the_rounds_ends_them_also_in_the_middle_of_one() -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await never.wait()

    async with asyncio.timeout(10):
        async with going(work) as one:
            await begun.wait()
        assert one.failed == 0
