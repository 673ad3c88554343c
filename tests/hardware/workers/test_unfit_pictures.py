"""What a worker's camera or encoder gives that cannot be packed ends its run with words for people and a code."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from hardware.drivers.x264_options import coding
from hardware.workers import encoded_camera, network_camera, simulated_camera, unit_writer
from sync.errors import MediaError
from sync.media import nal_units
from tests.support.peers.scripted_rtsp import ScriptedCamera, encode

pytestmark = pytest.mark.process
UNFIT = "no start code"


@dataclass
class Pipes:
    """Where a worker writes its media and its reports."""

    media_fd: int
    report_fd: int
    _reports: int

    def failed(self) -> tuple[str, str]:
        """(words, code) of the report with which it ended."""
        os.close(self.report_fd)
        with os.fdopen(self._reports, encoding="utf-8") as lines:
            said = [value for line in lines if "failed" in (value := json.loads(line))]
        assert len(said) == 1
        return said[0]["failed"], said[0]["code"]


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    reports, report_fd = os.pipe()
    with (tmp_path / "media").open("wb") as media:
        yield Pipes(media.fileno(), report_fd, reports)


def nut_of_mp4_samples(path: Path) -> None:
    """Pictures with their lengths before them, as no encoder of ours writes them."""
    with av.open(str(path), "w", format="nut") as out:
        stream = out.add_stream("libx264", rate=25, options={"x264-params": "annexb=0", "tune": "zerolatency"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.codec_context.open()
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((270, 320), np.uint8), format="yuv420p")))


def test_pictures_of_an_encoder(tmp_path: Path, pipes: Pipes) -> None:
    nut_of_mp4_samples(tmp_path / "pictures.nut")
    said = {"encoder": ["cat", str(tmp_path / "pictures.nut")], "fps": 25}
    with pytest.raises(SystemExit):
        encoded_camera.run({**said, "media_fd": pipes.media_fd, "report_fd": pipes.report_fd})
    words, code = pipes.failed()
    assert UNFIT in words
    assert code == "stream"


def test_pictures_that_are_drawn(tmp_path: Path, pipes: Pipes) -> None:
    said: dict[str, Any] = {"id": "bench", "name": "审判席", "title": "第一法庭", "places": [], "stage": str(tmp_path)}
    said |= {"width": 320, "height": 180, "fps": 25, "coding": {**coding(), "x264-params": "annexb=0"}}
    options = simulated_camera.CameraOptions.parse(
        json.dumps({**said, "media_fd": pipes.media_fd, "report_fd": pipes.report_fd})
    )
    with pytest.raises(MediaError):
        simulated_camera.run(options)
    words, code = pipes.failed()
    assert UNFIT in words
    assert code == "stream"


async def test_pictures_of_a_network_camera(pipes: Pipes, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_start_codes(picture: bytes) -> bytes:
        return nal_units.length_prefixed(picture.replace(b"\0\0\1", b""))

    # The library puts a start code before whatever a camera sends; another version of it may not.
    monkeypatch.setattr(unit_writer, "length_prefixed", without_start_codes)
    async with ScriptedCamera(encode("320x180", 25, 5)).running() as camera:
        said = json.dumps({"url": camera.url, "user": "", "password": ""})
        options = {"media_fd": pipes.media_fd, "report_fd": pipes.report_fd, "onvif_port": 0}
        with pytest.raises(MediaError):
            await asyncio.wait_for(asyncio.to_thread(network_camera.run, options, said), 30)
    words, code = pipes.failed()
    assert UNFIT in words
    assert code == "stream"
