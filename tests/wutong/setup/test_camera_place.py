"""Where a camera of the room is, is said of each, and never with its account."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.profile import Camera
from wutong.setup.room_setup import camera_place


@pytest.mark.parametrize(
    ("camera", "place"),
    [
        (Camera(id="a", name="甲", driver="rtsp", url="rtsp://192.0.2.1/main"), "rtsp://192.0.2.1:554/main"),
        (
            Camera(id="a", name="甲", driver="rtsp", url="rtsp://court:hunter2@192.0.2.1/main"),
            "rtsp://192.0.2.1:554/main",
        ),
        (
            Camera(id="a", name="甲", driver="rtsp", url="rtsp://192.0.2.1/", user="court", password_file=Path("/x")),
            "rtsp://192.0.2.1:554/",
        ),
        (Camera(id="a", name="甲", driver="v4l2", device="/dev/v4l/by-path/x"), "/dev/v4l/by-path/x"),
        (Camera(id="a", name="甲", driver="simulated"), "模拟设备 (simulated)"),
    ],
)
def test_the_place_of_each_kind_of_camera(camera: Camera, place: str) -> None:
    assert camera_place(camera) == place
