"""What is encoded here has a key frame each second, however slow the camera is, and no end."""

from __future__ import annotations

import os
import struct
import subprocess
from itertools import pairwise
from pathlib import Path

import av
import pytest

from hardware.drivers import ffmpeg_arguments
from hardware.profile import Camera
from sync.media.fmp4 import BoxReader, Init
from sync.media.sample_tables import children


def encoded(path: Path, fps: int) -> None:
    """The camera's own options are left out: a drawn picture takes its place, at the rate that it would have."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.set_inheritable(fd, True)
    camera = Camera(id="bench", name="审判席", driver="v4l2", device="/dev/video0", width=320, height=180, fps=25)
    command = ffmpeg_arguments.camera(camera, fd)
    reads, writes = command.index("-f"), command.index("-i") + 2
    drawn = ["-f", "lavfi", "-i", f"testsrc2=s=320x180:r={fps}:d=4.5"]
    subprocess.run([*command[:reads], *drawn, *command[writes:]], check=True, pass_fds=[fd], timeout=60)
    os.close(fd)


@pytest.mark.parametrize("fps", [3, 8, 25])
def test_key_frames_of_a_usb_camera_are_a_second_apart_at_any_rate(tmp_path: Path, fps: int) -> None:
    path = tmp_path / "made.mp4"
    encoded(path, fps)
    with av.open(os.fspath(path)) as container:
        keys = [float((p.pts or 0) * (p.time_base or 0)) for p in container.demux(video=0) if p.size and p.is_keyframe]
    assert len(keys) == 5
    assert all(b - a == pytest.approx(1, abs=0.05) for a, b in pairwise(keys))


def test_an_init_segment_names_no_duration(tmp_path: Path) -> None:
    """Of what goes on for ever Chromium's media element shows each picture as soon as it can."""
    path = tmp_path / "made.mp4"
    encoded(path, 25)
    init = next(one for one in BoxReader().feed(path.read_bytes()) if isinstance(one, Init))
    ((start, end),) = ((s, e) for name, s, e in children(init.data, 0, len(init.data)) if name == b"moov")
    boxes = {name: init.data[s:e] for name, s, e in children(init.data, start, end)}
    assert struct.unpack_from(">I", boxes[b"mvhd"], 16) == (0,), "how long it is, in version 0 of the box"
    assert b"mehd" not in {name for name, _, _ in children(boxes[b"mvex"], 0, len(boxes[b"mvex"]))}
