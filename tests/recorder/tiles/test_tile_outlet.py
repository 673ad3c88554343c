"""What may be a room's small picture: H.264, small, and not too many bytes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.tiles.tile_outlet import MOST_BYTES_PER_S, UNFIT, WINDOW_NS, TileOutlet
from sync.errors import DeviceError
from sync.room.clock import RoomClock
from sync.room.feed import FeedServer
from sync.runtime.units import NS_PER_S


@pytest.fixture
def outlet(tmp_path: Path) -> TileOutlet:
    return TileOutlet(FeedServer(tmp_path / "feed"), RoomClock.open(tmp_path / "clock"), lambda room_ns: room_ns)


def run_of(codec: str, width: int, height: int) -> WorkerRun:
    decoder = "h264" if codec.startswith("avc") else "hevc"
    init: Any = SimpleNamespace(decoder=decoder, table=SimpleNamespace(codec=codec, width=width, height=height))
    return WorkerRun(1, init)


def picture(at_ns: int, size: int) -> StampedFragment:
    run = cast(WorkerRun, SimpleNamespace(init_id=1))
    return StampedFragment(run, 0, bytes(size), at_ns, at_ns + 1, 0, True)


@pytest.mark.parametrize(("codec", "width", "height"), [("avc1.42c01e", 1280, 720), ("hvc1.1.6.L93.90", 640, 360)])
def test_another_codec_and_a_large_picture_are_none(outlet: TileOutlet, codec: str, width: int, height: int) -> None:
    with pytest.raises(DeviceError, match=f"{width}×{height}") as refused:
        outlet.began(run_of(codec, width, height))
    assert refused.value.code == UNFIT
    outlet.began(run_of("avc1.42c01e", 720, 576))


def test_a_camera_that_sends_too_much_is_told_by_its_mean_and_not_by_a_key_frame(outlet: TileOutlet) -> None:
    window_s = WINDOW_NS // NS_PER_S
    for second in range(3 * window_s):
        outlet.publish(picture(second * NS_PER_S, MOST_BYTES_PER_S * 9 // 10))
    outlet.publish(picture(3 * WINDOW_NS, 3 * MOST_BYTES_PER_S))
    with pytest.raises(DeviceError, match="2 Mbit/s") as refused:
        outlet.publish(picture(3 * WINDOW_NS + 1, 2 * MOST_BYTES_PER_S))
    assert refused.value.code == UNFIT
