"""The recorder's unit reaches the cameras that its room has, the machine of the second copy, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hardware.profile import load_profile
from sync.errors import ConfigError
from tests.support.paths import UNITS
from tests.support.words.doctor_profile import PROFILE
from wutong.recorder_network import drop_in


def text_of(tmp_path: Path, url: str = "", copy: str = "", names: dict[str, list[str]] | None = None) -> str:
    camera = f'driver = "rtsp"\nurl = "{url}"' if url else 'driver = "simulated"'
    text = PROFILE.format(mics="simulated", camera=camera, reserve=0.0)
    if copy:
        text = text.replace("[storage]", f'[center]\ntoken_file = "t"\n[storage]\ncopy = "{copy}"')
    (tmp_path / "room.toml").write_text(text)

    def look_up(host: str) -> list[str]:
        if host not in (names or {}):
            raise OSError("unknown name")
        return (names or {})[host]

    return drop_in(load_profile(tmp_path / "room.toml"), look_up=look_up)


def allowed(text: str) -> list[str]:
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith("IPAddressAllow=")]


def test_cameras_and_the_copys_machine_are_named_and_the_private_networks_are_not(tmp_path: Path) -> None:
    text = text_of(
        tmp_path, "rtsp://u:p%40ss@192.168.10.21/main", "https://copy.court:8870/", {"copy.court": ["10.1.2.3"]}
    )
    assert allowed(text) == ["", "localhost", "192.168.10.21", "10.1.2.3"]
    assert "IPAddressDeny=any" in text
    assert "p%40ss" not in text


def test_a_name_is_looked_up_and_one_without_an_address_is_refused(tmp_path: Path) -> None:
    found = {"bench.cameras": ["10.0.0.7", "fe80::1%eth0"]}
    text = text_of(tmp_path, "rtsp://bench.cameras/main", names=found)
    assert allowed(text) == ["", "localhost", "10.0.0.7", "fe80::1"]
    with pytest.raises(ConfigError, match="write its IP address into the profile"):
        text_of(tmp_path, "rtsp://nowhere.cameras/main")


def test_a_room_without_network_cameras_reaches_this_machine_alone(tmp_path: Path) -> None:
    assert allowed(text_of(tmp_path)) == ["", "localhost"]


@pytest.mark.process
def test_systemd_takes_the_drop_in(tmp_path: Path) -> None:
    for url in ("rtsp://192.168.10.21/main", ""):
        unit = tmp_path / "wutong-recorder.service"
        whole = (UNITS / "wutong-recorder.service").read_text(encoding="utf-8").replace("[Install]", "[Ignored]")
        unit.write_text(whole + text_of(tmp_path, url), encoding="utf-8")
        command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(unit)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-300:]
