"""A sound card that drifts, an arrival that jitters, samples that are lost: what the time line makes of them."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from recorder.clockfit import MAX_SLOPE_PPM, ClockFit, TrackTime
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
