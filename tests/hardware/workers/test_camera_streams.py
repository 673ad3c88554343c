"""Streams as cameras in the field send them: each is copied, at its own pace, or what is wrong with it is named."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from hardware.camera_address import CameraAddress
from hardware.workers import network_camera
from hardware.workers.network_camera import CameraCopy
from sync.errors import DeviceError
from sync.media.fmp4 import BoxReader, Fragment, Init
from sync.runtime.process.processes import die_with_parent
from tests.support.peers.onvif_peer import OnvifPeer
from tests.support.peers.scripted_rtsp import TICKS, ScriptedCamera, encode

FAR = 9_800 * 90_000
"""Ticks that a recorder was seen to stamp single pictures away from their line."""


@contextlib.contextmanager
def copied(url: str, onvif_port: int = 0) -> Iterator[Iterator[Init | Fragment]]:
    """What the worker makes of a camera."""
    (media, media_fd), (reports, report_fd) = os.pipe(), os.pipe()
    for fd in (media_fd, report_fd):
        os.set_inheritable(fd, True)
    options = json.dumps({"id": "bench", "media_fd": media_fd, "report_fd": report_fd, "onvif_port": onvif_port})
    worker = subprocess.Popen(
        [sys.executable, "-m", "hardware.workers.network_camera", options],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=[media_fd, report_fd],
        preexec_fn=die_with_parent,
    )
    os.close(media_fd)
    os.close(report_fd)
    assert worker.stdin is not None
    with worker.stdin as said:
        said.write(json.dumps({"url": url, "user": "", "password": ""}).encode())

    def items() -> Iterator[Init | Fragment]:
        reader = BoxReader()
        while data := os.read(media, 65_536):
            yield from reader.feed(data)

    try:
        yield items()
    finally:
        worker.kill()
        worker.wait()
        os.close(media)
        os.close(reports)


def until(url: str, enough: Callable[[list[Fragment]], bool]) -> list[Fragment]:
    """All fragments up to the first with which there are enough; what ends before is all there is."""
    found: list[Fragment] = []
    with copied(url) as items:
        for item in items:
            if isinstance(item, Fragment):
                found.append(item)
                if enough(found):
                    break
    return found


def pictures(fragments: list[Fragment]) -> int:
    return sum(len(fragment.sizes) for fragment in fragments)


CAMERAS = {
    "sets only in the pictures": ScriptedCamera([], sets="none"),
    "one of two sets": ScriptedCamera([], sets="first"),
    "still pictures described first": ScriptedCamera([], with_stills=True),
    "a picture stamped hours away": ScriptedCamera([], stamp=lambda n: n * TICKS - (FAR if n % 20 == 10 else 0)),
    "a picture stamped seconds ahead": ScriptedCamera([], stamp=lambda n: n * TICKS + (270_000 if n % 20 == 10 else 0)),
}


@pytest.mark.parametrize("name", CAMERAS)
async def test_the_stream_is_copied_at_its_own_pace(name: str) -> None:
    camera = CAMERAS[name]
    camera.pictures = encode("320x180", 25, 50)
    async with camera.running():
        found = await asyncio.to_thread(until, camera.url, lambda all_: pictures(all_) >= 100)
    assert pictures(found) >= 100
    assert found[0].key_frame
    ticks = found[-1].decode_time + found[-1].duration - found[0].decode_time
    assert ticks == pytest.approx(pictures(found) * TICKS, abs=TICKS)


async def test_pictures_of_another_size_follow_an_init_of_their_own_and_none_is_lost() -> None:
    small, large = encode("320x180", 25, 25), encode("640x360", 25, 25)
    camera = ScriptedCamera(small)

    def read() -> list[Init | Fragment]:
        found: list[Init | Fragment] = []
        with copied(camera.url) as items:
            for item in items:
                found.append(item)
                if len(found) == 40:
                    camera.pictures = large
                if isinstance(item, Init) and len(found) > 1:
                    camera.pictures = small
                if sum(isinstance(one, Init) for one in found) == 3:
                    break
        return found

    async with camera.running():
        found = await asyncio.to_thread(read)
        assert camera.clients == 1
    assert [item.table.width for item in found if isinstance(item, Init)] == [320, 640, 320]
    units = [item for item in found if isinstance(item, Fragment)]
    assert {b.decode_time - a.decode_time for a, b in pairwise(units)} == {TICKS}
    behind = [found[at + 1] for at, item in enumerate(found[:-1]) if isinstance(item, Init)]
    assert all(isinstance(item, Fragment) and item.key_frame for item in behind)


@pytest.mark.parametrize("answer", ["454 Session Not Found", "401 Unauthorized", ""])
async def test_a_camera_that_does_not_like_to_be_asked_while_it_plays_is_still_copied(answer: str) -> None:
    camera = ScriptedCamera(encode("320x180", 25, 50), timeout_s=2, keep_alive=answer)
    async with camera.running():
        found = await asyncio.to_thread(until, camera.url, lambda all_: camera.asked >= 2 and pictures(all_) >= 100)
        assert pictures(found) >= 100
        assert camera.clients == 1


async def test_a_key_frame_that_comes_late_and_after_many_bytes_is_waited_for() -> None:
    camera = ScriptedCamera(encode("1920x1080", 125, 125), sets="none", newcomer_at=50)
    async with camera.running():
        found = await asyncio.to_thread(until, camera.url, bool)
        assert [fragment.key_frame for fragment in found] == [True]
        assert camera.clients == 1


async def test_a_camera_that_sends_no_key_frame_for_long_is_asked_for_one_by_onvif() -> None:
    camera = ScriptedCamera(encode("320x180", 500, 500), newcomer_at=50)

    def give(_: str) -> None:
        camera.pictures = list(camera.pictures)  # it goes on with the first, which is a key frame

    def read() -> list[Fragment]:
        found: list[Fragment] = []
        with copied(camera.url, onvif.port) as items:
            for item in items:
                found += [item] if isinstance(item, Fragment) else []
                if sum(one.key_frame for one in found) == 2:
                    break
        return found

    onvif = OnvifPeer({"main": "rtsp://192.0.2.1/main", "sub": "rtsp://192.0.2.1/sub"}, give)
    async with camera.running(), onvif.running():
        found = await asyncio.to_thread(read)
    assert onvif.asked.count("SetSynchronizationPoint") == 2
    keys = [unit.decode_time for unit in found if unit.key_frame]
    assert keys[0] == 0
    assert 5 * 90_000 <= keys[1] < 15 * 90_000
    assert {b.decode_time - a.decode_time for a, b in pairwise(found)} == {TICKS}


async def test_stamps_that_stand_still_make_a_stream_that_goes_on() -> None:
    camera = ScriptedCamera(encode("320x180", 25, 50), stamp=lambda _: 0)
    async with camera.running():
        found = await asyncio.to_thread(until, camera.url, lambda all_: all_[-1].decode_time > 3 * 90_000)
    assert found[-1].decode_time > 3 * 90_000


async def test_a_camera_without_key_frames_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_camera, "NO_KEY_S", 0.2)
    whole = encode("320x180", 50, 50)
    sets = [nal for nal in whole[0] if nal[0] & 31 in (7, 8)]
    camera = ScriptedCamera([sets + whole[1], *whole[2:]])
    with (tmp_path / "media").open("wb") as media:
        async with camera.running():
            address = CameraAddress.parse(camera.url)
            copy = CameraCopy(address, media.fileno())
            with pytest.raises(DeviceError, match="关键帧") as failed:
                await asyncio.to_thread(copy.run)
    assert failed.value.code == "keys"
