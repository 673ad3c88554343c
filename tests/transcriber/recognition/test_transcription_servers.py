"""Transcription servers of the OpenAI interface: a real one with the real model, and what happens when one dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import jiwer
import numpy as np
import pytest

from hardware.speech_settings import Transcriber
from tests.support.peers.scripted_server import Scripted
from tests.support.ports import free_port
from tests.support.rooms.transcriber_room import speech, until
from transcriber.recognition.factory import make_recognizer
from transcriber.recognition.model_files import locate
from transcriber.recognition.openai_client import (
    OpenAIClient,
    ServerAwayError,
    ServerClosedError,
    ServerRefusedError,
    parse_transcription,
)
from transcriber.recognition.recognizer import EngineLostError, Transcription
from transcriber.recognition.server_pool import ServerPool

SAID = "广州市房地产中介协会分析"
TOKEN = "a-token-of-the-court"
Samples = np.ndarray[tuple[int], np.dtype[np.float32]]


def floats(name: str) -> Samples:
    return speech(name)[:, 0].astype(np.float32) / np.float32(32768)


class RealServer:
    """open-asr-server with the product's own model, as a process."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.model = f"faster-whisper:{locate('base')}"
        self._log = (folder / "server.log").open("w")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("open-asr-server")), "serve", "--port", str(self.port)]
        env = os.environ | {"OPEN_ASR_SERVER_API_KEY": TOKEN, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen([*command, "-m", self.model], env=env, stdout=self._log, stderr=self._log)
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(self.url + "/health", timeout=1)
                return
            assert self.process.poll() is None
            time.sleep(0.1)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()  # it waits for its last answer otherwise
            self.process.wait()
        self._log.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    real = RealServer(tmp_path_factory.mktemp("server"))
    real.start()
    yield real
    real.stop()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n", encoding="ascii")
    path.chmod(0o600)
    return path


@pytest.mark.model
@pytest.mark.timeout(400)
async def test_a_real_server_hears_both_languages_with_words_and_dies_and_comes_back(
    server: RealServer, token_file: Path
) -> None:
    states: list[tuple[str, str]] = []
    gone = f"http://127.0.0.1:{free_port()}"
    settings = Transcriber(
        engine="openai",
        model=server.model,
        servers=[gone, server.url],
        language="auto",
        token_file=token_file,
        timeout_s=150,
    )
    pool = make_recognizer(settings, on_state=lambda state, why: states.append((state, why)))
    try:
        await pool.start()
        assert states[-1][0] == "ready"  # with the one that is there
        assert "cannot be reached" in states[-1][1]
        mandarin = await pool.ask(floats("aishell_BAC009S0724W0121.wav"))
        assert jiwer.cer(SAID, mandarin.text.rstrip("。")) <= 0.25
        assert "".join(word.text for word in mandarin.words) == mandarin.text
        starts = [word.start_s for word in mandarin.words]
        assert starts == sorted(starts)
        assert starts[-1] > 1.0
        english = await pool.ask(floats("jfk_en.flac"))
        assert english.text.startswith("And so")
        assert english.text.endswith("your country.")
        # All are gone: a finished turn waits, and is heard when one is back.
        server.kill()
        waiting = asyncio.create_task(pool.ask(floats("aishell_BAC009S0724W0121.wav")[:32_000]))
        await until(lambda: states[-1][0] == "failed", 30)
        assert not waiting.done()
        server.start()
        assert (await asyncio.wait_for(waiting, 150)).text
        assert states[-1][0] == "ready"
    finally:
        await pool.stop()


async def test_a_server_says_what_is_wrong_with_the_token_or_the_model(server: RealServer, token_file: Path) -> None:
    samples = np.zeros(16_000, np.float32)
    for model, token, says in (
        (server.model, None, "does not let us in"),
        ("no-such-model", token_file, "no transcription with the model"),
    ):
        client = OpenAIClient(server.url, model=model, language="zh", timeout_s=30, token_file=token)
        try:
            with pytest.raises(ServerClosedError, match=says):
                await client.transcribe(samples)
        finally:
            await client.close()
    token_file.chmod(0o644)
    open_to_all = OpenAIClient(server.url, model=server.model, language="zh", timeout_s=30, token_file=token_file)
    with pytest.raises(Exception, match="chmod 0600"):
        await open_to_all.transcribe(samples)
    await open_to_all.close()


SPEECH = np.full(16_000, 0.1, np.float32)


@pytest.fixture
async def pair() -> AsyncIterator[tuple[ServerPool, Scripted, Scripted]]:
    first, second = Scripted(), Scripted()
    await first.start()
    await second.start()
    pool = ServerPool(
        [OpenAIClient(s.url, model="m", language="zh", timeout_s=20, token_file=None) for s in (first, second)],
    )
    await pool.start()
    yield pool, first, second
    await first.stop()
    await second.stop()
    await pool.stop()


Pair = tuple[ServerPool, Scripted, Scripted]


async def test_captions_of_one_turn_go_to_one_server(pair: Pair) -> None:
    pool, first, second = pair
    first.hold = second.hold = {"caption"}
    begun = asyncio.create_task(pool.ask(SPEECH, interim=True, turn="a"))
    await until(lambda: first.asked.count("caption") + second.asked.count("caption") == 1, 20)
    one, other = (first, second) if first.asked.count("caption") else (second, first)
    other.hold = set()
    assert (await pool.ask(SPEECH, interim=True, turn="b")).text  # the less loaded one
    assert other.asked.count("caption") == 1
    one.hold = set()
    one.released.set()
    assert (await begun).text
    for _ in range(3):
        await pool.ask(SPEECH, interim=True, turn="a")
        await pool.ask(SPEECH, interim=True, turn="b")
    assert (one.asked.count("caption"), other.asked.count("caption")) == (4, 4)


async def test_a_finished_turn_waits_for_no_caption_and_captions_make_way(pair: Pair) -> None:
    pool, first, second = pair
    for server in (first, second):
        server.hold = {"caption"}
    captions = [asyncio.create_task(pool.ask(SPEECH, interim=True, turn=turn)) for turn in ("a", "b")]
    await until(lambda: first.asked.count("caption") + second.asked.count("caption") == 2, 20)
    assert first.asked.count("caption") == 1  # the second turn went where the first did not
    assert (await asyncio.wait_for(pool.ask(SPEECH), 20)).text == "没有异议。"
    first.hold = second.hold = {"caption", "final"}
    finals = [asyncio.create_task(pool.ask(SPEECH)) for _ in range(2)]
    await until(lambda: first.asked.count("final") + second.asked.count("final") == 3, 20)
    refused = await pool.ask(SPEECH, interim=True, turn="c")
    assert refused.text == ""
    assert "time for captions" in refused.why
    first.released.set()
    second.released.set()
    assert all(made.text for made in await asyncio.gather(*captions, *finals))


async def test_a_finished_turn_goes_to_another_server_when_one_dies_over_it(pair: Pair) -> None:
    pool, first, second = pair
    for server in (first, second):
        server.hold = {"final"}
    asking = asyncio.create_task(pool.ask(SPEECH))
    await until(lambda: first.asked.count("final") + second.asked.count("final") == 1, 20)
    dying, living = (first, second) if first.asked.count("final") else (second, first)
    living.hold = set()
    dying.answers = lambda kind: (503, "restarting")
    dying.released.set()
    assert (await asyncio.wait_for(asking, 20)).text == "没有异议。"
    assert living.asked.count("final") == 1
    assert pool.restarts == 1


async def test_speech_that_every_server_refuses_is_given_up_and_nothing_else_is(pair: Pair) -> None:
    pool, first, second = pair
    for server in (first, second):
        server.answers = lambda kind: (422, '{"error": {"message": "cannot decode"}}')
    with pytest.raises(EngineLostError, match="cannot decode"):
        await asyncio.wait_for(pool.ask(SPEECH), 20)
    for server in (first, second):
        server.answers = lambda kind: (200, '{"text": "有"}')
    assert (await asyncio.wait_for(pool.ask(SPEECH), 20)).text == "有。"


async def test_nonsense_that_the_bias_brought_is_heard_again_without_it(pair: Pair) -> None:
    pool, first, second = pair
    for server in (first, second):
        server.answers = lambda kind: (200, json.dumps({"text": "张伟明" * 60 if kind == "biased" else "没有异议"}))
    assert (await pool.ask(SPEECH, "张伟明，李建国")).text == "没有异议。"
    assert sorted(a for a in first.asked + second.asked if a not in ("probe", "silence")) == ["biased", "final"]


async def test_what_is_no_transcription_is_refused(pair: Pair) -> None:
    _, first, _ = pair
    client = OpenAIClient(first.url, model="m", language="zh", timeout_s=20, token_file=None)
    try:
        for answer in (
            "<html>",
            "[]",
            '{"text": 3}',
            '{"text": "有", "words": [{"word": "有"}]}',
            "[" * 100_000,
            '{"text": "有", "segments": [{"avg_logprob": NaN}]}',
            '{"text": "有", "words": [{"word": "有", "start": 0, "end": 0.5, "probability": Infinity}]}',
            '{"text": "有", "words": [{"word": "有", "start": 0, "end": 1e999}]}',
            '{"text": "有", "words": [{"word": "有", "start": 0, "end": "nan"}]}',
            '{"text": "有", "text": "无"}',
        ):
            first.answers = lambda kind, answer=answer: (200, answer)  # type: ignore[misc]  # a default of its own
            with pytest.raises(ServerRefusedError):
                await client.transcribe(SPEECH)
        first.answers = lambda kind: (200, json.dumps({"text": "有" * 5_000_000}))
        with pytest.raises(ServerRefusedError, match="without end"):
            await client.transcribe(SPEECH)
        first.answers = lambda kind: (429, "slow down")
        with pytest.raises(ServerAwayError, match="busy"):
            await client.transcribe(SPEECH)
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"text": "没有异议"}, 4),
        ({"text": "没有异议", "segments": [{"text": "没有异议", "start": 0.5, "end": 0.9, "avg_logprob": -0.1}]}, 4),
        (
            {
                "text": "没有异议",
                "words": [{"word": "没有", "start": 0.5, "end": 0.7}, {"word": "异议", "start": 0.7, "end": 0.9}],
            },
            2,
        ),
        ({"text": "OK, thank you"}, 3),
    ],
)
def test_words_are_timed_as_well_as_the_server_can(answer: dict[str, object], words: int) -> None:
    made: Transcription = parse_transcription(answer, 1.0, interim=False)
    assert "".join(word.text for word in made.words) == made.text
    assert len(made.words) == words
    assert all(0 <= word.start_s <= word.end_s <= 1 for word in made.words)
    if "segments" in answer or "words" in answer:
        assert made.words[0].start_s == 0.5


@pytest.mark.parametrize("interim", [True, False])
@pytest.mark.parametrize(
    "said",
    [
        {"words": [{"word": "有", "start": 0, "end": 0.5, "probability": "nan"}]},
        {"words": [{"word": "有", "start": 0, "end": 0.5, "probability": "-inf"}]},
        {"words": [{"word": "有", "start": 0, "end": 0.5, "probability": 7}]},
        {"words": [{"word": "有", "start": 0, "end": 0.5, "probability": -7}]},
        {"segments": [{"text": "有", "start": 0, "end": 0.5, "avg_logprob": "nan"}]},
        {"segments": [{"text": "有", "start": 0, "end": 0.5, "avg_logprob": "inf"}]},
        {"segments": [{"text": "有", "start": 0, "end": 0.5, "avg_logprob": 1e300}]},
    ],
)
def test_a_probability_is_a_number_from_0_to_1_whatever_a_server_says(said: dict[str, object], interim: bool) -> None:
    made = parse_transcription({"text": "有", **said}, 1.0, interim=interim)
    assert made.text
    for probability in (made.confidence, *(word.probability for word in made.words)):
        assert 0 <= probability <= 1
