"""What ffmpeg encodes reaches the recorder picture by picture, a key frame each second, however slow the camera is."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise

import pytest

from hardware.drivers import ffmpeg_arguments
from hardware.profile import Camera
from sync.media.fmp4 import BoxReader, Fragment, Init
from sync.runtime.process.processes import die_with_parent

PATIENCE_S = 30


def encoder(fps: int, seconds: float) -> list[str]:
    """The camera's own options are left out: a drawn picture takes its place, at the rate that it would have."""
    camera = Camera(id="bench", name="审判席", driver="v4l2", device="/dev/video0", width=320, height=180, fps=25)
    command = ffmpeg_arguments.camera(camera, 1)
    reads, writes = command.index("-f"), command.index("-i") + 2
    drawn = ["-re", "-f", "lavfi", "-i", f"testsrc2=s=320x180:r={fps}:d={seconds}"]
    return [*command[:reads], *drawn, *command[writes:]]


@contextlib.contextmanager
def worker(command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The worker with this encoder, and where its media comes out."""
    (media, media_fd), (reports, report_fd) = os.pipe(), os.pipe()
    options = json.dumps({"encoder": command, "fps": 25, "media_fd": media_fd, "report_fd": report_fd})
    child = subprocess.Popen(
        [sys.executable, "-m", "hardware.workers.encoded_camera", options],
        pass_fds=[media_fd, report_fd],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    os.close(media_fd)
    os.close(report_fd)
    try:
        yield child, media
    finally:
        child.kill()
        child.communicate()
        os.close(media)
        os.close(reports)


def units(media: int) -> Iterator[Fragment]:
    reader = BoxReader()
    while select.select([media], [], [], PATIENCE_S)[0] and (data := os.read(media, 1 << 20)):
        for item in reader.feed(data):
            if isinstance(item, Init):
                assert item.decoder == "h264"
            else:
                yield item


@pytest.mark.parametrize("fps", [3, 8, 25])
def test_key_frames_of_a_usb_camera_are_a_second_apart_at_any_rate(fps: int) -> None:
    with worker(encoder(fps, 4.5)) as (child, media):
        found = list(units(media))
        assert child.wait(20) == 0
    assert all(len(unit.sizes) == 1 and unit.offset == 0 for unit in found)
    assert all(b.decode_time > a.decode_time for a, b in pairwise(found))
    keys = [unit.decode_time / 90_000 for unit in found if unit.key_frame]
    assert len(keys) == 5
    assert all(b - a == pytest.approx(1, abs=0.05) for a, b in pairwise(keys))
    shares = [b.decode_time - a.decode_time for a, b in pairwise(found)]
    assert found[-1].duration == pytest.approx(sorted(shares)[len(shares) // 2], abs=1)


def test_a_picture_is_on_the_pipe_before_the_next_one_is_there() -> None:
    command = encoder(2, 60)
    reads, writes = command.index("-re"), command.index("-i") + 2
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "320x180", "-r", "25", "-probesize", "32"]
    raw += ["-analyzeduration", "0", "-i", "pipe:0"]
    with worker([*command[:reads], *raw, *command[writes:]]) as (child, media):
        assert child.stdin is not None
        coming = units(media)
        for number in range(12):
            child.stdin.write(bytes([16 + number]) * (320 * 180 * 3 // 2))
            child.stdin.flush()
            unit = next(coming)
            assert unit.decode_time == number * 3600
            assert unit.stamps is not None
            assert unit.stamps.coded_ns >= unit.stamps.taken_ns


def test_the_words_and_the_status_of_an_encoder_that_fails_are_the_worker_s() -> None:
    camera = Camera(id="bench", name="审判席", driver="v4l2", device="/dev/no-such-video", fps=25)
    with worker(ffmpeg_arguments.camera(camera, 1)) as (child, _):
        _, said = child.communicate(timeout=20)
        assert child.returncode > 0
    assert b"No such file or directory" in said
