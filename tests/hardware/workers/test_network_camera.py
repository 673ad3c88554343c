"""Decode times of a network camera grow by what it stamps; leaps are bridged at the pace of arrival."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.workers.network_camera import PictureTimes, completed

BASE = Fraction(1, 90_000)
FRAME = 3600
FRAME_NS = 40_000_000


def test_times_begin_at_zero_and_are_the_camera_s_own() -> None:
    times = PictureTimes(BASE)
    placed = [times.place(5_000 + n * FRAME, 5_000 + n * FRAME, n * FRAME_NS) for n in range(10)]
    assert placed == [(n * FRAME, n * FRAME) for n in range(10)]


def test_the_first_picture_may_have_no_stamp() -> None:
    times = PictureTimes(BASE)
    assert times.place(None, None, 0) == (0, 0)
    assert times.place(0, 0, FRAME_NS)[1] in range(1, FRAME + 1)


def test_a_leap_either_way_is_as_long_as_the_pictures_took_to_come() -> None:
    for leap in (3600 * 90_000, -3600 * 90_000):
        times = PictureTimes(BASE)
        for number in range(20):
            times.place(number * FRAME, number * FRAME, number * FRAME_NS)
        _, after = times.place(leap, leap, 20 * FRAME_NS + 60_000_000)
        assert after == 19 * FRAME + FRAME + 5400
        assert times.place(leap + FRAME, leap + FRAME, 22 * FRAME_NS)[1] == after + FRAME


def test_reordered_pictures_keep_the_distance_of_showing_and_decoding() -> None:
    times = PictureTimes(BASE)
    shown = [0, 3, 1, 2, 6, 4, 5]
    placed = [times.place((s + 1) * FRAME, n * FRAME, n * FRAME_NS) for n, s in enumerate(shown)]
    assert [pts // FRAME - 1 for pts, _ in placed] == shown


def test_the_first_pictures_of_a_reordered_stream_get_the_decode_times_that_the_library_does_not_know() -> None:
    stamps = [(None, None), (3 * FRAME, None), (FRAME, None), (2 * FRAME, FRAME)]
    found = completed(stamps, FRAME)
    assert found == [(0, -2 * FRAME), (3 * FRAME, -FRAME), (FRAME, 0), (2 * FRAME, FRAME)]
    times = PictureTimes(BASE)
    placed = [times.place(pts, dts, n * FRAME_NS) for n, (pts, dts) in enumerate(found)]
    assert [(pts // FRAME, dts // FRAME) for pts, dts in placed] == [(2, 0), (5, 1), (3, 2), (4, 3)]


@pytest.mark.parametrize("wild", [-9_800, -3, -1, 3, 9, 37_600])
def test_a_picture_stamped_out_of_the_line_moves_no_other(wild: int) -> None:
    """Recorders of some makers stamp one picture every couple of seconds seconds or hours away."""
    times = PictureTimes(BASE)
    late_ns = 0
    for number in range(2_000):
        late_ns = (late_ns * 7 + 1_234_567) % 9_000_000  # no network is even
        stamp = number * FRAME + (wild * 90_000 if number % 50 == 30 else 0)
        _, at = times.place(stamp, stamp, number * FRAME_NS + late_ns)
        assert abs(at - number * FRAME) <= (FRAME if number % 50 == 30 else 0), number


def test_a_line_that_goes_on_elsewhere_is_followed_at_the_pace_of_arrival() -> None:
    for leap_s in (-7_200, -2, 5, 7_200):
        times = PictureTimes(BASE)
        for number in range(100):
            stamp = number * FRAME + (leap_s * 90_000 if number >= 50 else 0)
            _, at = times.place(stamp, stamp, number * FRAME_NS)
            assert at == number * FRAME, (leap_s, number)


def test_a_hole_that_took_its_time_stays_a_hole() -> None:
    """The network held pictures back, and the camera threw some away: the stamps are right all the same."""
    times = PictureTimes(BASE)
    for number in range(50):
        times.place(number * FRAME, number * FRAME, number * FRAME_NS)
    held_ns = 100 * FRAME_NS
    assert times.place(50 * FRAME, 50 * FRAME, held_ns)[1] == 50 * FRAME
    assert times.place(98 * FRAME, 98 * FRAME, held_ns + 1)[1] == 98 * FRAME
    assert times.place(150 * FRAME, 150 * FRAME, 150 * FRAME_NS)[1] == 150 * FRAME


def test_stamps_that_stand_still_are_replaced_by_the_moments_of_arrival() -> None:
    times = PictureTimes(BASE)
    placed = [times.place(0, 0, number * 2 * FRAME_NS)[1] for number in range(100)]
    assert {b - a for a, b in pairwise(placed[2:])} == {2 * FRAME}


def test_a_camera_whose_clock_is_fast_or_slow_is_followed_for_hours() -> None:
    for share in (-500, 500):
        times = PictureTimes(BASE)
        for number in range(25 * 3600):
            stamp = number * FRAME + number * FRAME * share // 1_000_000
            assert times.place(stamp, stamp, number * FRAME_NS)[1] == stamp, (share, number)


@given(st.lists(st.one_of(st.none(), st.integers(-(1 << 33), 1 << 33)), min_size=1, max_size=60))
def test_decode_times_always_grow(stamps: list[int | None]) -> None:
    times = PictureTimes(BASE)
    placed = [times.place(stamp, stamp, number * FRAME_NS) for number, stamp in enumerate(stamps)]
    assert all(b > a for (_, a), (_, b) in pairwise(placed))
    assert all(pts >= dts >= 0 for pts, dts in placed)
