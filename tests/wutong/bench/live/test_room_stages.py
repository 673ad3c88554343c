"""What the room says of its own stages is read from what it publishes."""

from __future__ import annotations

import pytest

from sync.media.access_unit import StageStamps
from sync.media.envelope import Envelope, Kind
from wutong.bench.live.stages import RoomStages

MS = 1_000_000


def picture(payload: bytes) -> Envelope:
    return Envelope(Kind.FRAGMENT, 1, 1, 1_000 * MS, 0, 40_000, payload)


def test_each_stage_is_counted_from_the_moment_at_which_the_picture_was_taken() -> None:
    stages = RoomStages()
    for late in range(101):
        stages.take(picture(StageStamps((10 + late) * 1000, (20 + late) * 1000).pack()), (1_030 + late) * MS)
    assert stages.figures() == {
        "coded": {"p50": pytest.approx(60), "p95": pytest.approx(105)},
        "recorded": {"p50": pytest.approx(70), "p95": pytest.approx(115)},
        "fed": {"p50": pytest.approx(80), "p95": pytest.approx(125)},
    }


def test_a_picture_that_says_nothing_counts_nowhere() -> None:
    stages = RoomStages()
    stages.take(picture(b"moof"), 2_000 * MS)
    assert stages.figures() == {}
