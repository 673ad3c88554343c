"""An account that a camera has refused is left alone for hours, in all runs, unless its password is another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.key_frame_permission import REFUSED_S, KeyFramePermission
from hardware.profile import Camera


def camera(password_file: Path) -> Camera:
    return Camera.model_validate(
        {
            "id": "bench",
            "name": "审判席",
            "driver": "rtsp",
            "url": "rtsp://10.0.0.5/x",
            "user": "court",
            "password_file": password_file,
            "onvif_port": 80,
        }
    )


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.touch(0o600)
    path.write_text("wrong", encoding="utf-8")
    return path


def test_it_is_asked_again_after_hours(password_file: Path) -> None:
    now_s = 100.0
    permission = KeyFramePermission(camera(password_file), lambda: now_s)
    assert permission.port() == 80
    permission.refused()
    now_s += REFUSED_S - 1
    assert permission.port() == 0
    now_s += 2
    assert permission.port() == 80


def test_another_password_is_tried_at_once(password_file: Path) -> None:
    permission = KeyFramePermission(camera(password_file), lambda: 1.0)
    permission.refused()
    assert permission.port() == 0
    password_file.write_text("right", encoding="utf-8")
    assert permission.port() == 80
