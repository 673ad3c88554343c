"""An account that a camera has refused is left alone for hours, in all runs, unless its password is another one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hardware.key_frame_permission import REFUSED_S, KeyFramePermission
from hardware.profile import Camera, load_profile
from hardware.sources import sources
from tests.support.words.doctor_profile import PROFILE


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
    permission.refused("wrong")
    now_s += REFUSED_S - 1
    assert permission.port() == 0
    now_s += 2
    assert permission.port() == 80


def test_another_password_is_tried_at_once(password_file: Path) -> None:
    permission = KeyFramePermission(camera(password_file), lambda: 1.0)
    permission.refused("wrong")
    assert permission.port() == 0
    password_file.write_text("right", encoding="utf-8")
    assert permission.port() == 80


def test_a_refusal_that_comes_late_is_noted_of_the_password_that_was_refused(password_file: Path) -> None:
    permission = KeyFramePermission(camera(password_file), lambda: 1.0)
    password_file.write_text("right", encoding="utf-8")
    permission.refused("wrong")
    assert permission.port() == 80
    permission.refused("right")
    permission.refused("wrong")
    assert permission.port() == 0


def test_a_source_notes_the_password_that_its_run_was_given(tmp_path: Path, password_file: Path) -> None:
    path = tmp_path / "room.toml"
    said = f'driver = "rtsp"\nurl = "rtsp://10.0.0.5/x"\nuser = "court"\npassword_file = "{password_file}"\n'
    path.write_text(PROFILE.format(mics="pyaudio", camera=said + "onvif_port = 80\n", reserve=0), encoding="utf-8")
    source = next(one for one in sources(load_profile(path), tmp_path) if one.id == "bench")
    given = source.secret()
    password_file.write_text("right", encoding="utf-8")
    source.refused(given)
    assert json.loads(source.command([5], 6)[-1])["onvif_port"] == 80
    password_file.write_text("wrong", encoding="utf-8")
    assert json.loads(source.command([5], 6)[-1])["onvif_port"] == 0
