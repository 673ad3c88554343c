"""A sound card that drifts, an arrival that jitters, samples that are lost: what the time line makes of them."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.capture.clock_fit import MAX_SLOPE_PPM, ClockFit, TrackTime, line_below
from sync.errors import MediaError

S = 1_000_000_000
STEP = S // 10


def run(ppm: float, seconds: int, jitter_ns: int = 0, delay_ns: int = 0) -> list[tuple[int, int]]:
    """(true room time, stamped room time) of each tenth of a second of media from a card that is `ppm` too fast."""
    fit, out = ClockFit(), []
    time = TrackTime(fit, delay_ns, 0)
    rng = random.Random(4)
    for number in range(1, seconds * 10):
        media_ns = number * STEP
        true_ns = 1000 * S + int(media_ns / (1 + ppm / 1e6))
        fit.observe(media_ns, true_ns + rng.randint(0, jitter_ns))
        if number > 10:
            out.append((true_ns - delay_ns, time.stamp(media_ns)))
    return out


@pytest.mark.parametrize("ppm", [0, 200, -200, 400, -400])
def test_an_hour_of_drift_stays_within_milliseconds(ppm: float) -> None:
    stamps = run(ppm, 3600, jitter_ns=20_000_000)
    assert max(abs(true - stamped) for true, stamped in stamps[100:]) < 12_000_000


def test_jitter_of_arrival_moves_nothing_by_more_than_the_slope() -> None:
    stamps = run(0, 60, jitter_ns=200_000_000)
    for (_, before), (_, after) in pairwise(stamps):
        assert abs(after - before - STEP) <= STEP * MAX_SLOPE_PPM // 1_000_000 + 1


def test_the_priming_of_an_encoder_is_taken_off() -> None:
    assert run(0, 10, delay_ns=21_333_333)[-1][0] == run(0, 10, delay_ns=21_333_333)[-1][1]


def test_lost_samples_are_a_hole_where_they_were_lost() -> None:
    fit = ClockFit()
    time = TrackTime(fit, 0, 0)
    fit.observe(S, 100 * S)
    assert time.stamp(S) == 100 * S
    fit.lost(2 * S, 300_000_000)
    fit.observe(3 * S, 102 * S + 300_000_000)
    assert time.stamp(2 * S) == 101 * S
    assert time.stamp(2 * S + STEP) == 101 * S + STEP + 300_000_000


def test_a_new_run_never_goes_back_behind_the_last() -> None:
    fit = ClockFit()
    fit.observe(S, 100 * S)
    assert TrackTime(fit, 0, not_before_ns=105 * S).stamp(S) == 105 * S


def test_clocks_that_part_end_the_run() -> None:
    fit = ClockFit()
    time = TrackTime(fit, 0, 0)
    fit.observe(S, 100 * S)
    time.stamp(S)
    fit.observe(2 * S, 90 * S)
    with pytest.raises(MediaError):
        time.stamp(2 * S)


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(-(10**12), 10**12)), min_size=1, max_size=60))
def test_no_point_lies_below_the_line_and_it_is_never_steeper_than_allowed(parts: list[tuple[int, int]]) -> None:
    at, points = 0, []
    for step, offset in parts:
        at += step
        points.append((at, offset))
    offset_ns, slope = line_below(points)
    assert abs(slope) <= MAX_SLOPE_PPM / 1e6
    line = [offset_ns + slope * (t - points[-1][0]) for t, _ in points]
    below = [y - on for (_, y), on in zip(points, line, strict=True)]
    assert min(below) == pytest.approx(0, abs=2)  # it touches, to the rounding of nanoseconds


@pytest.mark.parametrize("ppm", [-400, 0, 237, 400])
def test_the_drift_of_a_device_is_found_below_jitter(ppm: int) -> None:
    """Two minutes of delays of 20 ms on the average, a thousand times: the slope has its chances, the time has not."""
    slopes_ppm, offsets_ns = [], []
    for seed in range(1000):
        late = np.random.default_rng(seed).exponential(20e6, 60)
        offset_ns, slope = line_below([(n * 2 * S, round(n * 2 * S * ppm / 1e6 + late[n])) for n in range(60)])
        slopes_ppm.append(abs(slope * 1e6 - ppm))
        offsets_ns.append(abs(offset_ns - 118 * S * ppm / 1e6))
    assert np.percentile(slopes_ppm, 99) < 65
    assert max(offsets_ns) < 7e6


@settings(max_examples=12, deadline=None)
@given(
    ppm=st.floats(-200, 200),
    seed=st.integers(0, 10_000),
    burst_at_s=st.integers(0, 200),
    burst_s=st.integers(1, 45),
    burst_ms=st.integers(20, 400),
)
def test_drift_jitter_and_a_burst_of_delays_stay_within_the_bounds(
    ppm: float, seed: int, burst_at_s: int, burst_s: int, burst_ms: int
) -> None:
    """Heavy-tailed jitter all the time and one burst, after the line has begun: 20 ms hold at every moment."""
    chance = np.random.default_rng(seed)
    fit, time = ClockFit(), TrackTime(ClockFit(), 0, 0)
    last_ns, errors = 0, []
    for number in range(1, 400 * 5):
        media_ns = number * S // 5
        true_ns = S + round(media_ns / (1 + ppm / 1e6))
        late_ms = chance.exponential(5) + (chance.pareto(1.3) * 30 if chance.random() < 0.02 else 0)
        if 60 + burst_at_s <= number / 5 <= 60 + burst_at_s + burst_s:
            late_ms += burst_ms
        last_ns = max(last_ns, true_ns + round(min(late_ms, 2000) * 1e6))  # nothing overtakes
        fit.observe(media_ns, last_ns)
        if number == 10:
            time = TrackTime(fit, 0, 0)
        if number >= 10:
            errors.append(time.stamp(media_ns) - true_ns)
    assert max(abs(error) for error in errors) < 20_000_000
    assert abs(float(np.median(errors))) < 5_000_000


@pytest.mark.parametrize("pictures", [True, False])
def test_pictures_that_were_judged_while_everything_was_late_catch_up_and_sound_only_by_the_slope(
    pictures: bool,
) -> None:
    fit = ClockFit()
    time = TrackTime(fit, 0, 0, pictures_late=pictures)
    errors, stamps = [], []
    for number in range(1, 1200):
        media_ns, true_ns = number * STEP, 100 * S + number * STEP
        fit.observe(media_ns, true_ns + (400_000_000 if number < 300 else 0))  # half a minute of a busy machine
        stamps.append(time.stamp(media_ns))
        errors.append(stamps[-1] - true_ns)
    assert errors[298] == 400_000_000
    assert (max(errors[500:]) <= 100_000_000) is pictures  # twenty seconds later
    most = STEP * (20_000 if pictures else MAX_SLOPE_PPM) // 1_000_000
    assert all(-1 <= STEP - (b - a) <= most + 1 for a, b in pairwise(stamps))


def test_a_card_that_loses_samples_all_day_costs_no_more_and_no_less() -> None:
    fit = ClockFit()
    time = TrackTime(fit, 0, 0)
    lost_ns = 1_000_000
    for number in range(1, 20_000):  # half an hour, a millisecond in each tenth of a second
        media_ns = number * STEP
        true_ns = 100 * S + media_ns + number * lost_ns
        fit.lost(media_ns - STEP // 2, lost_ns)
        fit.observe(media_ns, true_ns)
        assert time.stamp(media_ns) == true_ns
    assert len(fit._lost) < 1000


@pytest.mark.parametrize(("real_hz", "asked_hz", "says"), [(44_100, 48_000, "慢 8.1%"), (48_000, 44_100, "快 8.8%")])
def test_a_card_that_counts_at_another_rate_than_it_was_asked_for_is_named(
    real_hz: int, asked_hz: int, says: str
) -> None:
    with pytest.raises(MediaError, match=says) as parted:
        run((real_hz / asked_hz - 1) * 1e6, 60, jitter_ns=1_000_000)
    assert parted.value.code == "rate"


@pytest.mark.parametrize("leap_ns", [-2 * S, 2 * S])
@pytest.mark.parametrize("leap_at_s", [3, 15, 27])
def test_a_leap_is_not_taken_for_a_wrong_rate(leap_ns: int, leap_at_s: int) -> None:
    fit = ClockFit()
    for number in range(300):
        fit.observe(number * STEP, 100 * S + number * STEP + (leap_ns if number > leap_at_s * 10 else 0))
        assert fit.rate_off is None
