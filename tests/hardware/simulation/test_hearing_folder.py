"""Exactly one form of folder is a hearing that simulated devices can act."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardware.simulation.cue import Play, Stage, announce
from hardware.simulation.hearing_folder import HearingFolder
from sync.errors import ConfigError

GOOD: dict[str, Any] = {
    "sample_rate": 16000,
    "channels": {"0": ["审判长"], "1": ["原告", "原告代理人"]},
    "utterances": [
        {"channel": 0, "role": "审判长", "start": 0.2, "end": 0.6, "text": "现在开庭。"},
        {"channel": 1, "role": "原告代理人", "start": 0.5, "end": 0.9, "text": "好。"},
    ],
}


def make(folder: Path, reference: object = GOOD, name: str = "microphones.flac", channels: str = "stereo") -> Path:
    source = f"anoisesrc=r=16000:d=1,aformat=channel_layouts={channels}"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, str(folder / name)], check=True)
    (folder / "reference.json").write_text(json.dumps(reference), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["microphones.flac", "microphones.opus", "microphones.mka", "microphones.ogg"])
def test_sound_of_each_form_is_decoded_to_the_room_rate(tmp_path: Path, name: str) -> None:
    folder = HearingFolder(make(tmp_path, name=name))
    samples = folder.samples(16_000)
    assert samples.dtype == np.int16
    assert samples.shape[1] == folder.channels == 2
    assert abs(len(samples) - 16_000) < 400
    assert folder.speaking(0.55) == {0: "审判长", 1: "原告代理人"}
    assert folder.speaking(0.95) == {}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"extra": 1}, "extra"),
        ({"channels": {"0": ["审判长"]}}, "channel 1"),
        ({"channels": {"0": ["审判长"], "1": ["原告"], "2": ["被告"]}}, "2 channels"),
        ({"utterances": []}, "utterances"),
        ({"utterances": [{"channel": 0, "role": "审判长", "start": 2, "end": 1, "text": ""}]}, "ends"),
        ({"utterances": [{"channel": 0, "role": "审判长", "start": 2, "end": 100, "text": ""}]}, "after the end"),
    ],
)
def test_a_wrong_reference_is_refused_in_words(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        HearingFolder(make(tmp_path, {**GOOD, **change}))


def test_a_folder_without_or_with_two_sounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not there"):
        HearingFolder(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="exactly one"):
        HearingFolder(tmp_path)
    make(tmp_path)
    make(tmp_path, name="microphones.ogg")
    with pytest.raises(ConfigError, match="has 2"):
        HearingFolder(tmp_path)


def test_sound_that_is_none_is_refused(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "microphones.flac").write_bytes(b"not a sound")
    with pytest.raises(ConfigError, match="cannot be read as sound"):
        HearingFolder(tmp_path)


def test_the_stage_tells_each_play_once(tmp_path: Path) -> None:
    path = tmp_path / "run" / "stage.json"
    stage = Stage(path)
    assert not stage.poll()
    announce(path, Play(5, tmp_path))
    assert stage.poll()
    assert stage.play == Play(5, tmp_path)
    assert not stage.poll()
    announce(path, Play(6, tmp_path))
    assert stage.poll()
    assert stage.play == Play(6, tmp_path)
    path.unlink()
    assert stage.poll()
    assert stage.play is None


def test_a_stage_that_cannot_be_read_plays_nothing(tmp_path: Path) -> None:
    path = tmp_path / "stage.json"
    path.write_text("{half", encoding="utf-8")
    stage = Stage(path)
    assert stage.poll()
    assert stage.play is None
