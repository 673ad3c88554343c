"""Where a killed transcriber goes on: never after words that are not in the record, never at the beginning again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hardware.profile import load_profile
from sync.room.feed import FeedServer
from tests.support.rooms.transcriber_room import HEARING, S, TranscriberRoom
from transcriber.backlog import HearingJob, ResumePoint
from transcriber.segmentation.endpointer import Turn
from transcriber.service import _Service

Make = Callable[[int], TranscriberRoom]


def service_of(room: TranscriberRoom) -> _Service:
    feed = FeedServer(room.layout.feed("transcriber"))
    return _Service(load_profile(room.profile), room.layout, room.clock, room.log, feed)


async def test_a_successor_does_not_forget_where_it_was_before_it_has_looked(make_room: Make) -> None:
    room = make_room(1)
    room.say("other", 0)  # any event before the hearing
    opened_ns = room.clock.now_ns() - 3600 * S
    opening = room.say("open", opened_ns)
    left_off = ResumePoint(opening.number - 1, HEARING, opened_ns + 1800 * S)
    left_off.write(room.layout.data / "transcriber.json")
    service = service_of(room)
    await service._look()
    service._note_progress()  # as it does every two seconds, also before the listener begins
    sitting = service._sittings.current
    assert sitting is not None
    assert service._resume(sitting) == (left_off.done_ns, {})
    assert ResumePoint.read(room.layout.data / "transcriber.json") == left_off


async def test_of_the_turns_that_wait_the_first_to_begin_counts(make_room: Make) -> None:
    desk = service_of(make_room(2))._desk
    sitting = HearingJob(HEARING, 0, 1)
    short, long = Turn(0, 5 * S, 5 * S, 6 * S), Turn(1, 1 * S, 1 * S, 9 * S)
    await desk.put(sitting, short)
    async with asyncio.timeout(1):
        await desk.put(sitting, long)
    assert desk.oldest_ns == long.start_ns
