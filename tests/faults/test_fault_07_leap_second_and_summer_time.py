"""Fault 7: a leap second; file names in the hour that summer time repeats.

Files are named by numbers and times are UTC and room time, so neither can name two things alike. Clock and time zone
are made up here; files and log are real. Lost: nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.hearing.commands import hearing_id
from sync.room.clock import ClockMap, RoomClock
from sync.room.event_log import RoomLog

S = 1_000_000_000
REPEATED_NS = 1_793_511_000 * S  # 2026-11-01 05:30 UTC: 01:30 in New York, an hour before 01:30 again


class Leaping:
    """UTC is set back by a second while the monotonic clock goes on."""

    def __init__(self) -> None:
        self.monotonic, self.leapt = 10 * S, 0

    def monotonic_ns(self) -> int:
        return self.monotonic

    def utc_ns(self) -> int:
        return REPEATED_NS + self.monotonic - self.leapt


@pytest.fixture
def new_york() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/New_York"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def test_a_leap_second_moves_the_map_and_not_the_line(tmp_path: Path) -> None:
    machine = Leaping()
    clock = RoomClock.open(tmp_path / "clock.json", machine, lambda: "boot")
    time_map = ClockMap(clock)
    before_ns = clock.now_ns()
    machine.monotonic += 2 * S
    machine.leapt = S
    step = time_map.poll()
    assert step is not None
    assert step.by_ns == -S
    assert clock.now_ns() == before_ns + 2 * S
    assert time_map.utc_ns(clock.now_ns()) == machine.utc_ns()
    assert time_map.utc_ns(before_ns) == REPEATED_NS + 10 * S  # what was written before is as it was


@pytest.mark.usefixtures("new_york")
def test_two_hearings_in_the_repeated_hour_are_two(tmp_path: Path) -> None:
    first, second = hearing_id(REPEATED_NS), hearing_id(REPEATED_NS + 3600 * S)
    assert first[:15] == second[:15] == "20261101-013000"
    assert first != second
    log = RoomLog(tmp_path / "room.db")
    for number, name in enumerate((first, second)):
        log.append("open", {}, hearing=name, room_ns=number, utc_ns=REPEATED_NS + number * 3600 * S, key=f"open/{name}")
    assert log.opened_last(2) == [first, second]  # by number, not by name
    assert [e.utc_ns for e in log.since(0)] == [REPEATED_NS, REPEATED_NS + 3600 * S]
    log.close()
