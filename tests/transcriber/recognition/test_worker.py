"""What goes through the pipe of the model process comes out as it went in."""

from __future__ import annotations

import io
import json

import pytest

from transcriber.audio.pcm import Samples
from transcriber.recognition.recognizer import Rejection, Transcription, Word
from transcriber.recognition.worker import HEAD, answer, pack, transcription_from_json

SAID = Transcription("是。", (Word("是。", 0.1, 0.4, 0.9),), 0.9)


class OneAnswer:
    """An engine that always says the same, and keeps how it was asked."""

    def __init__(self, said: Transcription) -> None:
        self.said = said
        self.asked: list[tuple[int, str, bool, str]] = []

    def transcribe(self, samples: Samples, bias: str = "", *, interim: bool = False, prefix: str = "") -> Transcription:
        self.asked.append((len(samples), bias, interim, prefix))
        return self.said


@pytest.mark.parametrize("said", [SAID, Transcription(rejection=Rejection.NO_WORDS), Transcription(why="no time")])
def test_a_question_reaches_the_engine_and_its_words_come_back(said: Transcription) -> None:
    engine, sink = OneAnswer(said), io.BytesIO()
    question = {"id": 7, "bias": "张三", "interim": True, "prefix": "原告"}
    answer([engine], None, io.BytesIO(pack(question, bytes(640))), sink)
    assert engine.asked[-1] == (320, "张三", True, "原告")
    messages = []
    sink.seek(0)
    while head := sink.read(HEAD.size):
        messages.append(json.loads(sink.read(HEAD.unpack(head)[0])))
    assert messages[0]["ready"]
    assert messages[1]["id"] == 7
    assert transcription_from_json(messages[1]["transcription"]) == said
