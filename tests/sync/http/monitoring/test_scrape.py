"""A scrape is answered whatever hangs, and what is missing in it is named."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from sync.errors import StorageError
from sync.http.monitoring import readiness, scrape
from sync.http.monitoring.definitions import gauge
from sync.http.monitoring.patience import OneQuestion
from sync.http.monitoring.readings import Readings
from sync.http.monitoring.scrape import Scrape
from tests.support.peers.scraper import samples_of

A = gauge("wutong_test_a", "A.")
B = gauge("wutong_test_b", "B.")


def value_of(text: bytes, name: str, **labels: str) -> float | None:
    said = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return samples_of(text.decode()).get(f"{name}{{{said}}}" if said else name)


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Hanging:
    """A part that is asked and says nothing until it is let go."""

    def __init__(self) -> None:
        self.asked = 0
        self.go = asyncio.Event()

    async def read(self, readings: Readings) -> None:
        self.asked += 1
        await self.go.wait()
        readings.set(B, self.asked)


async def reads_a(readings: Readings) -> None:
    readings.set(A, 1)


def test_the_limits_of_all_parts_leave_an_answer_within_two_seconds() -> None:
    assert readiness.PART_S < scrape.PART_S < 2.0


async def test_a_part_that_hangs_is_named_and_the_others_are_there() -> None:
    hanging, clock = Hanging(), Clock()
    whole = Scrape((A, B), {"good": reads_a, "hanging": hanging.read}, part_s=0.05, monotonic_s=clock)
    text = await whole.text()
    assert value_of(text, A.name) == 1
    assert value_of(text, B.name) is None
    assert value_of(text, "wutong_scrape_part_up", part="hanging") == 0
    assert value_of(text, "wutong_scrape_part_up", part="good") == 1
    for _ in range(5):
        clock.now_s += 10
        await whole.text()
    assert hanging.asked == 1, "what has not answered is not begun again"
    hanging.go.set()
    clock.now_s += 10
    text = await whole.text()
    assert value_of(text, "wutong_scrape_part_up", part="hanging") == 1
    assert value_of(text, B.name) == hanging.asked
    whole.close()


async def test_a_part_that_fails_is_named_leaves_nothing_half_and_is_said_once() -> None:
    clock = Clock()

    async def fails(readings: Readings) -> None:
        readings.set(B, 1)
        raise StorageError("the database is locked")

    whole = Scrape((A, B), {"good": reads_a, "bad": fails}, monotonic_s=clock)
    with capture_logs() as said:
        for _ in range(3):
            clock.now_s += 10
            text = await whole.text()
    assert value_of(text, B.name) is None
    assert value_of(text, "wutong_scrape_part_up", part="bad") == 0
    assert [line["part"] for line in said if line["event"] == "scrape_lacks_part"] == ["bad"]
    assert "locked" not in text.decode(), "why is for the log"


async def test_two_who_scrape_at_once_get_one_collection_and_one_who_hangs_up_takes_it_from_nobody() -> None:
    hanging = Hanging()
    whole = Scrape((A, B), {"slow": hanging.read}, part_s=30)
    first, second = asyncio.create_task(whole.text()), asyncio.create_task(whole.text())
    while not hanging.asked:
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    third = asyncio.create_task(whole.text())
    hanging.go.set()
    assert await second == await third
    assert value_of(await second, B.name) == 1
    assert hanging.asked == 1


async def test_who_asks_all_day_costs_one_collection_a_second() -> None:
    clock, asked = Clock(), []

    async def counts(readings: Readings) -> None:
        asked.append(1)
        readings.set(A, len(asked))

    whole = Scrape((A,), {"one": counts}, monotonic_s=clock)
    for _ in range(50):
        await whole.text()
    assert len(asked) == 1
    clock.now_s += scrape.FRESH_S
    await whole.text()
    assert len(asked) == 2


async def test_an_answer_for_which_nobody_waited_any_more_is_not_given_to_who_asks_later() -> None:
    go, answers = asyncio.Event(), iter(["old", "new"])

    async def ask() -> str:
        said = next(answers)
        if said == "old":
            await go.wait()
        return said

    question = OneQuestion(ask, 0.05)
    with pytest.raises(TimeoutError):
        await question.answer()
    go.set()
    task = question._task
    assert task is not None
    await task
    assert await question.answer() == "new"


async def test_an_error_for_which_nobody_waited_any_more_is_no_defect() -> None:
    go = asyncio.Event()

    async def ask() -> str:
        await go.wait()
        raise StorageError("gone")

    question = OneQuestion(ask, 0.05)
    with pytest.raises(TimeoutError):
        await question.answer()
    go.set()
    assert question._task is not None
    await asyncio.wait({question._task})
