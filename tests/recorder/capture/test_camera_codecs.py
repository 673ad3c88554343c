"""Pictures that come in another order than they are shown in, and H.265: copied, and shown at their own times."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest

from sync.media.envelope import unpack_init
from tests.support.peers.gstreamer_camera import gstreamer_camera
from tests.support.peers.scripted_rtsp import ScriptedCamera, encode
from tests.support.rooms.recorder_room import SIMULATED_MICS, RecorderRoom, profile_text


@pytest.mark.parametrize(("picture", "codec"), [("b-frames", "avc1."), ("h265", "hvc1.1.")])
async def test_a_stream_is_copied_and_shown_at_its_own_times(
    room_of: Callable[..., RecorderRoom], picture: str, codec: str
) -> None:
    with gstreamer_camera("--picture", picture) as place:
        cameras = f'[[cameras]]\nid = "bench"\nname = "审判席"\ndriver = "rtsp"\nurl = "rtsp://{place}"\n'
        room = room_of(profile_text(SIMULATED_MICS, cameras))
        await room.until(room.running, "it runs")
        opened_ns = room.say("open", case={}, seats=[], tracks=[])
        await room.pass_media("bench", 4)
        closed_ns = room.say("close")
        view = await room.closed("bench")
    assert [g for g in view.gaps if g.track == "bench"] == []
    mime, _ = unpack_init(room.inits["bench"][-1].payload)
    assert f'codecs="{codec}' in mime
    await room.until(lambda: "bench" in room.thumbs, "a picture of it was decoded")
    shown = times_of(room.files("bench"))
    # The record ends between fragments, so the picture that is shown last may have come before those that go before it.
    assert [b - a for a, b in pairwise(shown[:-1]) if not 0.03 < b - a < 0.05] == []
    assert len(shown) >= (closed_ns - opened_ns) / 1e9 * 24 - 2


async def test_a_camera_s_h265_is_made_h264_beside_it_at_the_same_times(room_of: Callable[..., RecorderRoom]) -> None:
    with gstreamer_camera("--picture", "h265") as place:
        camera = f'id = "bench"\nname = "审判席"\ndriver = "rtsp"\nurl = "rtsp://{place}"\ncompatible = true\n'
        room = room_of(profile_text(SIMULATED_MICS, f"[[cameras]]\n{camera}"))
        await room.until(room.running, "both run")
        room.say("open", case={}, seats=[], tracks=[])
        await room.pass_media("bench-h264", 4)
        room.say("close")
        await room.closed("bench", "bench-h264")
    mime, _ = unpack_init(room.inits["bench-h264"][-1].payload)
    assert 'codecs="avc1.' in mime
    taken = {name: times_of(room.files(name)) for name in ("bench", "bench-h264")}
    assert len(taken["bench-h264"]) > 20
    between = [at for at in taken["bench-h264"] if taken["bench"][0] < at < taken["bench"][-1]]
    assert all(min(abs(at - of) for of in taken["bench"]) < 0.004 for at in between)


@pytest.mark.slow
async def test_a_camera_that_makes_no_key_frame_for_a_newcomer_is_waited_for(
    room_of: Callable[..., RecorderRoom],
) -> None:
    """Key frames are 18 s apart, and the first comes after 16 s: for the camera and for what is made of it."""
    camera = ScriptedCamera(encode("320x180", 450, 450), newcomer_at=50)
    async with camera.running():
        text = f'id = "bench"\nname = "审判席"\ndriver = "rtsp"\nurl = "{camera.url}"\ncompatible = true\n'
        room = room_of(profile_text(SIMULATED_MICS, f"[[cameras]]\n{text}"))
        await room.until(room.running, "both run")
        assert {name: room.track(name)["restarts"] for name in ("bench", "bench-h264")} == {"bench": 0, "bench-h264": 0}
        assert camera.clients == 1


def times_of(paths: list[Path]) -> list[float]:
    found: list[float] = []
    for path in paths:
        with av.open(os.fspath(path)) as container:
            found += [float(frame.time or 0) for frame in container.decode(video=0)]
    return found
