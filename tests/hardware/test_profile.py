"""A profile that cannot work is refused before anything is started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hardware.profile import load_profile
from hardware.sources import sources
from sync.errors import ConfigError

BASE = """
[room]
court = "jianshan"
room = "3"
court_name = "尖山区人民法院"
room_name = "第三法庭"
[[seats]]
id = "judge"
roles = ["审判长"]
channel = 0
[microphones]
driver = "{mics}"
channels = 2
[[cameras]]
id = "{camera}"
name = "审判席"
driver = "{driver}"
{more}
[storage]
data = "data"
"""


def write(
    tmp_path: Path, mics: str = "simulated", camera: str = "bench", driver: str = "simulated", more: str = ""
) -> Path:
    path = tmp_path / "room.toml"
    path.write_text(BASE.format(mics=mics, camera=camera, driver=driver, more=more), encoding="utf-8")
    return path


def test_paths_are_relative_to_the_profile(tmp_path: Path) -> None:
    assert load_profile(write(tmp_path)).storage.data == tmp_path / "data"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mics": "pyaudio"}, "device"),
        ({"mics": "file"}, "needs? 'file'"),
        ({"driver": "rtsp"}, "'url'"),
        ({"driver": "v4l2"}, "'device'"),
        ({"driver": "file"}, "'file'"),
        ({"camera": "mix"}, "name of another track"),
        ({"more": "width = 641"}, "even"),
        ({"more": "onvif_port = 80"}, "onvif_port"),
        ({"driver": "hdmi"}, "driver"),
        ({"more": 'color = "red"'}, "color"),
    ],
)
def test_what_is_missing_or_unknown_is_said(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_profile(write(tmp_path, **changes))


def test_the_machines_of_a_broker_stand_in_place_of_one_and_are_tried_in_their_order(tmp_path: Path) -> None:
    more = '[center]\nurl = "https://center.example"\nbrokers = ["b1.example:8883", "b2.example:8883"]\n'
    center = load_profile(write(tmp_path, more=more)).center
    assert center.broker_places == [("b1.example", 8883), ("b2.example", 8883)]
    assert center.by_certificate
    with pytest.raises(ConfigError, match=r"in place of center\.mqtt_host"):
        load_profile(write(tmp_path, more=more + "mqtt_port = 1\n"))
    with pytest.raises(ConfigError, match="names no port"):
        load_profile(write(tmp_path, more='[center]\nbrokers = ["b1.example"]\n'))


def test_the_worker_of_a_camera_is_told_where_it_can_be_asked_for_key_frames(tmp_path: Path) -> None:
    for more, port in (("onvif_port = 8000", 8000), ("", 0)):
        profile = load_profile(write(tmp_path, driver="rtsp", more=f'url = "rtsp://10.0.0.5/x"\n{more}'))
        options = json.loads(sources(profile, tmp_path)[0].command([5], 6)[-1])
        assert options["onvif_port"] == port
