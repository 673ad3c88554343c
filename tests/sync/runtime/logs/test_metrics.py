"""What services count while they work."""

from __future__ import annotations

import asyncio
import math

import pytest

from sync.runtime.logs.metrics import FAST_S, LOOP_WINDOW_S, DurationBuckets, LoopDelay


def test_durations_are_counted_by_the_first_bound_that_holds_them() -> None:
    buckets = DurationBuckets((0.1, 1.0))
    for seconds in (0.0, 0.1, 0.11, 1.0, 7.0):
        buckets.note(seconds)
    upto, total_s = buckets.read()
    assert upto == ((0.1, 2), (1.0, 4), (math.inf, 5))
    assert total_s == pytest.approx(8.21)


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    buckets = DurationBuckets()
    buckets.note(-3600.0)
    upto, total_s = buckets.read()
    assert upto[0] == (FAST_S[0], 1)
    assert total_s == 0


def test_of_nothing_all_counts_are_none() -> None:
    assert {count for _, count in DurationBuckets().read().upto} == {0}


def test_the_longest_delay_of_the_last_minute_is_said_and_an_older_one_is_not() -> None:
    delay = LoopDelay()
    assert delay.longest_s == 0
    delay.note(0.0, 5.0)
    delay.note(1.0, 0.5)
    assert delay.longest_s == 5.0
    delay.note(LOOP_WINDOW_S + 0.5, 0.1)
    assert delay.longest_s == 0.5


async def test_a_loop_that_stands_still_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    delay = LoopDelay(monotonic_s=lambda: now_s[0])
    looked = asyncio.Event()

    async def sleeps(seconds: float) -> None:
        now_s[0] += seconds + 3.0  # it was due after `seconds`
        if looked.is_set():
            await asyncio.Event().wait()
        looked.set()

    monkeypatch.setattr("sync.runtime.logs.metrics.asyncio.sleep", sleeps)
    task = asyncio.create_task(delay.run())
    await looked.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert delay.longest_s == pytest.approx(3.0)
