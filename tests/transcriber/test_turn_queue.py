"""Finished turns wait in the order of their ends, and not too many of them."""

from __future__ import annotations

import asyncio

from transcriber.backlog import HearingJob
from transcriber.segmentation.endpointer import Turn
from transcriber.turn_queue import MOST_WAITING, TurnQueue

JOB = HearingJob("h-1", 0, 1)


def turn(number: int) -> Turn:
    return Turn(0, number, number, number + 1)


async def test_who_brings_too_many_waits_until_one_is_written() -> None:
    queue = TurnQueue()
    for number in range(MOST_WAITING):
        await queue.put(JOB, turn(number))
    one_more = asyncio.create_task(queue.put(JOB, turn(MOST_WAITING)))
    await queue.wait_for_change(0.01)
    assert not one_more.done()
    assert queue.waiting_since_ns == 1
    await queue.remove_first()
    await one_more
    assert [t.start_ns for t in queue.turns] == list(range(1, MOST_WAITING + 1))


async def test_it_is_drained_when_the_last_turn_is_written() -> None:
    queue = TurnQueue()
    await queue.drained()
    await queue.put(JOB, turn(0))
    drained = asyncio.create_task(queue.drained())
    await queue.wait_for_change(0.01)
    assert not drained.done()
    assert queue.first is not None
    await queue.remove_first()
    await drained
    assert queue.first is None
    assert queue.waiting_since_ns is None
