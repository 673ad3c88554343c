"""A camera is asked for a key frame of our stream, signed in to without its password, and not believed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from hardware.camera_address import CameraAddress
from hardware.drivers.onvif_answers import OnvifAnswer, is_same_stream
from hardware.drivers.onvif_camera import OnvifCamera
from sync.errors import DeviceError
from tests.support.peers.onvif_peer import OnvifPeer, enveloped

STREAMS = {
    "sub": "rtsp://192.0.2.1/live?channel=1&subtype=1&unicast=true",
    "main": "rtsp://192.0.2.1/live?channel=1&subtype=0",
}
PASSWORD = "s3cret-word"


def asked(peer: OnvifPeer, *, times: int = 1, password: str = PASSWORD) -> None:
    address = CameraAddress.parse("rtsp://127.0.0.1/live?channel=1&subtype=0", "court", password)
    camera = OnvifCamera(address, peer.port)
    try:
        for _ in range(times):
            camera.ask_for_key_frame()
    finally:
        camera.close()


@pytest.mark.parametrize("way", ["token", "digest"])
async def test_the_profile_of_the_stream_is_found_once_and_asked_for_a_key_frame(way: str) -> None:
    tokens: list[str] = []
    peer = OnvifPeer(STREAMS, tokens.append, "court", PASSWORD, way, timedelta(hours=-3))  # type: ignore[arg-type]  # of two
    async with peer.running():
        await asyncio.to_thread(asked, peer, times=3)
    assert tokens == ["main"] * 3
    found = ["GetSystemDateAndTime", "GetCapabilities", "GetProfiles", "GetStreamUri", "GetStreamUri"]
    assert peer.asked == [*found, *["SetSynchronizationPoint"] * 3]
    assert PASSWORD.encode() not in peer.heard


async def test_a_camera_whose_clock_is_at_the_end_of_time_is_signed_in_to_by_ours() -> None:
    tokens: list[str] = []
    until_the_end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - datetime.now(UTC) - timedelta(minutes=1)
    peer = OnvifPeer(STREAMS, tokens.append, "court", PASSWORD, "digest", until_the_end)
    async with peer.running():
        await asyncio.to_thread(asked, peer)
    assert tokens == ["main"]


async def test_a_stream_that_no_profile_names_is_that_of_the_first() -> None:
    tokens: list[str] = []
    peer = OnvifPeer({"one": "rtsp://192.0.2.1/other", "two": ""}, tokens.append)
    async with peer.running():
        await asyncio.to_thread(asked, peer)
    assert tokens == ["one"]


@pytest.mark.parametrize("way", ["token", "digest", "basic"])
async def test_a_password_that_is_refused_is_said_with_its_code_and_shown_to_nobody(way: str) -> None:
    peer = OnvifPeer(STREAMS, user="court", password="another", way=way)  # type: ignore[arg-type]  # of three
    async with peer.running():
        with pytest.raises(DeviceError) as failed:
            await asyncio.to_thread(asked, peer)
    assert failed.value.code == "password"
    assert PASSWORD.encode() not in peer.heard
    assert peer.refused <= 2
    assert "Basic" not in peer.heard.decode()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff\xfe<\0",
        b"<a><b></a>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"<a>" + b"<b/>" * 30_000 + b"</a>",
        b"x" * 300_000,
        enveloped("<x/>"),
        enveloped("<Media><XAddr>http://[::1/media</XAddr></Media>"),
        enveloped("<UTCDateTime><Year>99999999999</Year></UTCDateTime><Media><XAddr>x</XAddr></Media>"),
    ],
)
async def test_whatever_a_camera_answers_is_one_error(answer: bytes) -> None:
    peer = OnvifPeer(STREAMS, answer=answer)
    async with peer.running():
        with pytest.raises(DeviceError) as failed:
            await asyncio.to_thread(asked, peer)
    assert failed.value.code == "onvif"


def test_a_port_that_refuses_is_one_error() -> None:
    with pytest.raises(DeviceError) as failed:
        asked(OnvifPeer(STREAMS, port=9))
    assert failed.value.code == "onvif"


def test_tokens_are_those_that_can_be_one() -> None:
    tokens = ["a", "", "b" * 65, "c\u2028", *[f"t{n}" for n in range(20)]]
    body = "".join(f'<Profiles token="{one}"/>' for one in tokens)
    assert OnvifAnswer(enveloped(body)).profile_tokens == ["a", *[f"t{n}" for n in range(15)]]


def test_an_address_is_the_same_stream_by_its_path_and_all_that_is_asked() -> None:
    assert is_same_stream("rtsp://x:554/Streaming/Channels/101?transportmode=unicast", "/Streaming/Channels/101/")
    assert is_same_stream("rtsp://x/cam?subtype=0&channel=1&unicast=true", "/cam?channel=1&subtype=0")
    assert not is_same_stream("rtsp://x/cam?subtype=1&channel=1", "/cam?channel=1&subtype=0")
    assert not is_same_stream("rtsp://[x/cam", "/cam")
    assert not is_same_stream("rtsp://x/cam?" + "&".join("a" * 200), "/cam")
