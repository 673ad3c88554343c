"""A profile is replaced whole or not at all, the one before stays, and what others get of it holds no secret."""

from __future__ import annotations

import stat
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hardware.profile import load_profile
from hardware.profile_text import read_table, shared_text, write_profile, write_secret
from sync.errors import ConfigError

AT = datetime(2026, 12, 1, 9, 30, 5)


def table(**more: Any) -> dict[str, Any]:
    return {
        "room": {"court": "jianshan", "room": "3", "court_name": "尖山区人民法院", "room_name": '第“三”\\"法庭'},
        "seats": [{"id": "judge", "roles": ["审判长"], "channel": 0}],
        "microphones": {"driver": "pyaudio", "device": "USB", "channels": 1},
        "cameras": [
            {
                "id": "bench",
                "name": "审判席",
                "driver": "rtsp",
                "url": "rtsp://192.0.2.1/main",
                "user": "court-user",
                "password_file": "/etc/wutong/bench.password",
            }
        ],
        "storage": {"data": "/var/lib/wutong"},
        "center": {"url": "https://center.example:8800", "token_file": "/etc/wutong/room.token"},
        **more,
    }


def test_what_was_written_is_what_services_read(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    assert write_profile(path, table(), AT) is None
    assert load_profile(path).room.room_name == '第“三”\\"法庭'
    assert read_table(path) == table()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["room.toml"]


def test_the_profile_before_stays_beside_it_each_time(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    write_profile(path, table(), AT)
    first = path.read_text()
    before = write_profile(path, table(panel={"port": 8820}), AT)
    again = write_profile(path, table(panel={"port": 8830}), AT)
    assert before is not None
    assert again is not None
    assert (before.name, again.name) == ("room.toml.before-20261201-093005", "room.toml.before-20261201-093005-2")
    assert before.read_text() == first
    assert load_profile(path).panel.port == 8830


def test_a_profile_that_services_would_refuse_replaces_none(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    write_profile(path, table(), AT)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=r"room\.toml is wrong at") as refused:
        write_profile(path, table(seats=[]), AT)
    assert ".setup-" not in refused.value.message
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["room.toml"]


def test_others_get_no_secret_and_no_user(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    cameras = [{**table()["cameras"][0], "url": "rtsp://court-user:hunter2@192.0.2.1/main?pwd=hunter2"}]
    cameras[0].pop("user")
    cameras[0].pop("password_file")
    center = {**table()["center"], "mqtt_username": "room-account", "mqtt_password_file": "/etc/wutong/room.mqtt"}
    write_profile(path, table(cameras=cameras, center=center), AT)
    text = shared_text(load_profile(path))
    for secret in ("hunter2", "court-user", "room-account", "token", "mqtt_password"):
        assert secret not in text
    assert tomllib.loads(text)["cameras"][0]["name"] == "审判席"


def test_a_password_is_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    write_secret(tmp_path / "bench.password", "p#ss")
    assert stat.S_IMODE((tmp_path / "bench.password").stat().st_mode) == 0o600
