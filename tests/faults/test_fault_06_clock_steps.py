"""Fault 6: the system clock is stepped by an hour, forth and back, while recording; a machine wakes up in 1970.

A library inside the real recorder moves what it takes for the system clock; no other process of this machine notices.
Lost: nothing, not one millisecond of the time line: the map to UTC changes, and the log tells when and by how much.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from sync.room.clock import NOTED_NS, RoomClock
from tests.faults.fault_tools import Switch, gaps
from tests.support.rooms.recorder_room import RecorderRoom, profile_text, spans

H = 3600 * 1_000_000_000


def steps(room: RecorderRoom) -> list[float]:
    return [e.body["by_ns"] / H for e in room.log.of_hearing(room.hearing, ["clock"]) if abs(e.body["by_ns"]) > H // 2]


async def test_the_line_does_not_move_when_the_clock_does(
    room_of: Callable[..., RecorderRoom], library: Path, tmp_path: Path
) -> None:
    clock = Switch(tmp_path / "clock")
    since_1970_ns = time.time_ns()
    clock.set(-since_1970_ns)  # a machine without a battery: it is 1970
    room = room_of(profile_text(segment_s=60), {"LD_PRELOAD": str(library), "FAULT_CLOCK": str(clock.path)})
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.pass_media("bench", 1)
    for number, offset_ns in enumerate((0, H, 0), 1):
        clock.set(offset_ns)
        await room.until(lambda number=number: len(steps(room)) == number, "the step is told")  # type: ignore[misc]  # a lambda's default
        await room.pass_media("bench", 1)
    room.say("close")
    view = await room.closed("bench", "mics", "mix")
    assert gaps(room, view) == []
    assert [round(step, 1) for step in steps(room)[1:]] == [1.0, -1.0]
    assert steps(room)[0] > 24 * 365 * 50  # from 1970 to today
    for track in ("bench", "mics", "mix"):
        assert len(spans(view, track)) == 1
        assert len(room.files(track)) == 1
    lines = [json.loads(line) for line in room.files("bench")[0].with_suffix(".jsonl").read_text().splitlines()]
    offsets = [line["utc_ns"] - line["room_ns"] for line in lines]
    assert offsets[0] < 0.1 * since_1970_ns + abs(room.clock.now_ns())  # what was written in 1970 stays as it was
    assert abs(offsets[-1] - (time.time_ns() - room.clock.now_ns())) < H // 3600
    assert [line["room_ns"] for line in lines] == sorted(line["room_ns"] for line in lines)


class Machine:
    """Two clocks of a machine that is switched off and on; time is one of the three things that a test may make up."""

    def __init__(self, utc_ns: int) -> None:
        self.utc, self.monotonic = utc_ns, 0

    def utc_ns(self) -> int:
        return self.utc

    def monotonic_ns(self) -> int:
        return self.monotonic


def test_a_boot_into_1970_records_over_nothing(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    machine = Machine(50 * 365 * 24 * H)
    first = RoomClock.open(path, machine, lambda: "boot-1")
    machine.monotonic += 5 * H
    machine.utc += 5 * H
    first.note(path)  # the recorder does every second
    machine.monotonic += NOTED_NS // 2
    last_ns = first.now_ns()
    second = RoomClock.open(path, Machine(0), lambda: "boot-2")
    assert second.now_ns() > last_ns
