"""One track's pictures: held until its clock is known, published one by one with room time and UTC, kept together, and
not fooled by leaps."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest

from hardware.sources import TrackInfo
from recorder.capture.clock_fit import ClockFit
from recorder.capture.track import SETTLE_BY_ARRIVAL_NS, SETTLE_MOST_NS, Track, TrackRun
from sync.errors import MediaError
from sync.media.access_unit import StageStamps, WorkerStamps
from sync.media.fmp4 import parse_fragment
from sync.room.clock import ClockMap, RoomClock
from sync.runtime.units import NS_PER_S
from tests.support.files.taken_outlet import TakenOutlet
from wutong.bench.sync.simulated_world import EPOCH_UTC_NS, World, fragment, init

TICKS = 90_000
PICTURE = TICKS // 20
PICTURE_NS = NS_PER_S // 20
KEY_EVERY = 20
CODED_NS = 3_000_000


class Camera:
    """A camera of which only the arrival of its pictures tells the time; each comes when its time is over."""

    def __init__(self, step_at_ns: int = 1 << 62, step_ns: int = 0) -> None:
        self.world = World(step_at_ns, step_ns)
        clock = RoomClock(0, self.world)
        self.map = ClockMap(clock)
        self.out = TakenOutlet()
        self.track = Track(TrackInfo("c", "video", "", 0), clock, self.map.utc_ns, self.out)
        self.run = self.new_run()

    def new_run(self) -> TrackRun:
        run = TrackRun(self.track, 1, ClockFit(), by_arrival=True)
        run.feed(init("video", TICKS))
        return run

    def send(self, number: int, taken_ns: int, start: int | None = None, lost_ns: int = 0) -> None:
        """Taken at `taken_ns`, it comes a picture's time later."""
        self.world.now_ns = taken_ns + PICTURE_NS
        self.map.poll()
        stamps = WorkerStamps(taken_ns, taken_ns + CODED_NS, lost_ns).pack()
        decode_time = number * PICTURE if start is None else start
        self.run.feed(stamps + fragment(number, decode_time, PICTURE, key_frame=number % KEY_EVERY == 0))

    @property
    def moments(self) -> list[int]:
        return [one.from_ns for one in self.out.published]


def test_nothing_comes_out_before_the_clock_is_settled_and_then_nothing_is_lost() -> None:
    camera = Camera()
    for number in range(60):
        camera.send(number, NS_PER_S + number * PICTURE_NS)
        settled = number * PICTURE_NS >= SETTLE_BY_ARRIVAL_NS
        assert len(camera.out.published) == (number + 1 if settled else 0)
        assert len(camera.out.inits) == settled
    assert camera.moments == [NS_PER_S + n * PICTURE_NS for n in range(60)]


def test_a_picture_is_published_when_it_comes_and_says_how_old_it_is() -> None:
    camera = Camera()
    for number in range(60):
        camera.send(number, NS_PER_S + number * PICTURE_NS)
        if camera.out.published:
            newest = camera.out.published[-1]
            assert newest.from_ns == NS_PER_S + number * PICTURE_NS
    said = StageStamps.of(camera.out.published[-1].data)
    assert said == StageStamps(CODED_NS // 1000, PICTURE_NS // 1000)


def test_what_is_kept_are_the_same_pictures_at_the_same_times_together() -> None:
    camera = Camera()
    for number in range(60):
        camera.send(number, NS_PER_S + number * PICTURE_NS)
    camera.run.end()
    kept, published = camera.out.kept, camera.out.published
    assert [one.pictures for one in kept] == [3, 3, 3, 3, 3, 3, 2] * 3
    assert [one.key_frame for one in kept] == [True, *[False] * 6] * 3
    assert all(b.from_ns == a.to_ns for a, b in pairwise(kept))
    assert [one.sequence for one in kept] == list(range(21))
    assert [one.sequence for one in published] == list(range(60))
    run = kept[0].run
    samples = [s for one in kept for s in parse_fragment(one.data, run.init).samples()]
    assert samples == [struct.pack(">I", number) for number in range(60)]
    assert samples == [s for one in published for s in parse_fragment(one.data, run.init).samples()]


def test_a_picture_lasts_until_the_next_one_whatever_was_expected() -> None:
    camera = Camera()
    starts = [0]
    for number in range(40):
        starts.append(starts[-1] + PICTURE * (3 if number % 7 == 3 else 1))
    for number, start in enumerate(starts):
        camera.send(number, NS_PER_S + start * NS_PER_S // TICKS, start)
    assert all(b.from_ns == a.to_ns for a, b in pairwise(camera.out.kept))
    begins = {one.from_ns for one in camera.out.kept}
    assert begins <= set(camera.moments)


def test_pictures_of_another_size_go_on_behind_an_init_of_their_own() -> None:
    camera = Camera()
    for number in range(45):
        camera.send(number, 2 * NS_PER_S + number * PICTURE_NS)
    larger = init("video", TICKS, width=640, height=360)
    camera.run.feed(larger)
    assert len(camera.out.inits) == 1, "what is told is how the next picture is to be decoded"
    for number in range(60, 90):
        at = number - 15
        camera.send(number, 2 * NS_PER_S + at * PICTURE_NS, start=at * PICTURE)
    camera.run.end()
    kept, published = camera.out.kept, camera.out.published
    assert camera.moments == [2 * NS_PER_S + n * PICTURE_NS for n in range(75)]
    assert all(b.from_ns == a.to_ns for a, b in pairwise(kept))
    assert camera.out.inits == [published[0].run.init.data, larger]
    assert [one.run.init_id for one in (published[44], published[45])] == [1, 4]
    assert sum(one.pictures for one in kept if one.run.init.data == larger) == 30
    assert [one.sequence for one in published] == list(range(75))


@pytest.mark.parametrize("key_frame", [True, False])
def test_an_init_that_nothing_can_begin_with_or_that_comes_again_at_once_ends_the_run(key_frame: bool) -> None:
    camera = Camera()
    for number in range(60):
        camera.send(number, 2 * NS_PER_S + number * PICTURE_NS)
    for _ in range(2 if key_frame else 1):
        camera.run.feed(init("video", TICKS, width=640, height=360))
        if key_frame and camera.run.init_id == 1:
            camera.send(60, 2 * NS_PER_S + 60 * PICTURE_NS)
    with pytest.raises(MediaError):
        camera.send(80 if key_frame else 61, 2 * NS_PER_S + 61 * PICTURE_NS, start=61 * PICTURE)


def test_what_was_lost_lies_between_two_kept_fragments() -> None:
    camera = Camera()
    hole_ns = 2 * NS_PER_S
    for number in range(30):
        camera.send(number, NS_PER_S + number * PICTURE_NS)
    for number in range(30, 45):
        taken_ns = NS_PER_S + number * PICTURE_NS + hole_ns
        camera.send(number, taken_ns, lost_ns=hole_ns if number == 30 else 0)
    camera.run.end()
    holes = [(a.to_ns, b.from_ns) for a, b in pairwise(camera.out.kept) if b.from_ns != a.to_ns]
    assert holes == [(NS_PER_S + 30 * PICTURE_NS, NS_PER_S + 30 * PICTURE_NS + hole_ns)]


def test_a_burst_at_the_beginning_is_waited_out() -> None:
    camera = Camera()
    # The first two seconds arrive 0.8 s late, and the camera catches up by a fortieth of a second each time.
    for number in range(160):
        late_ns = max(800_000_000 - number * 25_000_000, 0)
        camera.send(number, NS_PER_S + number * PICTURE_NS + late_ns)
    assert camera.moments[0] == NS_PER_S
    assert len(camera.moments) == 160


def test_a_clock_that_never_settles_is_taken_as_it_is_after_a_while() -> None:
    camera = Camera()
    for number in range(160):
        camera.send(number, NS_PER_S + number * (PICTURE_NS - 2_000_000))
    assert camera.moments
    assert camera.world.now_ns > SETTLE_MOST_NS


def test_leading_pictures_with_senseless_time_stamps_are_left_out() -> None:
    camera = Camera()
    leap = 13 * 3600 * TICKS
    camera.send(0, NS_PER_S)
    for number in range(1, 60):
        camera.send(number, NS_PER_S + number * PICTURE_NS, start=leap + number * PICTURE)
    assert camera.moments[0] == NS_PER_S + PICTURE_NS
    assert len(camera.moments) == 59


def test_time_stamps_that_leap_later_end_the_run_and_the_next_goes_on() -> None:
    camera = Camera()
    for number in range(60):
        camera.send(number, NS_PER_S + number * PICTURE_NS)
    with pytest.raises(MediaError):
        camera.send(60, NS_PER_S + 60 * PICTURE_NS, start=100 * TICKS)
    camera.run.end()
    assert sum(one.pictures for one in camera.out.kept) == 60
    before_ns = camera.out.published[-1].to_ns
    camera.run = camera.new_run()
    for number in range(60):
        camera.send(number, 10 * NS_PER_S + number * PICTURE_NS)
    assert camera.moments[60] == 10 * NS_PER_S > before_ns


def test_time_stamps_that_go_back_end_the_run() -> None:
    camera = Camera()
    camera.send(1, NS_PER_S)
    with pytest.raises(MediaError):
        camera.send(2, NS_PER_S + PICTURE_NS, start=PICTURE)


def test_a_step_of_the_clock_moves_utc_from_then_on_and_the_media_time_never() -> None:
    hour_ns = 3600 * NS_PER_S
    camera = Camera(step_at_ns=6 * NS_PER_S + PICTURE_NS, step_ns=-hour_ns)
    for number in range(160):
        camera.send(number, NS_PER_S + number * PICTURE_NS)
    assert all(b.from_ns == a.to_ns for a, b in pairwise(camera.out.published))
    for out in camera.out.published:
        said = parse_fragment(out.data, out.run.init).utc_ns
        stepped = out.from_ns >= 6 * NS_PER_S + PICTURE_NS
        assert said == out.utc_ns == EPOCH_UTC_NS + out.from_ns - (hour_ns if stepped else 0)
    utc = {one.from_ns: one.utc_ns for one in camera.out.published}
    assert all(utc[one.from_ns] == one.utc_ns for one in camera.out.kept)
