"""One transcription server of the OpenAI interface: a question by HTTP, the words back.

Promises: every way in which a server fails is one of three errors, each with a sentence for a person: it is away
(`ServerAwayError`), it will not let us in (`ServerClosedError`), it will not take these samples (`ServerRefusedError`).
Sends nothing but the samples, the bias and the settings; follows no redirection with the token.
"""

from __future__ import annotations

import asyncio
import io
import wave
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from sync.errors import ConfigError, WutongError
from sync.runtime.files.secrets import read_secret
from sync.text.printable import printable
from sync.text.strict_json import UnreadableError, read_strict
from sync.tls.followed_context import BelievedAuthority
from transcriber.audio.pcm import RATE_HZ, Samples
from transcriber.recognition.recognizer import UNKNOWN_PROBABILITY, Transcription, Word
from transcriber.recognition.text.language import LANGUAGES
from transcriber.recognition.text.normalize import evenly_timed, fraction, normalized, probability_of
from transcriber.recognition.text.repetition import echoes, loops

_CONNECT_S = 4.0
_PROBE_S = 4.0
_SILENCE_S = 15.0
"""A server that is busy or loads its model is not waited for when it is only asked about silence."""
_MOST_ANSWER_BYTES = 4 * 1024 * 1024
_NAMES = {"chinese": "zh", "mandarin": "zh", "zh": "zh", "zh-cn": "zh", "english": "en", "en": "en", "en-us": "en"}
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


class ServerAwayError(WutongError):
    """The server cannot be reached, is overloaded, or was too slow: worth another try, here or elsewhere."""

    code = "engine"

    def __init__(self, message: str, *, over_this: bool = False) -> None:
        """`over_this`: it may well have been the samples that were too much for it."""
        super().__init__(message)
        self.over_this = over_this


class ServerClosedError(WutongError):
    """The server does not accept the token, or has no such interface or model: worth a try when that was put right."""

    code = "engine"


class ServerRefusedError(WutongError):
    """The server answers, but it does not take these samples."""

    code = "engine"


class OpenAIClient:
    """One server, which is asked any number of questions at a time. All methods belong to one event loop."""

    def __init__(
        self,
        base: str,
        *,
        model: str,
        language: str,
        timeout_s: float,
        token_file: Path | None,
        authority: Path | None = None,
    ) -> None:
        """`base`: its address without /v1; `language`: `zh`, `en` or `auto`; a question takes `timeout_s` at most.
        `authority`: where the certificate of the court's own authority is, once there is one; it is believed beside
        those that everybody believes, as it is now."""
        self.base = base.rstrip("/").removesuffix("/v1")
        self._model = model
        self._language = language
        self._last = LANGUAGES[0]
        self._token_file = token_file
        self._timeout_s = timeout_s
        timeout = httpx.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s))
        self._believed = BelievedAuthority(authority, httpx.create_ssl_context)
        self._http = httpx.AsyncClient(
            timeout=timeout, limits=httpx.Limits(max_connections=16), verify=self._believed.context
        )

    async def transcribe(self, samples: Samples, bias: str = "", *, interim: bool = False) -> Transcription:
        """Return the words of at most 30 s. Where the first answer is nonsense, the server is asked once more."""
        seconds = len(samples) / RATE_HZ
        wav = _wav(samples)
        made = parse_transcription(await self._in_language(wav, bias, interim=interim), seconds, interim=interim)
        if bias and not interim and (made.rejection or loops(made.text) or echoes(made.text)):
            # Names to be expected are what leads a model astray most often.
            again = parse_transcription(await self._in_language(wav, "", interim=interim), seconds, interim=interim)
            made = again if again.text else made
        return made

    async def _in_language(self, wav: bytes, bias: str, *, interim: bool) -> dict[str, Any]:
        """Return the answer in one of the two languages; with `auto`, an answer in a third one is asked for again."""
        answer = await self._asked(wav, bias, "" if self._language == "auto" else self._language, interim=interim)
        if self._language == "auto":
            spoken = _NAMES.get(str(answer.get("language") or "").lower())
            if spoken is None and answer.get("language"):
                answer = await self._asked(wav, bias, self._last, interim=interim)
            elif spoken is not None and not interim:
                self._last = spoken
        return answer

    async def probe(self, silence_s: float = 0.0) -> None:
        """Find out whether the server is there, lets us in, and takes this much silence. Raises what is wrong."""
        answer = await self._send("GET", "/v1/models", timeout=httpx.Timeout(_PROBE_S))
        if answer.status_code in (401, 403):
            raise ServerClosedError(self._unwelcome(answer))
        if answer.status_code >= 500:
            raise ServerAwayError(f"the transcription server {self.base} is not well: HTTP {answer.status_code}")
        if silence_s:
            await self._takes_silence(silence_s)

    async def _takes_silence(self, seconds: float) -> None:
        """Raises `ServerClosedError` when the server refuses what no server that is set rightly can refuse."""
        wav = _wav(np.zeros(round(seconds * RATE_HZ), np.float32))
        try:
            async with asyncio.timeout(_SILENCE_S):
                await self._asked(wav, "", "" if self._language == "auto" else self._language, interim=False)
        except (ServerAwayError, TimeoutError):
            return  # busy, or loading its model: that it is there is known, and nothing speaks against it
        except ServerRefusedError as error:
            raise ServerClosedError(
                f"{error.message}; it refuses even silence: make [transcriber] language ({self._language}) and model"
                " agree with the server's, and let questions of 1 MiB through"
            ) from error

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._http.aclose()

    async def _asked(self, wav: bytes, bias: str, language: str, *, interim: bool) -> dict[str, Any]:
        form: dict[str, Any] = {"model": self._model, "response_format": "verbose_json", "temperature": "0"}
        if language:
            form["language"] = language
        if bias:
            form["prompt"] = bias
        if not interim:
            form["timestamp_granularities[]"] = ["word", "segment"]
        file = {"file": ("speech.wav", wav, "audio/wav")}
        asked_as = {"X-Wutong-Quick": "1"} if interim else {}  # a speech server of ours lets finished turns go first
        answer = await self._send("POST", "/v1/audio/transcriptions", headers=asked_as, data=form, files=file)
        if answer.status_code == 200:
            return self._understood(answer)
        if answer.status_code in _BUSY:
            broke = answer.status_code == 500
            what = "broke off" if broke else "is busy"
            raise ServerAwayError(f"the transcription server {self.base} {what}: {_said(answer)}", over_this=broke)
        if answer.status_code in (401, 403):
            raise ServerClosedError(self._unwelcome(answer))
        # Servers of many makers say only in words that they have no such model.
        if answer.is_redirect or answer.status_code in (404, 405) or "model" in _said(answer).lower():
            raise ServerClosedError(
                f"{self.base} has no transcription with the model {self._model!r}: {_said(answer)}; see [transcriber]"
            )
        raise ServerRefusedError(f"the transcription server {self.base} refused the speech: {_said(answer)}")

    async def _send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> httpx.Response:
        headers = dict(headers or {})
        self._believed.follow()
        if self._token_file is not None:
            # Read each time: a token that was replaced counts at once.
            headers["Authorization"] = f"Bearer {read_secret(self._token_file, 'the transcription token')}"
        try:
            # httpx bounds each read; this bounds a server that drips.
            async with (
                asyncio.timeout(self._timeout_s + _CONNECT_S),
                self._http.stream(method, self.base + path, headers=headers, **kwargs) as answer,
            ):
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _MOST_ANSWER_BYTES:
                        raise ServerRefusedError(f"the transcription server {self.base} answers without end")
                return httpx.Response(answer.status_code, content=bytes(body))
        except (httpx.ReadTimeout, TimeoutError) as error:
            late = f"the transcription server {self.base} did not answer in time"
            raise ServerAwayError(late, over_this=True) from error
        except httpx.InvalidURL as error:
            raise ConfigError(f"{self.base} is no address of a transcription server: {error}") from error
        except httpx.HTTPError as error:
            raise ServerAwayError(f"the transcription server {self.base} cannot be reached: {error}") from error

    def _understood(self, answer: httpx.Response) -> dict[str, Any]:
        value = _read(answer)
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            raise ServerRefusedError(f"the transcription server {self.base} answered what is no transcription")
        return value

    def _unwelcome(self, answer: httpx.Response) -> str:
        advice = "check its token" if self._token_file else "name its token in [transcriber] token_file"
        return f"the transcription server {self.base} does not let us in (HTTP {answer.status_code}); {advice}"


def parse_transcription(answer: dict[str, Any], seconds: float, *, interim: bool) -> Transcription:
    """Read a server's `verbose_json`, as far as it goes. Raises `ServerRefusedError` when it is malformed."""
    try:
        segments = [s for s in answer.get("segments") or [] if isinstance(s, dict)]
        spoken = list(answer.get("words") or [w for s in segments for w in s.get("words") or []])
        logs = [float(s["avg_logprob"]) for s in segments if s.get("avg_logprob")]  # 0 is nobody's
        sure = sum(map(probability_of, logs)) / len(logs) if logs else UNKNOWN_PROBABILITY  # 0…1, whatever was said
        if spoken:
            pieces = [_word(w["word"], w, sure) for w in spoken]
        else:
            parts = [_word(s["text"], s, sure) for s in segments if "start" in s]
            pieces = [piece for p in parts for piece in evenly_timed(p.text, p.start_s, p.end_s, p.probability)]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        why = printable(repr(error)[:200])
        raise ServerRefusedError(f"the transcription server's answer is malformed: {why}") from error
    return normalized(str(answer["text"]), pieces, seconds, interim=interim, confidence=round(sure, 3))


def _word(text: Any, timed: dict[str, Any], sure: float) -> Word:
    said = timed.get("probability")
    probability = sure if said is None else fraction(float(said))
    return Word(str(text), _second(timed["start"]), _second(timed["end"]), probability)


def _second(value: Any) -> float:
    seconds = float(value)
    if not 0 <= seconds < 3600:
        raise ValueError(f"{value!r} is no time")
    return seconds


def _wav(samples: Samples) -> bytes:
    body = io.BytesIO()
    with wave.open(body, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.clip(samples * 32768.0, -32768, 32767).astype(np.int16).tobytes())
    return body.getvalue()


def _said(answer: httpx.Response) -> str:
    """Return the server's own sentence, cut short."""
    value = _read(answer)
    if value is None:
        value = answer.text
    for key in ("error", "detail", "message"):
        if isinstance(value, dict) and key in value:
            value = value[key]
    if isinstance(value, dict):
        value = value.get("message", value)
    return printable(f"HTTP {answer.status_code} {str(value)[:200]}".strip())


def _read(answer: httpx.Response) -> Any:
    """The JSON of an answer; None for what is none, or is not taken from strangers. A NUL in the words is left out."""
    try:
        return read_strict(answer.content, limit=_MOST_ANSWER_BYTES, mend=True)
    except UnreadableError:
        return None
