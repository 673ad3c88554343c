"""A loudspeaker that cannot play says why, in words for the clerk."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.loudspeaker import play
from hardware.profile import load_profile
from sync.errors import ConfigError, DeviceError

PROFILE = """
[room]
court = "c"
room = "r"
court_name = "法院"
room_name = "法庭"
[[seats]]
id = "judge"
roles = ["审判长"]
channel = 0
[[cameras]]
id = "bench"
name = "审判席"
driver = "simulated"
[microphones]
%s
channels = 1
[storage]
data = "data"
[selftest]
loudspeaker = "ceiling"
"""


@pytest.mark.process
async def test_a_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    path.write_text(PROFILE % 'driver = "pyaudio"\ndevice = "desk"', encoding="utf-8")
    with pytest.raises(DeviceError, match=r"扬声器没有播放测试音：没有名为“ceiling”.*selftest\.loudspeaker"):
        await play(load_profile(path), tmp_path / "stage.json", "t1")


def test_microphones_that_are_a_file_hear_no_loudspeaker(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    path.write_text(PROFILE % 'driver = "file"\nfile = "x.flac"', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"hear no loudspeaker"):
        load_profile(path)
