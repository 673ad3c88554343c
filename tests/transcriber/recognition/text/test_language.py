"""Mandarin and English in one hearing: each utterance in its own language, and English left as it is."""

from __future__ import annotations

import jiwer
import numpy as np
import pytest

from tests.support.rooms.transcriber_room import speech
from transcriber.recognition.engines.whisper import Whisper
from transcriber.recognition.model_files import locate
from transcriber.recognition.text.inventions import invented
from transcriber.recognition.text.language import LanguageTracker
from transcriber.recognition.text.tidying import finish, tidy

ASK = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"


def test_a_long_utterance_is_what_it_sounds_like() -> None:
    tongue = LanguageTracker()
    assert tongue.choose({"zh": 0.4, "en": 0.6}, 5) == "en"
    assert tongue.choose({"zh": 0.9, "en": 0.1}, 5) == "zh"


def test_a_short_one_stays_in_the_language_of_the_last() -> None:
    tongue = LanguageTracker()
    assert tongue.choose({"zh": 0.3, "en": 0.7}, 0.8) == "zh"
    assert tongue.choose({"zh": 0.05, "en": 0.9}, 0.8) == "en"
    assert tongue.choose({"zh": 0.7, "en": 0.3}, 0.8) == "en"


def test_a_third_language_is_neither_and_changes_nothing() -> None:
    tongue = LanguageTracker()
    assert tongue.choose({"ja": 1.0}, 5) == "zh"


def test_captions_do_not_decide_what_the_record_is_heard_in() -> None:
    tongue = LanguageTracker()
    assert tongue.choose({"en": 1.0}, 5, remember=False) == "en"
    assert tongue.last == "zh"


@pytest.mark.parametrize(
    ("heard", "kept"),
    [
        (" And so, my fellow Americans: ask not", "And so, my fellow Americans: ask not."),
        (" Hello? I don't know,", "Hello? I don't know."),
        ("我住在 Hotel California, 对吗?", "我住在Hotel California，对吗？"),
        ("他说的是 OK", "他说的是OK。"),
    ],
)
def test_english_keeps_its_blanks_and_marks(heard: str, kept: str) -> None:
    assert finish(tidy(heard)) == kept


def test_fast_english_is_speech() -> None:
    assert invented("I have already explained that to the presiding judge twice.", 2.6) is None


@pytest.mark.model
def test_both_languages_are_heard_by_one_model() -> None:
    whisper = Whisper(locate("base"), language="auto")
    english = speech("jfk_en.flac")[:, 0].astype(np.float32) / np.float32(32768)
    mandarin = speech("aishell_BAC009S0724W0121.wav")[:, 0].astype(np.float32) / np.float32(32768)
    transcription = whisper.transcribe(english)
    spoken = "".join(c for c in transcription.text.lower() if c.isalpha() or c == " ")
    assert jiwer.wer(ASK, spoken) < 0.1
    assert "".join(word.text for word in transcription.words) == transcription.text
    transcription = whisper.transcribe(mandarin)
    assert jiwer.cer("广州市房地产中介协会分析", transcription.text.rstrip("。")) <= 0.25
