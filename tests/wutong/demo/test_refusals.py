"""What stops a demo before it starts is one line that says what to do, exit code 2, and nothing left running."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sync.errors import ConfigError
from wutong.demo import preflight


def _demo(tmp_path: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wutong", "demo", "--headless", "--data", str(tmp_path / "data"), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment})


def _assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("wutong: ")
    for word in words:
        assert word in lines[0]


def test_a_port_in_use_is_named_with_the_option_that_helps(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        _assert_refused(_demo(tmp_path, "--port-base", str(port)), str(port), "--port-base")


@pytest.mark.parametrize("broken", ["missing", "empty", "no-reference", "bad-reference"])
def test_a_folder_that_is_no_hearing_is_refused(tmp_path: Path, broken: str) -> None:
    folder = tmp_path / "hearing"
    if broken != "missing":
        folder.mkdir()
    if broken == "no-reference":
        (folder / "microphones.flac").write_bytes(b"not sound")
    if broken == "bad-reference":
        (folder / "microphones.flac").write_bytes(b"not sound")
        (folder / "reference.json").write_text("[]")
    _assert_refused(_demo(tmp_path, "--hearing", str(folder)), "hearing")


def test_a_missing_program_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(ConfigError, match=r"ffmpeg.*make setup"):
        preflight.check_programs()


def test_a_missing_model_is_refused_in_one_line(tmp_path: Path) -> None:
    nowhere = tmp_path / "file"
    nowhere.write_text("a file where the folder of models should be")
    _assert_refused(_demo(tmp_path, WUTONG_MODELS=str(nowhere)), "model")


def test_a_data_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    _assert_refused(_demo(tmp_path), "--data")


def test_a_full_disk_is_refused_with_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "MIN_FREE_BYTES", 1 << 62)
    with pytest.raises(ConfigError, match=r"GiB.*--data"):
        preflight.check_disk(tmp_path / "data")
