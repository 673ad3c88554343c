"""Of the streams that a camera offers the largest is recorded, and a small one is for walls; its host stays its own."""

from __future__ import annotations

import asyncio

import pytest

from hardware.discovery.camera_streams import CameraStreams, streams_of
from sync.errors import DeviceError
from tests.support.peers.onvif_peer import OnvifPeer
from tests.support.peers.scripted_rtsp import ScriptedCamera

STREAMS = {
    "small": "rtsp://192.0.2.1:554/live?channel=1&subtype=1",
    "jpeg": "rtsp://192.0.2.1/snap",
    "large": "rtsp://192.0.2.1:8554/live?channel=1&subtype=0",
}
PICTURES = {"small": ("H264", 640, 360), "jpeg": ("JPEG", 3840, 2160), "large": ("H265", 2560, 1440)}
PASSWORD = "s3cret-word"


async def asked(peer: OnvifPeer, password: str = PASSWORD) -> CameraStreams:
    async with peer.running():
        return await asyncio.to_thread(streams_of, "127.0.0.1", peer.port, "court", password)


async def test_the_largest_that_can_be_copied_is_recorded_and_a_small_one_is_for_walls() -> None:
    peer = OnvifPeer(STREAMS, user="court", password=PASSWORD, pictures=PICTURES)
    found = await asked(peer)
    assert found == CameraStreams(
        "rtsp://127.0.0.1:8554/live?channel=1&subtype=0", "rtsp://127.0.0.1:554/live?channel=1&subtype=1", peer.port
    )
    assert PASSWORD.encode() not in peer.heard


async def test_a_camera_that_says_nothing_of_its_pictures_is_taken_by_its_first_stream() -> None:
    found = await asked(OnvifPeer(STREAMS))
    assert found.main == "rtsp://127.0.0.1:554/live?channel=1&subtype=1"
    assert found.sub == ""


async def test_a_password_that_is_not_right_is_said_and_tried_nowhere_else() -> None:
    peer = OnvifPeer(STREAMS, user="court", password=PASSWORD, pictures=PICTURES)
    with pytest.raises(DeviceError) as refused:
        await asked(peer, "other")
    assert refused.value.code == "password"
    assert peer.refused == 1


async def test_a_camera_without_a_stream_that_is_copied_says_so() -> None:
    with pytest.raises(DeviceError) as refused:
        await asked(OnvifPeer({"jpeg": STREAMS["jpeg"]}, pictures=PICTURES))
    assert refused.value.code == "codec"


async def test_without_onvif_the_paths_of_makers_are_tried() -> None:
    async with ScriptedCamera([[b"\x67\x42\xc0\x1e", b"\x68\xce", b"\x65abc"]]).running() as camera:
        port = int(camera.url.split(":")[2].split("/")[0])
        found = await asyncio.to_thread(streams_of, "127.0.0.1", 0, "", "", port)
    assert found.main.startswith(f"rtsp://127.0.0.1:{port}/")
    assert found.onvif_port == 0
