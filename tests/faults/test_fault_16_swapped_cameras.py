"""Fault 16: two USB cameras swap their `/dev/video*` numbers at the next start.

A camera is named by where it is plugged in: what ffmpeg is told is the path under /dev/v4l/by-path; a profile that
names a number is called wrong by the doctor. No V4L2 device is needed for that: the links are made by udev, not by
Wutong. Lost: nothing.
"""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from hardware.profile import load_profile
from hardware.sources import sources
from tests.support.rooms.recorder_room import SIMULATED_MICS, profile_text
from wutong import doctor

BY_PATH = "/dev/v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0"


def profile(folder: Path, device: str) -> Path:
    path = folder / "room.toml"
    camera = f'[[cameras]]\nid = "bench"\nname = "审判席"\ndriver = "v4l2"\ndevice = "{device}"\n'
    path.write_text(profile_text(SIMULATED_MICS, camera), encoding="utf-8")
    return path


def test_a_camera_is_opened_by_its_place(tmp_path: Path) -> None:
    source = next(s for s in sources(load_profile(profile(tmp_path, BY_PATH)), tmp_path) if s.id == "bench")
    assert BY_PATH in source.command([7], 8)


@pytest.mark.process
def test_a_number_is_advised_against(tmp_path: Path) -> None:
    said: dict[str, str] = {}
    for device in (BY_PATH, "/dev/video0"):
        console = Console(record=True, width=300, quiet=False, file=StringIO())
        doctor.run(profile(tmp_path, device), console)
        said[device] = console.export_text()
    assert "by-path" in said["/dev/video0"]
    assert "/dev/video0" in said["/dev/video0"]
