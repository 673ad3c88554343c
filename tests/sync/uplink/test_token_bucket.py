"""Bytes pass at the rate that was set: pieces of any size, in the order in which they came."""

from __future__ import annotations

import asyncio
import heapq
import itertools

import pytest

from sync.uplink.token_bucket import TokenBucket


class SimulatedTime:
    """A clock that goes on to the next sleeper when everybody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._order = itertools.count()

    def monotonic(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.Event()
        heapq.heappush(self._sleepers, (self.now_s + seconds, next(self._order), awake))
        await awake.wait()

    async def run(self, *tasks: asyncio.Task[None]) -> None:
        """Until all tasks are done."""
        while not all(task.done() for task in tasks):
            for _ in range(10):  # everybody who can go on does
                await asyncio.sleep(0)
            if self._sleepers:
                self.now_s, _, awake = heapq.heappop(self._sleepers)
                awake.set()


@pytest.fixture
def time() -> SimulatedTime:
    return SimulatedTime()


def bucket(time: SimulatedTime, bytes_per_s: float) -> TokenBucket:
    return TokenBucket(bytes_per_s, monotonic=time.monotonic, sleep=time.sleep)


async def test_the_rate_is_kept_without_drift(time: SimulatedTime) -> None:
    pace = bucket(time, 1000)

    async def send() -> None:
        for _ in range(10_000):
            await pace.take(333)

    await time.run(asyncio.create_task(send()))
    assert time.now_s == pytest.approx((10_000 * 333 - 1000) / 1000)  # the first second's bytes were free


async def test_a_piece_larger_than_a_second_passes_whole_and_is_paid_after(time: SimulatedTime) -> None:
    pace = bucket(time, 500_000)
    await time.run(asyncio.create_task(pace.take(1024 * 1024)))
    assert time.now_s == pytest.approx(1024 * 1024 / 500_000 - 1)


async def test_a_long_rest_earns_one_second_of_burst(time: SimulatedTime) -> None:
    pace = bucket(time, 1000)
    time.now_s = 3600.0
    await pace.take(1000)
    assert time.now_s == 3600.0
    await time.run(asyncio.create_task(pace.take(1000)))
    assert time.now_s == pytest.approx(3601.0)


async def test_small_pieces_that_come_later_do_not_overtake_a_large_one(time: SimulatedTime) -> None:
    pace = bucket(time, 1000)
    await pace.take(1000)
    done: list[str] = []

    async def send(name: str, count: int, times: int) -> None:
        for _ in range(times):
            await pace.take(count)
            done.append(name)

    tasks = [asyncio.create_task(send("large", 5000, 1))]
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(send("small", 100, 50)) for _ in range(2)]
    await time.run(*tasks)
    assert done[0] == "large"
    assert len(done) == 101
