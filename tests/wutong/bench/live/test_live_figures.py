"""How the live figures follow from what the page saw."""

from __future__ import annotations

from typing import Any

import pytest

from sync.errors import WutongError
from wutong.bench.live.measure import figures, steps


def _raw(**more: Any) -> dict[str, Any]:
    samples = [[n * 40.0, 300.0 + n] for n in range(101)]
    return {"first_ms": 812.0, "samples": samples, "stalls": 1, "frozen": 2, "unreadable": 0, "frames": 303} | more


def test_percentiles_are_of_the_delays_and_every_kind_of_stall_counts() -> None:
    got = figures(_raw(), 60, 0.5)
    assert (got["capture_to_display_ms_p50"], got["capture_to_display_ms_p95"]) == (350.0, 395.0)
    assert got["capture_to_display_ms_max"] == 400.0
    assert (got["first_picture_ms"], got["stalls"], got["frames_read"]) == (812.0, 3, 101)


@pytest.mark.parametrize("nothing", [{"first_ms": None}, {"samples": []}])
def test_no_picture_is_an_error_not_a_figure(nothing: dict[str, Any]) -> None:
    with pytest.raises(WutongError, match="no picture"):
        figures(_raw(**nothing), 60, 0.5)


def test_what_lies_before_the_first_picture_is_said_in_its_order() -> None:
    found = steps(_raw(steps={"asked": 120.4, "page": 12.2, "media_came": 180.6, "socket_open": 80.0}))
    assert list(found.items()) == [("page", 12), ("socket_open", 80), ("asked", 120), ("media_came", 181)]
