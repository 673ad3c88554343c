"""What is encoded here has a key frame each second, however slow the camera is."""

from __future__ import annotations

import os
import subprocess
from itertools import pairwise
from pathlib import Path

import av
import pytest

from hardware.drivers import ffmpeg_arguments
from hardware.profile import Camera


@pytest.mark.parametrize("fps", [3, 8, 25])
def test_key_frames_of_a_usb_camera_are_a_second_apart_at_any_rate(tmp_path: Path, fps: int) -> None:
    """The camera's own options are left out: a drawn picture takes its place, at the rate that it would have."""
    path = tmp_path / "made.mp4"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.set_inheritable(fd, True)
    camera = Camera(id="bench", name="审判席", driver="v4l2", device="/dev/video0", width=320, height=180, fps=25)
    command = ffmpeg_arguments.camera(camera, fd)
    reads, writes = command.index("-f"), command.index("-i") + 2
    drawn = ["-f", "lavfi", "-i", f"testsrc2=s=320x180:r={fps}:d=4.5"]
    subprocess.run([*command[:reads], *drawn, *command[writes:]], check=True, pass_fds=[fd], timeout=60)
    os.close(fd)
    with av.open(os.fspath(path)) as container:
        keys = [float((p.pts or 0) * (p.time_base or 0)) for p in container.demux(video=0) if p.size and p.is_keyframe]
    assert len(keys) == 5
    assert all(b - a == pytest.approx(1, abs=0.05) for a, b in pairwise(keys))
