"""The real model on real speech, and on what is none."""

from __future__ import annotations

import os
import signal

import jiwer
import numpy as np
import pytest

from tests.support.rooms.transcriber_room import speech
from transcriber.recognition.engines.whisper import Whisper
from transcriber.recognition.model_files import locate
from transcriber.recognition.process import EngineProcess
from transcriber.recognition.recognizer import EngineLostError, Word
from transcriber.recognition.text.alignment import align_words
from transcriber.recognition.worker import NICENESS

pytestmark = pytest.mark.model
SAID = "广州市房地产中介协会分析"


def floats(name: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return speech(name)[:, 0].astype(np.float32) / np.float32(32768)


def test_real_speech_becomes_timed_words(whisper: Whisper) -> None:
    samples = floats("aishell_BAC009S0724W0121.wav")
    transcription = whisper.transcribe(samples)
    spoken = "".join(c for c in transcription.text if c.isalnum())
    assert jiwer.cer(SAID, spoken) <= 0.2
    assert "".join(w.text for w in transcription.words) == transcription.text
    starts = [w.start_s for w in transcription.words]
    assert starts == sorted(starts)
    assert all(0 <= w.start_s <= w.end_s <= len(samples) / 16_000 for w in transcription.words)
    assert 0 < transcription.confidence <= 1


def test_a_caption_is_about_the_same(whisper: Whisper) -> None:
    transcription = whisper.transcribe(floats("aishell_BAC009S0724W0121.wav"), interim=True)
    assert jiwer.cer(SAID, transcription.text) <= 0.4


def test_it_goes_on_from_committed_words(whisper: Whisper) -> None:
    samples = floats("aishell_BAC009S0724W0121.wav")
    committed = whisper.transcribe(samples[: len(samples) * 2 // 3], interim=True).text[:4]
    transcription = whisper.transcribe(samples, prefix=committed)
    assert transcription.text.startswith(committed)
    assert "".join(w.text for w in transcription.words) == transcription.text
    assert jiwer.cer(SAID, "".join(c for c in transcription.text if c.isalnum())) <= 0.3
    strange = whisper.transcribe(samples, prefix="原告")  # words that this engine never wrote are gone on from, too
    assert strange.text.startswith("原告")


@pytest.mark.parametrize("level", [0.0, 0.001, 0.02])
def test_silence_and_noise_are_no_words(whisper: Whisper, level: float) -> None:
    noise = (np.random.default_rng(5).standard_normal(16_000 * 4) * level).astype(np.float32)
    assert whisper.transcribe(noise).text == ""


async def test_a_killed_model_is_started_again_and_asked_again() -> None:
    engine_process = EngineProcess(locate("base"))
    try:
        await engine_process.start()
        first = engine_process.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        transcription = await engine_process.ask(floats("aishell_BAC009S0724W0121.wav"))
        assert transcription.text
        assert engine_process.restarts == 1
        assert engine_process.pid != first
    finally:
        await engine_process.stop()
    assert engine_process.pid is None


async def test_the_model_goes_before_other_programs_and_says_what_an_answer_took() -> None:
    engine_process = EngineProcess(locate("base"))
    try:
        heard = await engine_process.ask(floats("aishell_BAC009S0724W0121.wav"))
        assert engine_process.pid is not None
        if os.geteuid() == 0:  # else it may be refused, and is their equal
            assert os.getpriority(os.PRIO_PROCESS, engine_process.pid) == NICENESS
        assert os.getsid(engine_process.pid) == engine_process.pid  # the kernel weighs sessions apart
        assert 0 <= heard.cost.starved_s <= heard.cost.engine_s
        assert heard.cost.engine_s > 0
        assert heard.cost.lane_s > 0  # the process had to start
    finally:
        await engine_process.stop()


async def test_a_hung_model_is_killed_and_the_samples_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transcriber.recognition.process._TIMEOUT_S", 0.0)
    monkeypatch.setattr("transcriber.recognition.process._TIMEOUT_PER_SECOND_S", 0.0)
    engine_process = EngineProcess(locate("base"))
    try:
        with pytest.raises(EngineLostError, match="the sound is kept"):
            await engine_process.ask(np.zeros(16_000, np.float32))
    finally:
        await engine_process.stop()


def test_words_joined_are_the_text_again() -> None:
    pieces = [Word("請", 0, 0.2, 1), Word("坐", 0.2, 0.4, 1), Word("下,", 0.4, 0.6, 1), Word("6.5", 0.7, 1, 1)]
    words = align_words("请坐下，6.5。", pieces)
    assert [w.text for w in words] == ["请", "坐", "下，", "6.5。"]
