"""`wutong doctor` says what is there, what is missing and what to do; its exit code says whether a room can record."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from edge.documents.jobs import note_failures
from sync.room.paths import RoomPaths
from tests.support.words.doctor_profile import PROFILE
from wutong.doctor import examine


def doctor(
    tmp_path: Path, mics: str = "simulated", camera: str = 'driver = "simulated"', reserve: float = 0.0
) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "room.toml"
    path.write_text(PROFILE.format(mics=mics, camera=camera, reserve=reserve), encoding="utf-8")
    command = [sys.executable, "-c", "from wutong.cli import main; main()", "doctor", str(path)]
    return subprocess.run(command, capture_output=True, text=True, env={"COLUMNS": "200", "PATH": "/usr/bin:/bin"})


def test_a_room_that_can_record_is_in_order(tmp_path: Path) -> None:
    answer = doctor(tmp_path)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "第三法庭" in answer.stdout
    assert "nothing stands in the way" in answer.stdout
    assert answer.stderr == ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mics": "pyaudio"}, "Dante"),
        ({"mics": "hdmi"}, "microphones.driver"),
        ({"camera": 'driver = "v4l2"\ndevice = "/dev/v4l/by-path/nowhere"'}, "nowhere is not there"),
        ({"camera": 'driver = "file"\nfile = "nowhere.mp4"'}, "nowhere.mp4 is not there"),
        ({"camera": 'driver = "simulated"\nfile = "nowhere"'}, "is not there"),
        ({"reserve": 9e9}, "a hearing would be refused"),
    ],
)
def test_what_stands_in_the_way_is_said(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    answer = doctor(tmp_path, **changes)  # type: ignore[arg-type] # the changes are of several types
    assert answer.returncode == 2
    assert says in answer.stdout
    assert "Traceback" not in answer.stderr


def test_a_camera_that_does_not_answer_is_said_without_its_password(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = doctor(tmp_path, camera=f'driver = "rtsp"\nurl = "rtsp://court:s3cret@127.0.0.1:{port}/main"')
    assert answer.returncode == 2
    assert f"127.0.0.1:{port} does not answer" in answer.stdout
    assert "s3cret" not in answer.stdout + answer.stderr


@pytest.mark.process
def test_a_file_of_phrases_in_another_encoding_and_a_document_that_is_missing_are_said(tmp_path: Path) -> None:
    data = tmp_path / "data"
    note_failures(RoomPaths(data).hearing("h1") / "documents", {"pdf": "a defect of a library"})
    (data / "phrases.toml").write_bytes(
        '[[phrase]]\ngroup = "开庭"\ntitle = "宣布"\ntext = "现在开庭。"\n'.encode("gbk")
    )
    path = tmp_path / "room.toml"
    text = PROFILE.format(mics="simulated", camera='driver = "simulated"', reserve=0.0)
    path.write_text(text, encoding="utf-8-sig")
    found = {one.subject: one for one in examine(path)}
    assert found["profile"].state == "ok"
    said = found["profile: phrases"]
    assert (said.state, "GBK" in said.text, "Save as" in said.text) == ("bad", True, True)
    assert "a defect of a library" in found["documents of h1"].text
    assert found["fonts of papers"].state == "ok"
