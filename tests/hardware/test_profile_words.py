"""What a profile says of engines, servers and voices is checked before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.profile import load_profile
from hardware.speech_settings import Transcriber
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
driver = "simulated"
channels = 2
[[cameras]]
id = "bench"
name = "审判席"
driver = "simulated"
[storage]
data = "data"
[transcriber]
"""


def words(tmp_path: Path, lines: str) -> Transcriber:
    path = tmp_path / "room.toml"
    path.write_text(BASE + lines, encoding="utf-8")
    return load_profile(path).transcriber


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('engine = "openai"', "'servers'"),
        ('servers = ["http://a"]', "takes no 'servers'"),
        ('engine = "openai"\nservers = ["10.0.0.5:8880"]', "begins with http"),
        ('engine = "openai"\nservers = ["http://a", "http://a"]', "named twice"),
        ('engine = "sherpa-onnx"', "needs 'model'"),
        ('engine = "vosk"', "engine"),
        ('language = "fr"', "language"),
        ('device = "tpu"', "device"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, lines: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        words(tmp_path, lines)


def test_models_and_tokens_lie_beside_the_profile(tmp_path: Path) -> None:
    local = words(tmp_path, 'engine = "sherpa-onnx"\nmodel = "paraformer"\nvoices = "campplus.onnx"')
    assert (local.model, local.voices) == (str(tmp_path / "paraformer"), str(tmp_path / "campplus.onnx"))
    remote = words(
        tmp_path,
        'engine = "openai"\nmodel = "large-v3"\nservers = ["https://gpu.court.example"]\ntoken_file = "token"',
    )
    assert (remote.model, remote.token_file, remote.voices) == ("large-v3", tmp_path / "token", "pitch")
    assert words(tmp_path, "").model == "base"
