"""One machine that hears for many rooms: asked by an independent client, by a room, and by too many at once."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from structlog.testing import capture_logs

from hardware.speech_settings import Transcriber, speech_settings
from sync.errors import ConfigError, WutongError
from sync.http.monitoring.settings import MetricsSettings
from sync.tls.authority import open_authority
from tests.support.files import tiny_models
from tests.support.peers import scraper
from tests.support.peers.tls_court import served_by, utc_now
from tests.support.rooms.transcriber_room import speech
from transcriber import speech_server
from transcriber.recognition.factory import make_recognizer, probe
from transcriber.recognition.openai_client import OpenAIClient, ServerAwayError, _wav
from transcriber.recognition.process import EngineProcess
from transcriber.recognition.process_settings import ProcessSettings
from transcriber.recognition.recognizer import Transcription
from transcriber.speech_metrics import CATALOG
from transcriber.speech_server import INTERIM_HEADER, BusyError, QuestionQueue, running

TOKEN = "the-rooms-token"


@pytest.mark.model
@pytest.mark.timeout(400)
async def test_an_independent_client_and_a_room_get_the_words(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN, encoding="ascii")
    token_file.chmod(0o600)
    folder = tmp_path / "moonshine"
    folder.mkdir()
    settings = speech_settings(engine="sherpa-onnx", model=str(tiny_models.moonshine(folder)), language="en")
    samples = speech("jfk_en.flac")[:, 0].astype(np.float32) / np.float32(32768)
    file = ("speech.wav", _wav(samples), "audio/wav")
    where: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "token_file": token_file, "processes": 1, "waiting": 4}
    async with running(settings, **where) as port:
        url = f"http://127.0.0.1:{port}"
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=TOKEN, max_retries=0, timeout=150) as client:
            heard = await client.audio.transcriptions.create(
                model="any", file=file, response_format="verbose_json", timestamp_granularities=["word"]
            )
            assert heard.text.startswith("And so my fellow Americans")
            assert heard.language == "en"
            assert heard.words is not None
            assert "".join(word.word for word in heard.words) == heard.text
            assert (await client.models.list()).data[0].id == str(folder)
            with pytest.raises(openai.BadRequestError, match="16 kHz"):
                await client.audio.transcriptions.create(model="any", file=("speech.mp3", b"no sound", "audio/mpeg"))
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="another", max_retries=0) as stranger:
            with pytest.raises(openai.AuthenticationError):
                await stranger.audio.transcriptions.create(model="any", file=file)
        room = Transcriber(engine="openai", servers=[url], language="en", token_file=token_file, timeout_s=150)
        assert await probe(room) == "1 transcription server"
        recognizer = make_recognizer(room)
        try:
            await recognizer.start()
            assert (await recognizer.ask(samples)).text.startswith("And so")
            assert (await recognizer.ask(samples, interim=True, turn="t")).text.startswith("And so")
        finally:
            await recognizer.stop()


async def test_finished_turns_go_before_captions_and_too_many_are_refused() -> None:
    line = QuestionQueue([EngineProcess(ProcessSettings())], most=3)
    order: list[str] = []
    held = asyncio.Event()

    async def ask(name: str, *, interim: bool) -> None:
        async with line.recognizer(interim=interim):
            order.append(name)
            await held.wait()

    tasks = [asyncio.create_task(ask("first", interim=False))]
    await asyncio.sleep(0)
    for name, interim in (("caption", True), ("gone", False), ("final", False)):
        tasks.append(asyncio.create_task(ask(name, interim=interim)))
        await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await ask("one too many", interim=False)
    tasks[2].cancel()
    await asyncio.wait([tasks[2]])
    held.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == ["first", "final", "caption"]
    await ask("again", interim=True)
    assert order[-1] == "again"


async def test_an_ear_is_not_lost_on_a_question_that_was_taken_back_a_moment_ago() -> None:
    recognizer = EngineProcess(ProcessSettings())
    line = QuestionQueue([recognizer], most=3)
    heard: list[str] = []

    async def ask(name: str) -> None:
        async with line.recognizer(interim=False):
            heard.append(name)

    async with line.recognizer(interim=False):
        gone, waiting = asyncio.create_task(ask("gone")), asyncio.create_task(ask("waiting"))
        await asyncio.sleep(0)
        gone.cancel()  # it will know of it only after the recognizer is free
    await asyncio.wait([gone, waiting], timeout=30)
    assert gone.cancelled()
    assert heard == ["waiting"]
    await asyncio.wait_for(ask("the next one"), 30)
    assert heard == ["waiting", "the next one"]


async def test_it_is_not_open_to_other_machines_without_a_token_and_tls(tmp_path: Path) -> None:
    settings = speech_settings(engine="faster-whisper")
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN, encoding="ascii")
    token_file.chmod(0o600)
    for host in ("0.0.0.0", "words.court.example"):
        for given, why in ((None, "--token-file"), (token_file, "--certificate")):
            with pytest.raises(ConfigError, match=why):
                async with running(settings, host=host, port=0, token_file=given, processes=1, waiting=1):
                    pass


class NoModel:
    """A recognizer that hears the same words in everything."""

    restarts = 0
    pid: int | None = 4711

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def ask(self, samples: Any, bias: str = "", *, interim: bool = False, turn: str = "") -> Transcription:
        return Transcription("现在开庭", (), 0.9)


async def test_a_room_asks_by_https_whom_the_courts_authority_vouches_for_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_server, "make_recognizer", lambda settings: NoModel())
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN, encoding="ascii")
    token_file.chmod(0o600)
    court, other = (open_authority(tmp_path / name, name, utc_now()) for name in ("court", "other"))
    where: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "token_file": token_file, "processes": 1, "waiting": 4}
    known = tmp_path / "known.pem"  # comes with the enrollment, while the transcriber runs
    silence = np.zeros(16000, np.float32)
    async with running(
        speech_settings(engine="faster-whisper"), **where, tls=served_by(court, tmp_path, "127.0.0.1")
    ) as p:
        client = OpenAIClient(
            f"https://127.0.0.1:{p}", model="m", language="zh", timeout_s=20, token_file=token_file, authority=known
        )
        with pytest.raises(ServerAwayError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.transcribe(silence)
        known.write_bytes(court.pem)
        assert (await client.transcribe(silence)).text == "现在开庭。"
        await client.close()
        known.write_bytes(other.pem)
        fooled = OpenAIClient(
            f"https://127.0.0.1:{p}", model="m", language="zh", timeout_s=20, token_file=token_file, authority=known
        )
        with pytest.raises(ServerAwayError, match="CERTIFICATE_VERIFY_FAILED"):
            await fooled.transcribe(silence)
        await fooled.close()
        plain = OpenAIClient(f"http://127.0.0.1:{p}", model="m", language="zh", timeout_s=20, token_file=token_file)
        with pytest.raises(WutongError, match="https"):
            await plain.transcribe(silence)
        await plain.close()


async def served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, token: bool = True
) -> contextlib.AbstractAsyncContextManager[int]:
    """A speech server without a model."""
    monkeypatch.setattr(speech_server, "make_recognizer", lambda settings: NoModel())
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN, encoding="ascii")
    token_file.chmod(0o600)
    where: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "processes": 1, "waiting": 4}
    return running(speech_settings(engine="faster-whisper"), token_file=token_file if token else None, **where)


HEADERS = {"Authorization": f"Bearer {TOKEN}"}
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'


@pytest.mark.parametrize("known", [True, False])
async def test_a_question_without_end_is_cut_off_however_its_length_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield FORM
        while sent < 40 * speech_server.MOST_BYTES:
            sent += 256 * 1024
            yield bytes(256 * 1024)

    kept: list[int] = []
    true = tempfile.SpooledTemporaryFile.write

    def write(file: Any, data: bytes) -> Any:
        kept.append(len(data))
        return true(file, data)

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "write", write)
    headers = {"Content-Type": "multipart/form-data; boundary=x"} | (
        HEADERS if known else {"Authorization": "Bearer no"}
    )
    async with await served(tmp_path, monkeypatch) as port, httpx.AsyncClient(trust_env=False) as http:
        url = f"http://127.0.0.1:{port}/v1/audio/transcriptions"
        with contextlib.suppress(httpx.WriteError, httpx.ReadError):  # it may hang up while we still speak
            answer = await http.post(url, content=endless(), headers=headers)
            assert answer.status_code == (413 if known else 401)
    assert sent < 40 * speech_server.MOST_BYTES
    assert sum(kept) <= (speech_server.MOST_BYTES if known else 0)


async def test_its_answers_carry_the_headers_its_refusals_are_logged_and_another_name_is_not_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await served(tmp_path, monkeypatch) as port, httpx.AsyncClient(trust_env=False) as http:
        url = f"http://127.0.0.1:{port}/v1/models"
        answer = await http.get(url, headers=HEADERS)
        assert (answer.status_code, answer.headers["X-Content-Type-Options"]) == (200, "nosniff")
        with capture_logs() as said:
            assert (await http.get(url)).status_code == 401
            assert (await http.get(url.replace("models", "files"), headers=HEADERS)).status_code == 404
        assert [line["detail"] for line in said if line["event"] == "refused"] == ["token GET /v1/models"]
    async with await served(tmp_path, monkeypatch, token=False) as port, httpx.AsyncClient(trust_env=False) as http:
        url = f"http://127.0.0.1:{port}/v1/models"
        assert (await http.get(url)).status_code == 200
        assert (await http.get(url, headers={"Host": "page.example:80"})).status_code == 421


def test_it_needs_an_engine_of_its_own() -> None:
    with pytest.raises(ConfigError, match="engine of its own"):
        speech_settings(engine="off")
    with pytest.raises(ConfigError, match="needs 'model'"):
        speech_settings(engine="sherpa-onnx")


async def test_monitoring_reads_what_was_asked_and_nothing_that_was_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_server, "make_recognizer", lambda settings: NoModel())
    for name, text in (("token", TOKEN), ("scraper", scraper.TOKEN)):
        (tmp_path / name).write_text(text, encoding="ascii")
        (tmp_path / name).chmod(0o600)
    where: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "token_file": tmp_path / "token", "processes": 2}
    metrics = MetricsSettings(token_file=tmp_path / "scraper")
    settings = speech_settings(engine="faster-whisper")
    async with (
        running(settings, **where, waiting=4, metrics=metrics) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        sound = _wav(np.zeros(8000, np.float32))
        for more in ({}, {INTERIM_HEADER: "1"}):
            answer = await http.post("/v1/audio/transcriptions", headers={**HEADERS, **more}, files={"file": sound})
            assert answer.status_code == 200, answer.text
        answer = await http.post("/v1/audio/transcriptions", headers=HEADERS, files={"file": b"no sound"})
        assert answer.status_code == 400
        found = await scraper.scraped(http)
        assert found['wutong_speech_answers_total{question="turn"}'] == 1
        assert found['wutong_speech_answers_total{question="caption"}'] == 1
        assert found['wutong_speech_refused_total{code="form"}'] == 1
        assert found["wutong_speech_heard_seconds_total"] == 1
        assert found["wutong_speech_answer_seconds_count"] == 2
        assert (found["wutong_speech_processes"], found["wutong_speech_busy_processes"]) == (2, 0)
        assert (found["wutong_speech_waiting_questions"], found["wutong_speech_waiting_most"]) == (0, 4)
        assert found["wutong_ready"] == 1
        text = (await http.get("/metrics", headers=scraper.GOOD)).text
        assert "开庭" not in text
        samples = {line.partition("{")[0].partition(" ")[0] for line in text.splitlines() if line[:1] != "#"}
        missing = {one.name for one in CATALOG if not one.samples & samples}
        assert missing == {"wutong_speech_certificate_left_seconds"}, "a server without TLS has none"
        assert (await http.get("/readyz", headers=scraper.GOOD)).json()["ready"] is True
        for headers in ({}, HEADERS, {"Authorization": "Bearer x"}):
            assert (await http.get("/metrics", headers=headers)).status_code == 401


async def test_without_a_word_it_has_no_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        await served(tmp_path, monkeypatch) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        assert (await http.get("/metrics", headers=HEADERS)).status_code == 404
