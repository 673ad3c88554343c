"""Runs of an uplink that say they are one room: started anew, late on their way, or two devices by turns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from server.config import RoomEntry
from server.rooms import BACK_S, MOST_BACK, STALE_S, TWICE, Rooms
from server.uplinks import ENDING_S, MOST_RUNS, SILENT_S, TWO_S, RoomUplinks, StatusWorth
from sync.errors import CenterError
from sync.runtime.units import NS_PER_S

ADDRESS = "court1/c03"


class Wall:
    """A room as the center knows it, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.now = 100.0
        entry: Any = SimpleNamespace(address=ADDRESS, court_name="法院", room_name="第三法庭")
        entries: list[RoomEntry] = [entry]
        self.rooms = Rooms(entries, monotonic_s=lambda: self.now, utc_ns=lambda: 1)
        self.room = self.rooms.states[ADDRESS]
        self.came_back: list[str] = []
        self.found: list[str] = []
        self.rooms.came_back.add(lambda room: self.came_back.append(room.uplinks.session))
        self.rooms.twice.add(lambda room: self.found.append(room.address))

    def says(self, session: str, room_s: float, *, hearing: str | None = None, **more: Any) -> None:
        live = None if hearing is None else {"id": hearing, "state": "open"}
        status = {"online": True, "session": session, "room_ns": round(room_s * NS_PER_S), "hearing": live, **more}
        self.rooms.status(ADDRESS, json.dumps(status).encode())

    def dies(self, session: str) -> None:
        self.rooms.status(ADDRESS, json.dumps({"online": False, "session": session}).encode())

    def turns(self, *sessions: str, from_s: float = 10.0) -> None:
        """Each takes the line over from the one before, who says no more."""
        for turn, (before, session) in enumerate(zip(("", *sessions), sessions, strict=False)):
            if before:
                self.dies(before)
            self.says(session, from_s + turn)
            self.now += 1 + ENDING_S


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    return Wall(tmp_path)


def test_an_older_status_replaces_no_newer_one(wall: Wall) -> None:
    """Closed to the public, and the status from before it comes behind: who may see it would hang on the old one."""
    wall.says("a", 10, hearing="public")
    wall.says("a", 12, hearing="closed")
    wall.says("a", 11, hearing="public")
    assert wall.room.live_id == "closed"
    wall.says("a", 12, hearing="closed")  # delivered twice
    assert wall.room.heard


def test_a_room_that_is_started_anew_is_one_room_whatever_comes_late_of_it(wall: Wall) -> None:
    wall.says("a", 10, hearing="h1")
    wall.dies("a")
    assert not wall.room.online
    wall.says("b", 13)
    wall.says("a", 12, hearing="h1")  # overtaken on its way
    wall.dies("a")
    assert (wall.room.online, wall.room.heard, wall.room.live_id) == (True, True, None)
    assert wall.came_back == ["a", "b"]
    assert not wall.found


def test_starts_without_end_are_no_second_device_and_cost_no_memory(wall: Wall) -> None:
    for turn in range(100):
        wall.says(f"run-{turn}", 10 + turn)
        wall.now += 5
    assert not wall.found
    assert len(wall.room.uplinks._replaced) == MOST_RUNS


def test_who_comes_back_without_end_is_told_now_and_then_and_at_the_end(wall: Wall) -> None:
    for turn in range(1000):
        wall.says(f"run-{turn}", 10 + turn)
        wall.now += 0.02
    assert len(wall.came_back) <= MOST_BACK * (20 / BACK_S + 1)
    wall.now += BACK_S
    wall.rooms.poll()
    assert wall.came_back[-1] == "run-999"
    told = len(wall.came_back)
    wall.rooms.poll()
    assert len(wall.came_back) == told


@pytest.mark.parametrize("hearing", ["x" * 97, "x" * 200_000, "", "-h", "a b", 7, ["h1"], {"h": 1}, True])
def test_what_is_no_name_of_a_hearing_is_refused(wall: Wall, hearing: Any) -> None:
    wall.says("a", 10, hearing="h1")
    with pytest.raises(CenterError):
        wall.says("a", 11, hearing=hearing)
    assert wall.room.live_id == "h1"


def test_two_by_turns_are_said_and_nothing_live_is_shown_of_either(wall: Wall) -> None:
    wall.turns("a", "b", "a")
    assert TWICE in wall.room.alarms
    assert "两台设备使用同一身份" in wall.room.alarms[TWICE]
    assert wall.found == [ADDRESS]
    assert (wall.room.online, wall.room.heard) == (True, False)
    wall.turns("b", "a", "b", from_s=20)
    assert (wall.room.online, wall.room.heard) == (True, False)
    assert wall.found == [ADDRESS]


def test_each_is_told_at_each_turn_and_not_at_each_status(wall: Wall) -> None:
    wall.turns("a", "b", "a")
    told = len(wall.came_back)
    for turn in range(5):
        wall.says("a", 30 + turn)
    assert len(wall.came_back) == told
    wall.dies("a")
    for turn in range(5):
        wall.says("b", 30 + turn)
    assert len(wall.came_back) == told + 1


def test_the_hearing_of_the_one_is_not_replaced_by_the_other_s(wall: Wall) -> None:
    wall.says("a", 10, hearing="h1")
    wall.now += 10
    wall.says("b", 20)
    wall.now += 10
    wall.says("a", 30, hearing="h1")
    assert wall.room.live_id is None, "the one that came last is believed"


@pytest.mark.parametrize("left", ["a", "b"])
def test_when_one_is_gone_the_other_is_the_room_again(wall: Wall, left: str) -> None:
    wall.turns("a", "b", "a", "b")
    gone_s, second = wall.now, 100
    while wall.now < gone_s + SILENT_S + TWO_S + 5:
        wall.says(left, second, hearing="h1")
        wall.rooms.poll()
        assert wall.room.online
        wall.now, second = wall.now + 5, second + 5
    wall.says(left, second, hearing="h1")
    assert (wall.room.alarms, wall.room.heard, wall.room.live_id) == ({}, True, "h1")
    assert wall.came_back[-1] == left


def test_when_both_are_gone_the_room_is_away(wall: Wall) -> None:
    wall.turns("a", "b", "a")
    wall.now += STALE_S
    wall.rooms.poll()
    assert not wall.room.online


@pytest.mark.parametrize("order", [("", "a", ""), ("a", "", "a")])
def test_a_device_with_a_program_of_before_is_told_from_one_of_today(wall: Wall, order: Sequence[str]) -> None:
    wall.turns(*order)
    assert TWICE in wall.room.alarms


def test_a_room_of_before_may_begin_its_time_anew() -> None:
    uplinks = RoomUplinks()
    assert uplinks.take("", 10, 1.0) is StatusWorth.ANOTHER
    assert uplinks.take("", 5, 2.0) is StatusWorth.GOOD
    assert uplinks.take("", None, 3.0) is StatusWorth.GOOD
