"""Where a killed transcriber goes on: never after words that are not in the record, never at the beginning again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.support.rooms.transcriber_room import HEARING, S, TranscriberRoom
from transcriber.backlog import Backlog, HearingJob
from transcriber.progress import ProgressFile, ResumePoint
from transcriber.segmentation.endpointer import Turn
from transcriber.turn_queue import TurnQueue

Make = Callable[[int], TranscriberRoom]


def test_a_successor_does_not_forget_where_it_was_before_it_has_looked(make_room: Make) -> None:
    room = make_room(1)
    room.say("other", 0)  # any event before the hearing
    opened_ns = room.clock.now_ns() - 3600 * S
    opening = room.say("open", opened_ns)
    left_off = ResumePoint(opening.number - 1, HEARING, opened_ns + 1800 * S)
    file = room.layout.data / "transcriber.json"
    left_off.write(file)
    progress = ProgressFile(file, room.log, {"seat-0": 0})
    backlog = Backlog(progress.point.number)
    backlog.apply(room.log.since(backlog.seen))
    progress.note(backlog, None, 0)  # as it is noted every two seconds, also before the hearing is begun
    job = backlog.current
    assert job is not None
    assert progress.resume(job) == (left_off.done_ns, {})
    assert ResumePoint.read(file) == left_off


def test_what_is_finished_is_noted_up_to_the_hearing_that_follows(make_room: Make) -> None:
    room = make_room(1)
    file = room.layout.data / "transcriber.json"
    room.say("open", S)
    last = room.say("close", 2 * S)
    progress, backlog = ProgressFile(file, room.log, {"seat-0": 0}), Backlog()
    backlog.apply(room.log.since(0))
    job = backlog.current
    assert job is not None
    progress.note(backlog, job, 2 * S)
    assert ResumePoint.read(file) == ResumePoint(0, HEARING, 1_700_000_000)
    backlog.done()
    progress.note(backlog, None, 0)
    assert ResumePoint.read(file) == ResumePoint(last.number)


async def test_of_the_turns_that_wait_the_first_to_begin_counts() -> None:
    queue, job = TurnQueue(), HearingJob(HEARING, 0, 1)
    short, long = Turn(0, 5 * S, 5 * S, 6 * S), Turn(1, 1 * S, 1 * S, 9 * S)
    await queue.put(job, short)
    async with asyncio.timeout(1):
        await queue.put(job, long)
    assert queue.oldest_ns == long.start_ns
