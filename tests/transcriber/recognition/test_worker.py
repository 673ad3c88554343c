"""What goes through the pipe of the model process comes out as it went in."""

from __future__ import annotations

import io
import json
import os
import sys
import threading

import numpy as np
import pytest

from transcriber.audio.pcm import RATE_HZ, Samples
from transcriber.recognition.process import EngineProcess
from transcriber.recognition.process_settings import ProcessSettings
from transcriber.recognition.recognizer import EngineLostError, Rejection, Transcription, Word
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


class Slow(OneAnswer):
    """An engine that answers when it is told to."""

    def __init__(self, said: Transcription) -> None:
        super().__init__(said)
        self.asked_something, self.may_answer = threading.Event(), threading.Event()

    def transcribe(self, samples: Samples, bias: str = "", *, interim: bool = False, prefix: str = "") -> Transcription:
        if len(samples) != RATE_HZ:  # not the first pass, which warms up
            self.asked_something.set()
            assert self.may_answer.wait(60)
        return super().transcribe(samples, bias, interim=interim, prefix=prefix)


def test_a_caption_is_answered_while_a_finished_turn_is_at_work() -> None:
    final, caption = Slow(SAID), OneAnswer(SAID)
    ours, theirs = os.pipe()
    back, out = os.pipe()
    with (
        os.fdopen(theirs, "wb") as asking,
        os.fdopen(back, "rb") as answers,
        os.fdopen(ours, "rb") as source,
        os.fdopen(out, "wb") as sink,
    ):
        working = threading.Thread(target=answer, args=([final, caption], None, source, sink))
        working.start()

        def told() -> dict[str, object]:
            value: dict[str, object] = json.loads(answers.read(HEAD.unpack(answers.read(HEAD.size))[0]))
            return value

        assert told()["ready"]
        asking.write(pack({"id": 1, "bias": "", "interim": False, "prefix": ""}, bytes(640)))
        asking.flush()
        assert final.asked_something.wait(60)
        asking.write(pack({"id": 2, "bias": "", "interim": True, "prefix": ""}, bytes(640)))
        asking.flush()
        assert told()["id"] == 2
        final.may_answer.set()
        assert told()["id"] == 1
        asking.close()
        working.join(60)
        assert not working.is_alive()


_NONSENSE = """
import struct, sys
def say(text):
    sys.stdout.buffer.write(struct.pack(">II", len(text), 0) + text)
    sys.stdout.buffer.flush()
say(b'{"ready":true,"rss_bytes":1}')
sys.stdin.buffer.read(8)
say(sys.argv[1].encode())
sys.stdin.buffer.read()
"""


@pytest.mark.process
@pytest.mark.parametrize(
    "answer",
    [
        '{"id":1,"rss_bytes":1,"engine_s":NaN,"starved_s":0,"transcription":{}}',
        '{"id":1,"rss_bytes":1}',
        '{"id":1,"rss_bytes":1,"engine_s":0,"starved_s":0,"transcription":{"text":"x"}}',
        '{"id":[],"rss_bytes":"many"}',
        "[]",
        "[" * 50_000,
    ],
    ids=["nan", "no words", "half of them", "no numbers", "a list", "deep"],
)
async def test_an_engine_that_answers_nonsense_is_lost_and_its_turn_is_not_asked_for_ever(answer: str) -> None:
    engine = EngineProcess(ProcessSettings())
    engine._command = [sys.executable, "-c", _NONSENSE, answer]
    try:
        with pytest.raises(EngineLostError, match="the sound is kept"):
            await engine.ask(np.zeros(1600, np.float32))
    finally:
        await engine.stop()
