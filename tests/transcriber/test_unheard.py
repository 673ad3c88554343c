"""Nothing said is without a line: whatever an engine makes of a turn, its words are there, or why they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.clocks.paced_scheduler import Played, ScriptedRecognizer
from tests.support.rooms.transcriber_room import Pcm, TranscriberRoom, hearing_civil
from transcriber.audio.pcm import Samples
from transcriber.recognition.recognizer import EngineLostError, Rejection, Transcription
from transcriber.recognition.text.normalize import normalized
from transcriber.unheard import LINES, NO_WORDS, NOT_TRUSTED, UNHEARD, has_words, line_of

NUMBERS = [
    "我的电话是13888888888。",
    "卡号6222022222222222222",
    "金额1000000000元",
    "身份证号码230103198501111111",
    "二〇二三年六月一日",
]
Make = Callable[[], ScriptedRecognizer]


def answers(make: Callable[[float], Transcription]) -> Make:
    """An engine that makes of every stretch what it is told to, and nothing of captions."""

    class Scripted(ScriptedRecognizer):
        async def ask(
            self, samples: Samples, bias: str = "", *, interim: bool = False, turn: str = "", prefix: str = ""
        ) -> Transcription:
            return Transcription() if interim else make(len(samples) / 16_000)

    return Scripted


@pytest.fixture
def room(tmp_path: Path) -> Iterator[TranscriberRoom]:
    room = TranscriberRoom(tmp_path, 1)
    room.say("open", 0, case={})
    yield room
    room.log.close()


def one_sentence() -> Pcm:
    return np.concatenate([hearing_civil(34.0, 38.8)[:, 1:2], hearing_civil(0.0, 1.4)[:, 1:2]])


@pytest.mark.parametrize(
    ("rejection", "line"),
    [
        (None, NO_WORDS),
        (Rejection.NO_WORDS, NO_WORDS),
        (Rejection.SILENCE, NO_WORDS),
        (Rejection.CREDITS, NOT_TRUSTED),
        (Rejection.ANNOTATION, NOT_TRUSTED),
        (Rejection.TOO_FAST, NOT_TRUSTED),
        (Rejection.REPETITION, NOT_TRUSTED),
        (Rejection.ECHO_OF_BIAS, NOT_TRUSTED),
    ],
)
def test_a_voice_whose_words_nobody_can_tell_is_a_line_with_its_sound(
    room: TranscriberRoom, rejection: Rejection | None, line: str
) -> None:
    played = Played(room, one_sentence(), answers(lambda seconds: Transcription(rejection=rejection)))
    [turn], [said] = played.turns, played.utterances
    assert said["text"] == line
    assert (said["start_ns"], said["end_ns"]) == (turn.start_ns, turn.end_ns)
    assert line.endswith("以录音为准〕")


def test_a_turn_that_no_engine_survives_is_a_line(room: TranscriberRoom) -> None:
    def lost(seconds: float) -> Transcription:
        raise EngineLostError("it died")

    played = Played(room, one_sentence(), answers(lost))
    assert [said["text"] for said in played.utterances] == [UNHEARD]


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_stand_in_the_record_as_they_were_heard(room: TranscriberRoom, text: str) -> None:
    made = answers(lambda seconds: normalized(text, (), seconds, interim=False, confidence=0.9))
    played = Played(room, one_sentence(), made)
    assert [said["text"].rstrip("。") for said in played.utterances] == [text.rstrip("。")]


@pytest.mark.parametrize(
    "text", ["", "。。。", "（掌聲）", "由某某社群提供的字幕", "對" * 300, "\ufffd\ufffd", "謝謝觀看"]
)
def test_a_voice_over_which_a_model_invents_is_a_line(room: TranscriberRoom, text: str) -> None:
    made = answers(lambda seconds: normalized(text, (), seconds, interim=False, confidence=0.9))
    played = Played(room, one_sentence(), made)
    assert len(played.utterances) == len(played.turns) == 1
    assert played.utterances[0]["text"] in LINES


HEARD = st.one_of(
    st.text(max_size=60),
    st.text("零一二三四五六七八九十百千万亿元角分年月日号第点0123456789，。、", max_size=60),
    st.text("字幕由提供的謝谢觀看掌聲声音乐（）()[]♪*订阅", max_size=30),
    st.builds(lambda unit, times: unit * times, st.text("没有對对的万8一", min_size=1, max_size=4), st.integers(1, 80)),
)


@given(HEARD, st.floats(0.2, 29.5))
def test_whatever_an_engine_says_there_are_words_or_a_line_that_says_why_not(text: str, seconds: float) -> None:
    heard = normalized(text, (), seconds, interim=False, confidence=0.9)
    if has_words(heard):
        assert heard.rejection is None
        assert not heard.words or "".join(word.text for word in heard.words) == heard.text
        assert sum(c.isalnum() for c in heard.text) == sum(c.isalnum() for c in text)
    else:
        assert line_of(heard).text in LINES


@settings(max_examples=12)
@given(HEARD)
def test_whatever_an_engine_says_each_turn_becomes_one_line(text: str) -> None:
    with TemporaryDirectory() as folder:
        room = TranscriberRoom(Path(folder), 1)
        try:
            room.say("open", 0, case={})
            made = answers(lambda seconds: normalized(text, (), seconds, interim=False, confidence=0.9))
            played = Played(room, one_sentence(), made)
        finally:
            room.log.close()
    assert len(played.utterances) == len(played.turns) == 1
    said = str(played.utterances[0]["text"])
    assert said in LINES or any(c.isalnum() for c in said)
