"""sherpa-onnx's models: a real one (Moonshine tiny, English) and one of a few kilobytes that streams."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import jiwer
import numpy as np
import pytest

from sync.errors import ConfigError
from tests.support.files import tiny_models
from tests.support.rooms.transcriber_room import speech
from transcriber.recognition import process as process_module
from transcriber.recognition.engines.loader import load_engines, load_speaker
from transcriber.recognition.engines.sherpa import Sherpa
from transcriber.recognition.process import EngineProcess
from transcriber.recognition.process_settings import ProcessSettings

ASK = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"


def floats(name: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return speech(name)[:, 0].astype(np.float32) / np.float32(32768)


@pytest.fixture(scope="module")
def moonshine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.moonshine(tmp_path_factory.mktemp("moonshine"))


@pytest.mark.parametrize(
    "settings", [ProcessSettings(engine="sherpa-onnx", folder="/x"), ProcessSettings(engine="", speaker="/x/v.onnx")]
)
def test_a_machine_without_the_library_is_told_how_to_get_it(
    settings: ProcessSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)
    with pytest.raises(ConfigError, match=r"pip install 'wutong\[sherpa\]'"):
        load_engines(settings) or load_speaker(settings)


@pytest.mark.model
def test_a_real_model_hears_english_and_every_word_has_its_time(moonshine: Path) -> None:
    engine = Sherpa(moonshine, language="en")
    assert (engine.model.kind, engine.model.streaming) == ("moonshine", False)
    samples = floats("jfk_en.flac")
    transcription = engine.transcribe(samples)
    spoken = "".join(c for c in transcription.text.lower() if c.isalpha() or c == " ")
    assert jiwer.wer(ASK, spoken) < 0.1
    assert "".join(word.text for word in transcription.words) == transcription.text
    assert [word.text.strip() for word in transcription.words][:3] == ["And", "so", "my"]
    starts = [word.start_s for word in transcription.words]
    assert starts == sorted(starts)
    assert transcription.words[-1].end_s <= len(samples) / 16_000
    assert engine.transcribe(np.zeros(16_000, np.float32)).text == ""


def test_a_streaming_model_says_when(tmp_path: Path) -> None:
    engine = Sherpa(tiny_models.streaming_ctc(tmp_path / "ctc"))
    assert engine.model.streaming
    silence = np.zeros(16_000, np.float32)
    transcription = engine.transcribe(np.concatenate([silence, floats("aishell_BAC009S0724W0121.wav"), silence]))
    assert transcription.text.startswith("啊")
    assert "".join(word.text for word in transcription.words) == transcription.text
    assert abs(transcription.words[0].start_s - 1.0) < 0.3
    assert engine.transcribe(silence).text == ""


@pytest.mark.process
async def test_its_process_is_started_again_when_killed_and_replaced_when_it_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_models.streaming_ctc(tmp_path / "ctc")
    engine_process = EngineProcess(ProcessSettings(engine="sherpa-onnx", folder=str(folder), threads=1))
    samples = np.concatenate([floats("aishell_BAC009S0724W0121.wav"), np.zeros(16_000 * 20, np.float32)])
    try:
        await engine_process.start()
        first = engine_process.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert (await engine_process.ask(samples)).text
        second = engine_process.pid
        assert second != first
        assert engine_process.restarts == 1
        # It has grown by what it heard; now that is more than it may.
        monkeypatch.setattr(process_module, "_GROWTH", 1.0)
        monkeypatch.setattr(process_module, "_GROWTH_BYTES", 0)
        assert (await engine_process.ask(samples)).text
        assert engine_process.pid not in (first, second)
        assert engine_process.restarts == 1  # nothing was lost
    finally:
        await engine_process.stop()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no tokens.txt"),
        ({"tokens.txt": "<blk> 0\n"}, "none of the models that are known"),
        ({"tokens.txt": "<blk> 0\n", "model.onnx": "not a model"}, "cannot be read"),
    ],
)
def test_a_folder_that_holds_no_known_model_is_one_line(tmp_path: Path, files: dict[str, str], says: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        Sherpa(tmp_path)


@pytest.mark.process
async def test_a_process_that_cannot_load_says_why(tmp_path: Path) -> None:
    engine_process = EngineProcess(ProcessSettings(engine="sherpa-onnx", folder=str(tmp_path)))
    with pytest.raises(ConfigError, match=r"no tokens\.txt"):
        await engine_process.start()
    assert engine_process.pid is None
