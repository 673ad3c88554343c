"""What creeps while somebody looks for hours shows in the figures, and what only breathes does not."""

from __future__ import annotations

import pytest

from wutong.bench.live.stretches import LiveStretch, LiveStretches

HOURS = 10


def ten_hours(lag_ms_per_h: float, mib_per_h: float) -> LiveStretches:
    watched = LiveStretches(HOURS * 3600)
    while watched.to_s < HOURS * 3600:
        to_s = watched.to_s + watched.each_s
        breath = len(watched.all) % 2 * 4
        delays = [100 + breath + lag_ms_per_h * to_s / 3600 + n for n in range(-10, 11)]
        held = {"page": 200 + breath + mib_per_h * to_s / 3600, "center": 90.0 + breath}
        watched.add(LiveStretch(to_s, delays, 0, held))
    return watched


def test_what_creeps_is_said_by_the_hour_of_the_picture_s_age_and_of_each_process() -> None:
    found = ten_hours(lag_ms_per_h=12, mib_per_h=3).figures()
    assert len(found["stretches"]) == 20
    assert found["creep_ms_per_h"] == pytest.approx(12, abs=1)
    assert found["creep_mib_per_h"]["page"] == pytest.approx(3, abs=1)
    assert found["stretches"][-1]["p50_ms"] - found["stretches"][0]["p50_ms"] == pytest.approx(12 * 9.5, abs=5)


def test_what_breathes_does_not_creep() -> None:
    found = ten_hours(lag_ms_per_h=0, mib_per_h=0).figures()
    assert abs(found["creep_ms_per_h"]) < 1
    assert all(abs(one) < 1 for one in found["creep_mib_per_h"].values())


def test_a_short_look_has_stretches_and_no_slope() -> None:
    watched = LiveStretches(20)
    for to_s in (10.0, 20.0):
        watched.add(LiveStretch(to_s, [100.0], 1, {"page": 1.0}))
    found = watched.figures()
    assert [one["stalls"] for one in found["stretches"]] == [1, 1]
    assert "creep_ms_per_h" not in found
