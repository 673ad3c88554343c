"""`wutong speech-server`: one strong machine that turns speech into words for many rooms, by the OpenAI interface.

Promises: at most as many questions at a time as it has model processes, finished turns before captions, the rest waits
in a bounded queue and is refused (503) beyond it; a question whose asker has gone is not answered. A question has at
most 4 MiB, however its length is said, and only who has the token is read at all. Keeps no sound and no words. It
refuses to listen to other machines without a token and TLS, and speech of more than 29.5 s.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import hmac
import io
import itertools
import time
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import structlog
from fastapi import FastAPI, File, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from hardware.speech_settings import Transcriber
from sync.errors import AccessError, ConfigError, MediaError
from sync.http.monitoring.settings import NO_METRICS, MetricsSettings
from sync.http.rights.machine_door import MachineDoor
from sync.http.rights.rules import machine
from sync.http.serve import new_app, serving
from sync.runtime.files.secrets import read_secret
from sync.runtime.process.service import Lifeline, cancel_and_wait
from sync.tls.hosts import is_loopback
from sync.tls.plain import PlainPolicy
from sync.tls.served import ServedTls
from transcriber.audio.pcm import RATE_HZ, Samples
from transcriber.recognition.factory import make_recognizer
from transcriber.recognition.recognizer import EngineLostError, Recognizer, Transcription
from transcriber.speech_metrics import SpeechCounts, SpeechMetrics

log = structlog.get_logger(__name__)

MOST_S = 29.5
MOST_BYTES = 4 * 1024 * 1024
INTERIM_HEADER = "X-Wutong-Quick"
"""The header of a question for a caption: it gives way to finished turns, and is answered with less care."""


class BusyError(Exception):
    """So many questions are waiting that no more are taken."""


@dataclass(order=True, slots=True)
class _Waiting:
    rank: tuple[bool, int]
    turn: asyncio.Future[Recognizer] = field(compare=False)


class QuestionQueue:
    """Decides which question is answered next. All methods belong to one event loop."""

    def __init__(self, recognizers: list[Recognizer], most: int) -> None:
        self._free = list(recognizers)
        self._most = most
        self._waiting: list[_Waiting] = []
        self._count = itertools.count()

    @property
    def waiting(self) -> int:
        """Questions that wait."""
        return len(self._waiting)

    @property
    def free(self) -> int:
        """Recognizers that nobody has."""
        return len(self._free)

    @property
    def most(self) -> int:
        """So many questions may wait."""
        return self._most

    @contextlib.asynccontextmanager
    async def recognizer(self, *, interim: bool) -> AsyncIterator[Recognizer]:
        """Lend one recognizer for one question. Raises `BusyError` when too many wait before this one."""
        recognizer = await self._next(interim=interim)
        try:
            yield recognizer
        finally:
            self._give(recognizer)

    async def _next(self, *, interim: bool) -> Recognizer:
        if self._free:
            return self._free.pop()
        if len(self._waiting) >= self._most:
            raise BusyError
        mine = _Waiting((interim, next(self._count)), asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        try:
            return await mine.turn
        except asyncio.CancelledError:
            if mine in self._waiting:
                self._waiting.remove(mine)
            elif mine.turn.done() and not mine.turn.cancelled():
                self._give(mine.turn.result())
            raise

    def _give(self, recognizer: Recognizer) -> None:
        while self._waiting:
            first = min(self._waiting)
            self._waiting.remove(first)
            if not first.turn.done():  # else its asker has just gone, and only has not left the line yet
                first.turn.set_result(recognizer)
                return
        self._free.append(recognizer)


def build(
    line: QuestionQueue, door: MachineDoor, counts: SpeechCounts, *, name: str, language: str, token: str
) -> FastAPI:
    """Make the app. An empty `token` lets everybody in; `counts` gets what is asked."""
    app = new_app("Wutong speech server")
    door.install(app)

    async def known(request: Request) -> None:
        said = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if token and not hmac.compare_digest(said.encode(), token.encode()):
            raise AccessError("the token is missing or wrong", code="token")

    def refused(code: str, status: int, message: str) -> JSONResponse:
        counts.refused[code] += 1
        return JSONResponse({"error": {"message": message, "type": "invalid_request_error"}}, status)

    @app.get("/v1/models")
    @machine(known)
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": name, "object": "model", "owned_by": "wutong"}]}

    @app.post("/v1/audio/transcriptions")
    @machine(known, body_bytes=MOST_BYTES)
    async def transcriptions(
        request: Request,
        file: Annotated[UploadFile, File()],
        spoken: Annotated[str, Form(alias="language")] = "",
        prompt: Annotated[str, Form(max_length=2000)] = "",
        response_format: Annotated[str, Form()] = "json",
    ) -> Response:
        began_s = time.monotonic()
        if response_format not in ("json", "text", "verbose_json"):
            return refused("form", 400, f"response_format {response_format!r} is not known: json, text or verbose_json")
        if spoken and spoken != language and language != "auto":
            return refused(
                "form", 400, f"this server hears {language!r} only; leave the language out, or start it with 'auto'"
            )
        try:
            samples = await asyncio.to_thread(_decoded, await file.read())
        except MediaError as error:
            return refused("form", 400, error.message)
        interim = INTERIM_HEADER in request.headers
        try:
            async with line.recognizer(interim=interim) as recognizer:
                if await request.is_disconnected():
                    counts.refused["gone"] += 1
                    return Response(status_code=499)
                transcription = await recognizer.ask(samples, prompt, interim=interim)
        except BusyError:
            return refused("busy", 503, "too many questions are waiting; try again, or another server")
        except EngineLostError as error:
            return refused("engine", 422, error.message)
        heard_s = len(samples) / RATE_HZ
        counts.answer(interim=interim, after_s=time.monotonic() - began_s, heard_s=heard_s)
        return _answer(transcription, heard_s, response_format)

    return app


async def serve(settings: Transcriber, lifeline: Lifeline, **where: Any) -> None:
    """Answer until canceled, as `running` does."""
    async with running(settings, **where) as port:
        log.info("hearing_speech", port=port, model=settings.model)
        lifeline.ready()
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def running(
    settings: Transcriber,
    *,
    host: str,
    port: int,
    token_file: Path | None,
    processes: int,
    waiting: int,
    tls: tuple[Path, Path] | None = None,
    plain_until: dt.date | None = None,
    metrics: MetricsSettings = NO_METRICS,
) -> AsyncIterator[int]:
    """Answer while the block runs; yields the port. `tls`: certificate and key for HTTPS. `metrics`: who may read its
    metrics, health and readiness.

    `ConfigError` where others may ask and there is no token, or no `tls` and no day `plain_until` still to come.
    """
    token = "" if token_file is None else read_secret(token_file, "the token of the speech server")
    if not token and not is_loopback(host):
        raise ConfigError(f"on {host} other machines may ask: name a token in --token-file (mode 0600)")
    own = ServedTls(host, tls, PlainPolicy(plain_until, setting="--plain-until"))
    recognizers = [make_recognizer(settings) for _ in range(processes)]
    try:
        for recognizer in recognizers:
            await recognizer.start()
        door = MachineDoor.at(host, own.hosts(), secure=own.is_secure, asks_for_token=bool(token))
        line, counts = QuestionQueue(recognizers, waiting), SpeechCounts()
        app = build(line, door, counts, name=settings.model, language=settings.language, token=token)
        certificates = {} if tls is None else {"server": tls[0]}
        monitoring = SpeechMetrics(settings.model, recognizers, line, counts, certificates).monitoring(metrics)
        monitoring.install(app)
        measuring = asyncio.create_task(monitoring.run())
        try:
            async with serving(app, host, port, tls=own.context, plain=own.is_plain_open) as bound, own.followed():
                yield bound
        finally:
            await cancel_and_wait(measuring)
        door.flush()
    finally:
        await asyncio.gather(*(recognizer.stop() for recognizer in recognizers))


def _decoded(raw: bytes) -> Samples:
    """Return the samples of a WAV file of 16 bits, 16 kHz and one channel; whoever asks converts anything else."""
    try:
        with wave.open(io.BytesIO(raw), "rb") as file:
            if (file.getsampwidth(), file.getframerate(), file.getnchannels()) != (2, RATE_HZ, 1):
                raise MediaError("the speech must be WAV of 16 bits, 16 kHz and one channel")
            if file.getnframes() > MOST_S * RATE_HZ:
                raise MediaError(f"at most {MOST_S} s are heard at a time; cut the speech at its pauses")
            pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    except (wave.Error, EOFError) as error:
        raise MediaError(f"the speech must be WAV of 16 bits, 16 kHz and one channel: {error}") from error
    return pcm.astype(np.float32) / 32768.0


def _answer(transcription: Transcription, seconds: float, form: str) -> Response:
    if form == "text":
        return Response(transcription.text, media_type="text/plain; charset=utf-8")
    if form == "json":
        return JSONResponse({"text": transcription.text})
    words = [
        {"word": w.text, "start": w.start_s, "end": w.end_s, "probability": w.probability} for w in transcription.words
    ]
    segment = {"id": 0, "start": 0.0, "end": seconds, "text": transcription.text}
    return JSONResponse(
        {
            "task": "transcribe",
            "language": _language(transcription.text),
            "duration": seconds,
            "text": transcription.text,
            "segments": [segment] if transcription.text else [],
            "words": words,
        }
    )


def _language(text: str) -> str:
    return "en" if text and text.isascii() else "zh"
