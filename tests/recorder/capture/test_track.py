"""One track's fragments: held until its clock is known, stamped with room time and UTC, and not fooled by leaps."""

from __future__ import annotations

from itertools import pairwise

import pytest

from hardware.sources import TrackInfo
from recorder.capture.clock_fit import ClockFit
from recorder.capture.fragment import StampedFragment
from recorder.capture.track import SETTLE_BY_ARRIVAL_NS, SETTLE_MOST_NS, Track, TrackRun
from sync.errors import MediaError
from sync.media.fmp4 import parse_fragment
from sync.room.clock import ClockMap, RoomClock
from sync.runtime.units import NS_PER_S
from wutong.bench.sync.simulated_world import EPOCH_UTC_NS, World, fragment, init

TICKS = 90_000
PART = TICKS // 4
PART_NS = NS_PER_S // 4
PICTURES = 5
PICTURE_NS = PART_NS // PICTURES


class Camera:
    """A camera of which only the arrival of its fragments tells the time."""

    def __init__(self, step_at_ns: int = 1 << 62, step_ns: int = 0) -> None:
        self.world = World(step_at_ns, step_ns)
        clock = RoomClock(0, self.world)
        self.map = ClockMap(clock)
        self.out: list[StampedFragment] = []
        self.track = Track(TrackInfo("c", "video", "", 0), clock, self.map.utc_ns, lambda _: None, self.out.append)
        self.run = self.new_run()

    def new_run(self) -> TrackRun:
        run = TrackRun(self.track, 1, ClockFit(), reported=False, by_arrival=True)
        run.feed(init("video", TICKS))
        return run

    def send(self, number: int, at_ns: int, start: int | None = None, duration: int = PART) -> None:
        """What ends at `at_ns` comes with the next picture, a picture's time later."""
        self.world.now_ns = at_ns + PICTURE_NS
        self.map.poll()
        self.run.feed(fragment(number, number * PART if start is None else start, duration, PICTURES))


def test_nothing_comes_out_before_the_clock_is_settled_and_then_nothing_is_lost() -> None:
    camera = Camera()
    for number in range(20):
        camera.send(number, NS_PER_S + (number + 1) * PART_NS)
        settled = number * PART_NS >= SETTLE_BY_ARRIVAL_NS
        assert len(camera.out) == (number + 1 if settled else 0)
    assert [f.from_ns for f in camera.out] == [NS_PER_S + n * PART_NS for n in range(20)]


def test_a_burst_at_the_beginning_is_waited_out() -> None:
    camera = Camera()
    # The first two seconds arrive 0.8 s late, and the camera catches up by a tenth of a second each time.
    for number in range(40):
        late_ns = max(800_000_000 - number * 100_000_000, 0)
        camera.send(number, NS_PER_S + (number + 1) * PART_NS + late_ns)
    assert camera.out[0].from_ns == NS_PER_S
    assert len(camera.out) == 40


def test_a_clock_that_never_settles_is_taken_as_it_is_after_a_while() -> None:
    camera = Camera()
    for number in range(40):
        camera.send(number, NS_PER_S + (number + 1) * (PART_NS - 10_000_000))
    assert camera.out
    assert camera.world.now_ns > SETTLE_MOST_NS


def test_leading_pictures_with_senseless_time_stamps_are_left_out() -> None:
    camera = Camera()
    leap = 13 * 3600 * TICKS
    camera.send(0, NS_PER_S, duration=leap)
    for number in range(1, 20):
        camera.send(number, NS_PER_S + number * PART_NS, start=leap + number * PART)
    assert camera.out[0].from_ns == NS_PER_S
    assert all(b.from_ns == a.to_ns for a, b in pairwise(camera.out))


def test_time_stamps_that_leap_later_end_the_run_and_the_next_goes_on() -> None:
    camera = Camera()
    for number in range(20):
        camera.send(number, NS_PER_S + (number + 1) * PART_NS)
    with pytest.raises(MediaError):
        camera.send(20, NS_PER_S + 21 * PART_NS, duration=100 * TICKS)
    before_ns = camera.out[-1].to_ns
    camera.run = camera.new_run()
    for number in range(20):
        camera.send(number, 10 * NS_PER_S + (number + 1) * PART_NS)
    assert camera.out[20].from_ns == 10 * NS_PER_S > before_ns


def test_a_step_of_the_clock_moves_utc_from_then_on_and_the_media_time_never() -> None:
    hour_ns = 3600 * NS_PER_S
    camera = Camera(step_at_ns=6 * NS_PER_S + PICTURE_NS, step_ns=-hour_ns)
    for number in range(40):
        camera.send(number, NS_PER_S + (number + 1) * PART_NS)
    assert all(b.from_ns == a.to_ns for a, b in pairwise(camera.out))
    for out in camera.out:
        said = parse_fragment(out.data, out.run.init).utc_ns
        stepped = out.from_ns >= 6 * NS_PER_S + PICTURE_NS
        assert said == out.utc_ns == EPOCH_UTC_NS + out.from_ns - (hour_ns if stepped else 0)
