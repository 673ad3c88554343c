"""Fault 9: a sound card that is off by 200 ppm for eight hours: by the end it is 5.8 s away.

Time is made up, the fitting code is the product's. No sample is altered; each is stamped within a few milliseconds of
when it was heard.
"""

from __future__ import annotations

import random

import pytest

from recorder.capture.clock_fit import ClockFit, TrackTime

S = 1_000_000_000


@pytest.mark.parametrize("ppm", [200, -200])
@pytest.mark.slow
def test_eight_hours_of_drift(ppm: float) -> None:
    fit, chance = ClockFit(), random.Random(9)
    time = TrackTime(fit, 0, 0)
    worst = 0
    for number in range(1, 8 * 3600 * 5):
        media_ns = number * S // 5
        true_ns = 1000 * S + int(media_ns / (1 + ppm / 1e6))
        fit.observe(media_ns, true_ns + chance.randint(0, 10_000_000))
        if number > 10:
            stamped_ns = time.stamp(media_ns)
            if number > 300:
                worst = max(worst, abs(stamped_ns - true_ns))
    assert worst < 20_000_000
