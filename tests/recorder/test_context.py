"""What the parts of a room share, without the parts: alarms and events reach the log of the hearing that is on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware.profile import load_profile
from recorder.context import RoomContext
from sync.room.clock import ClockMap, RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedServer
from sync.room.paths import RoomPaths
from sync.runtime.process.service import cancel_and_wait
from tests.support.rooms.recorder_room import profile_text


@pytest.fixture
def room_log(tmp_path: Path) -> Iterator[RoomLog]:
    log = RoomLog(tmp_path / "room.db")
    log.append("open", {}, hearing="h", room_ns=1, utc_ns=1)
    yield log
    log.close()


def context_of(folder: Path, room_log: RoomLog) -> RoomContext:
    (folder / "profile.toml").write_text(profile_text(), encoding="utf-8")
    profile = load_profile(folder / "profile.toml")
    clock = RoomClock(0)
    paths = RoomPaths(folder)
    return RoomContext(profile, paths, clock, ClockMap(clock), room_log, FeedServer(paths.feed("recorder")))


async def written(context: RoomContext) -> list[tuple[str, str]]:
    """(kind, text) of everything in the log of the hearing, when it has all."""
    writing = asyncio.create_task(context.events.run())
    assert await context.events.drained(30)
    await cancel_and_wait(writing)
    return [(event.kind, str(event.body.get("text", ""))) for event in context.room_log.of_hearing("h")]


async def test_an_alarm_between_hearings_is_written_to_the_next_one(tmp_path: Path, room_log: RoomLog) -> None:
    context = context_of(tmp_path, room_log)
    context.set_alarm("disk", "disk", "full")
    assert context.status_changed.is_set()
    assert await written(context) == [("open", "")]
    context.hearing = "h"
    context.publish_alarms()
    context.publish_alarms()
    context.set_alarm("disk", "disk", None)
    assert await written(context) == [("open", ""), ("alarm", "full"), ("alarm", "full")]


async def test_a_log_that_cannot_be_written_is_an_alarm_until_it_can(tmp_path: Path, room_log: RoomLog) -> None:
    context = context_of(tmp_path, room_log)
    context.set_log_alarm("locked")
    (alarm,) = context.alarms.to_json()
    assert (alarm["code"], alarm["subject"]) == ("log", "log")
    assert alarm["text"] == "法庭日志无法读写，录音录像照常保存，事件稍后补记：locked"
    context.set_log_alarm(None)
    assert context.alarms.to_json() == []


async def test_an_event_has_the_time_of_now_and_its_key_is_written_once(tmp_path: Path, room_log: RoomLog) -> None:
    context = context_of(tmp_path, room_log)
    for _ in range(2):
        context.append_event("gap", {"track": "bench", "from_ns": 1, "to_ns": 2, "why": ""}, "h", "gap/h/bench/1-2")
    assert [kind for kind, _ in await written(context)] == ["open", "gap"]
    (_, gap) = room_log.of_hearing("h")
    assert gap.utc_ns - gap.room_ns == context.utc_of(gap.room_ns) - gap.room_ns
