"""An init segment says no duration: of what goes on for ever a browser's element holds back no picture (ADR 42)."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from hardware.drivers import ffmpeg_arguments
from hardware.drivers.x264_options import coding
from hardware.workers.picture_encoder import PictureEncoder
from sync.runtime.process.processes import die_with_parent
from tests.support.files.durations import no_duration
from tests.support.peers.scripted_rtsp import ScriptedCamera, encode


def first_bytes(media: int) -> bytes:
    found = b""
    while b"moof" not in found:
        data = os.read(media, 65_536)
        assert data, "the worker ended"
        found += data
    return found


def started(
    module: str, options: Callable[[list[int]], dict[str, object]], pipes: int, said: bytes = b""
) -> list[bytes]:
    """What comes first on each of a worker's pipes."""
    made = [os.pipe() for _ in range(pipes + 1)]
    writing = [write for _, write in made]
    for fd in writing:
        os.set_inheritable(fd, True)
    command = [sys.executable, "-m", module, json.dumps(options(writing))]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=writing, preexec_fn=die_with_parent)
    try:
        for fd in writing:
            os.close(fd)
        assert worker.stdin is not None
        with worker.stdin as stdin:
            stdin.write(said)
        return [first_bytes(read) for read, _ in made[:-1]]
    finally:
        worker.kill()
        worker.wait()
        for read, _ in made:
            os.close(read)


def test_of_pictures_that_are_encoded_here(tmp_path: Path) -> None:
    path = tmp_path / "media"
    media = os.open(path, os.O_WRONLY | os.O_CREAT)
    PictureEncoder(320, 180, 25, media, coding())
    os.close(media)
    no_duration(path.read_bytes())


def test_of_what_ffmpeg_encodes() -> None:
    drawn = ["ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-c:v", "libx264"]
    encoder = [
        *drawn,
        "-preset",
        "ultrafast",
        "-bf",
        "0",
        "-f",
        "nut",
        "-write_index",
        "0",
        "-flush_packets",
        "1",
        "pipe:1",
    ]
    (media,) = started(
        "hardware.workers.encoded_camera",
        lambda fds: {"encoder": encoder, "fps": 25, "media_fd": fds[0], "report_fd": fds[1]},
        1,
    )
    no_duration(media)


async def test_of_a_network_camera() -> None:
    camera = ScriptedCamera(encode("320x180", 5, 25))
    async with camera.running():
        said = json.dumps({"url": camera.url, "user": "", "password": ""})
        (media,) = await asyncio.to_thread(
            started,
            "hardware.workers.network_camera",
            lambda fds: {"id": "bench", "media_fd": fds[0], "report_fd": fds[1], "onvif_port": 0},
            1,
            said.encode(),
        )
    no_duration(media)


def test_of_the_microphones_and_their_mix(tmp_path: Path) -> None:
    def options(fds: list[int]) -> dict[str, object]:
        return {
            **{"driver": "simulated", "device": "", "file": None, "loop": True, "channels": 2, "rate_hz": 16_000},
            "stage": str(tmp_path / "stage.json"),
            "encoder": ffmpeg_arguments.microphones(2, 16_000, fds[0], fds[1]),
            "media_fds": fds[:2],
            "report_fd": fds[2],
        }

    for media in started("hardware.workers.microphones", options, 2):
        no_duration(media)
