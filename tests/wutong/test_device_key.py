"""The key that a machine which keeps copies has in its list, as the room itself prints it."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from server.copyserver import read_rooms
from sync.ledger.keys import make_key
from sync.room.paths import RoomPaths
from tests.support.words.doctor_profile import PROFILE
from wutong.cli import app


def test_what_the_room_prints_is_what_the_machine_with_the_copies_reads(tmp_path: Path) -> None:
    profile, data = tmp_path / "room.toml", tmp_path / "data"
    text = PROFILE.format(mics="pyaudio", camera='driver = "rtsp"\nurl = "rtsp://10.0.0.5/x"\n', reserve=0)
    lines = [f'data = "{data}"' if line.startswith("data = ") else line for line in text.splitlines()]
    profile.write_text("\n".join(lines), encoding="utf-8")
    command = ["room", "device-key", "--profile", str(profile)]
    assert CliRunner().invoke(app, command).exit_code == 2, "it has none yet"
    key = make_key(RoomPaths(data).device_key)
    printed = CliRunner().invoke(app, command)
    assert printed.exit_code == 0
    room, said = printed.stdout.split()
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{room} secret {said}\n")
    tokens.chmod(0o600)
    device = read_rooms(tokens).devices[room]
    assert device.key.public_bytes_raw() == key.public_key().public_bytes_raw()
