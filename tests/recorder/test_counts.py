"""What a recorder counts for whoever measures the room: fragments on the disk, and gaps, each once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from sync.room.counts import COUNTS
from sync.room.feed import FeedClient
from tests.support.rooms.recorder_room import RecorderRoom

pytestmark = pytest.mark.timeout(240)
RoomOf = Callable[..., RecorderRoom]


class Counted:
    """The recorder's last word on this topic."""

    def __init__(self) -> None:
        self.last: dict[str, Any] = {}

    async def listen(self, room: RecorderRoom) -> None:
        async for _, payload in FeedClient(room.layout.feed("recorder"), [COUNTS]).messages():
            self.last = json.loads(payload)

    def of(self, track: str, what: str) -> int:
        return next((int(one[what]) for one in self.last.get("tracks", []) if one["id"] == track), -1)


@contextlib.asynccontextmanager
async def counting(room: RecorderRoom) -> AsyncIterator[Counted]:
    counted = Counted()
    task = asyncio.create_task(counted.listen(room))
    yield counted
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_fragments_and_gaps_are_counted_and_nothing_between_hearings(room_of: RoomOf) -> None:
    room = room_of()
    async with counting(room) as counted:
        await room.until(room.running, "the recorder")
        await room.until(lambda: counted.of("bench", "fragments") == 0, "counts before a hearing")
        room.say("open", case={}, seats=[], tracks=[])
        await room.record(1, "bench", "mics", "mix")
        await room.until(lambda: counted.of("bench", "fragments") > 0, "fragments are counted")
        assert counted.of("bench", "dropped") == counted.of("mics", "dropped") == 0
        os.kill(room.workers("simulated_camera")[0], signal.SIGKILL)
        await room.until(lambda: counted.of("bench", "gaps") > 0, "a gap is counted")
        gaps = [gap for gap in room.view().gaps if gap.track == "bench"]
        assert 0 < len(gaps) <= counted.of("bench", "gaps")
        assert counted.of("bench", "gap_ns") >= sum((gap.to_ns or 0) - gap.from_ns for gap in gaps)
        assert counted.of("bench", "waiting") >= 0
        assert counted.last["events_waiting"] >= 0
        room.say("close")
        await room.closed("bench", "mics", "mix")
