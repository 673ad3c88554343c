"""Several processes of a center watch one room: it sends what any of them wants, and each gets every beginning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sync.errors import CenterError
from sync.room.paths import RoomPaths
from sync.runtime.units import NS_PER_S
from sync.uplink.trust.trusted_center import TrustedCenter
from sync.uplink.wanted_tracks import DEMAND_S, MOST_CENTERS, Demand, WantedTracks
from tests.support.peers.device_signatures import center_says, know_center
from tests.support.peers.live_line import INIT, Stand, fragment
from tests.support.peers.uplink_peers import ADDRESS

NOW = 1_795_000_000 * NS_PER_S


def demand(center: str, *tracks: str, session: str = "s", levels: bool = False) -> Demand:
    return Demand(tracks=list(tracks), session=session, levels=levels, center=center)


def test_none_replaces_what_another_wants_and_each_is_over_by_itself() -> None:
    wanted = WantedTracks()
    assert wanted.take(demand("a", "bench"), 0.0, ours=True) == ["bench"]
    assert wanted.take(demand("b", "wide", levels=True), 5.0, ours=True) == ["wide"]
    assert wanted.take(demand("a", "bench"), 5.0, ours=True) == []
    assert (wanted.tracks, wanted.levels) == ({"bench", "wide"}, True)
    assert wanted.take(demand("b"), 6.0, ours=True) == []
    assert (wanted.tracks, wanted.levels) == ({"bench"}, False)
    wanted.expire(5.0 + DEMAND_S)
    assert wanted.tracks == {"bench"}
    wanted.expire(5.1 + DEMAND_S)
    assert wanted.tracks == set()


def test_a_track_begins_for_each_that_has_nothing_of_it_yet() -> None:
    wanted = WantedTracks()
    wanted.take(demand("a", "bench"), 0.0, ours=True)
    assert wanted.take(demand("b", "bench"), 1.0, ours=True) == ["bench"]
    assert wanted.take(demand("b", "bench", session="anew"), 2.0, ours=True) == ["bench"]
    assert wanted.take(demand("a", "bench"), 3.0, ours=True) == []


def test_what_is_asked_of_another_uplink_is_asked_of_nobody_here() -> None:
    wanted = WantedTracks()
    wanted.take(demand("a", "bench", levels=True), 0.0, ours=True)
    assert wanted.take(demand("a", "bench", levels=True), 1.0, ours=False) == []
    assert (wanted.tracks, wanted.levels) == (set(), False)
    assert wanted.take(demand("a", "bench"), 2.0, ours=True) == ["bench"]


def test_however_many_processes_speak_few_are_remembered() -> None:
    wanted = WantedTracks()
    for number in range(10 * MOST_CENTERS):
        wanted.take(demand(f"c{number}", f"t{number % 40}"), 0.0, ours=True)
    assert len(wanted.tracks) <= MOST_CENTERS


def test_a_second_process_begins_with_a_picture_and_takes_none_from_the_first(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    stand.live.take("init/bench", INIT)
    stand.take(fragment(1, key=True), fragment(2))
    stand.demand("bench", center="a")
    stand.take(fragment(3))
    assert stand.line.fragments() == [1, 2, 3]
    stand.line.said.clear()
    stand.demand("bench", "wide", center="b")
    assert next(topic for topic, _, _ in stand.line.said) == "live/bench/init"
    stand.demand("bench", center="a")
    stand.take(fragment(4))
    assert stand.line.fragments() == [1, 2, 3, 4]
    stand.demand(center="b")
    stand.take(fragment(5))
    assert stand.live.watched == ["bench"]
    assert stand.line.fragments()[-1] == 5


class Believer:
    """Judges demands by their stamps."""

    def __init__(self, folder: Path) -> None:
        layout = RoomPaths(folder)
        know_center(layout)
        self.center = TrustedCenter(layout, ADDRESS, utc_ns=lambda: NOW)

    def takes(self, stamp: int, said: dict[str, Any]) -> bool:
        try:
            self.center.read("demand", center_says("demand", ADDRESS, said, stamp), limit=65_536)
        except CenterError:
            return False
        return True


@pytest.fixture
def room(tmp_path: Path) -> Believer:
    return Believer(tmp_path)


def test_processes_whose_clocks_differ_are_all_believed_and_none_twice(room: Believer) -> None:
    assert room.takes(NOW + 5 * NS_PER_S, {"center": "a"})
    assert room.takes(NOW, {"center": "b"})
    assert room.takes(NOW - NS_PER_S, {}), "one of before"
    for stamp, said in ((NOW + 5 * NS_PER_S, {"center": "a"}), (NOW, {"center": "b"}), (NOW - NS_PER_S, {})):
        assert not room.takes(stamp, said), "replayed"
    assert room.takes(NOW + 1, {"center": "b"})


def test_what_a_process_said_that_was_forgotten_is_not_believed_again(room: Believer) -> None:
    for number in range(3 * MOST_CENTERS):
        assert room.takes(NOW + number, {"center": f"c{number}"})
    for number in range(3 * MOST_CENTERS):
        assert not room.takes(NOW + number, {"center": f"c{number}"})
    assert room.takes(NOW + 1000, {"center": "new"})
    assert len(room.center._last) <= MOST_CENTERS + 1


@pytest.mark.parametrize("name", [7, None, ["a"], "x" * 65])
def test_a_name_that_is_none_is_as_no_name(room: Believer, name: object) -> None:
    assert room.takes(NOW, {"center": name})
    assert not room.takes(NOW, {})
