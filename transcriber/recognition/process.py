"""Keeps one model process alive and asks it: started again when it dies, killed when it hangs, replaced when it grows.

Promises: `ask` returns the words, however often the process has to be started again, except that samples which
killed or hung it `MAX_TRIES` times are given up with `EngineLostError`; at most two questions are asked at a time, one
about a finished turn and one for a caption, where the engine has a lane for each. An answer that nobody waits for any
more is thrown away when it comes; until then its lane is taken.
Refuses to retry what cannot get better: a model that does not load raises `ConfigError`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from sync.errors import ConfigError
from sync.text.strict_json import UnreadableError, read_strict
from transcriber.audio.pcm import RATE_HZ, Samples
from transcriber.recognition import worker
from transcriber.recognition.process_settings import ProcessSettings
from transcriber.recognition.recognizer import Cost, EngineLostError, Transcription
from transcriber.recognition.worker import HEAD, pack, transcription_from_json

log = structlog.get_logger(__name__)

MAX_TRIES = 3
LOAD_TIMEOUT_S = 120.0
_TIMEOUT_S = 30.0
_TIMEOUT_PER_SECOND_S = 4.0
_GROWTH = 2.0
_GROWTH_BYTES = 512 * 1024 * 1024
_RESTART_S = 0.5
_MAX_ANSWER_BYTES = 4 * 1024 * 1024


class _GoneError(Exception):
    """The process is gone or was killed for hanging."""


class EngineProcess:
    """The parent's end of the model process. All methods belong to one event loop."""

    def __init__(
        self,
        model: Path | ProcessSettings,
        *,
        on_state: Callable[[str, str], None] = lambda state, why: None,
    ) -> None:
        """`model`: what the process loads; a folder alone is one of the default engine.

        `on_state(state, why)` is called with `loading`, `ready` and `failed`.
        """
        settings = model if isinstance(model, ProcessSettings) else ProcessSettings(folder=str(model))
        self._command = [sys.executable, "-m", worker.__name__, settings.to_json()]
        self._on_state = on_state
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        finals = asyncio.Lock()
        self._lanes = {False: finals, True: asyncio.Lock() if settings.lanes > 1 else finals}
        """The lane of captions is at True, that of finished turns at False."""
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._forsaken: set[asyncio.Task[None]] = set()
        self._asked = 0
        self._fresh_bytes = 0
        self._rss_bytes = 0
        self.restarts = 0
        self.busy_s = 0.0
        """Seconds spent waiting for answers: the model's share of the time."""
        self.asked_s = 0.0
        """Seconds of sound that were asked about."""

    @property
    def parallel(self) -> bool:
        """Whether captions have a lane of their own."""
        return self._lanes[True] is not self._lanes[False]

    @property
    def pid(self) -> int | None:
        """The id of the model process, while there is one."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Load the model now, so that the first word does not wait for it."""
        for attempt in range(MAX_TRIES):
            try:
                await self._alive()
                return
            except _GoneError as death:
                log.warning("engine_not_loaded", why=str(death), attempt=attempt + 1)
        why = "the speech model's process ends while it loads; check the model's files and the free memory"
        self._on_state("failed", why)
        raise ConfigError(why)

    async def ask(
        self, samples: Samples, bias: str = "", *, interim: bool = False, turn: str = "", prefix: str = ""
    ) -> Transcription:
        """Return the words of `samples` (at most 29.5 s). Raises `EngineLostError` when they cannot be transcribed."""
        began = time.monotonic()
        answer = await self._answered(samples, {"interim": interim, "bias": bias, "prefix": prefix})
        try:
            engine_s = float(answer["engine_s"])
            # What is neither the engine's nor this process's is the wait for a lane, or for the process to start.
            lane_s = max(time.monotonic() - began - engine_s, 0.0)
            cost = Cost(lane_s, engine_s, float(answer["starved_s"]))
            return replace(transcription_from_json(answer["transcription"]), cost=cost)
        except (KeyError, TypeError, ValueError) as error:
            raise EngineLostError(f"the model process answered nonsense ({error!r}); the sound is kept") from error

    async def voiceprint(self, samples: Samples) -> tuple[float, ...]:
        """Return the print of who speaks, by the speaker model that the process has loaded."""
        answer = await self._answered(samples, {"voice": True})
        return tuple(float(value) for value in answer["voiceprint"])

    async def stop(self) -> None:
        """End the process, and wait for what it was still asked."""
        await self._kill()
        for task in list(self._forsaken):
            await task

    async def _answered(self, samples: Samples, question: dict[str, Any]) -> dict[str, Any]:
        lane = self._lanes[bool(question.get("interim"))]
        await lane.acquire()
        asked: asyncio.Future[dict[str, Any]] | None = None
        try:
            if self._grown() and not self._pending:
                log.info("engine_recycled", rss_bytes=self._rss_bytes)
                await self._kill()
            for attempt in range(MAX_TRIES):
                process = None
                try:
                    process = await self._alive()
                    asked = await self._send(process, samples, question)
                    return await self._wait(asked, samples)
                except _GoneError as death:
                    log.warning("engine_lost", why=str(death), attempt=attempt + 1)
                    await self._lost(process, str(death))
        finally:
            if asked is None or asked.done():
                lane.release()
            else:  # whoever asked is gone: the model is still at it
                task = asyncio.create_task(self._forsake(asked, lane, len(samples)))
                self._forsaken.add(task)
                task.add_done_callback(self._forsaken.discard)
        seconds = len(samples) / RATE_HZ
        raise EngineLostError(
            f"the speech model died {MAX_TRIES} times over {seconds:.0f} s of speech; the sound is kept"
        )

    async def _forsake(self, asked: asyncio.Future[dict[str, Any]], lane: asyncio.Lock, samples: int) -> None:
        process = self._process
        done, _ = await asyncio.wait([asked], timeout=_timeout_s(samples))
        if not done:
            await self._lost(process, "the model process did not answer what was asked for an abandoned caption")
        asked.exception()  # nobody is left to hear of it
        lane.release()

    async def _lost(self, process: asyncio.subprocess.Process | None, why: str) -> None:
        """Be rid of a process that died or hangs; the second one to notice finds it done."""
        if process is None or process is self._process:
            self.restarts += 1
            self._on_state("loading", why)
            await self._kill()
        await asyncio.sleep(_RESTART_S)

    def _grown(self) -> bool:
        return bool(self._fresh_bytes) and self._rss_bytes > _GROWTH * self._fresh_bytes + _GROWTH_BYTES

    async def _alive(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._process is not None and self._process.returncode is None:
                return self._process
            await self._kill()
            self._on_state("loading", "")
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
            try:
                async with asyncio.timeout(LOAD_TIMEOUT_S):
                    answer = await _read(process)
            except TimeoutError:
                await self._kill()
                raise _GoneError(f"the model process did not load within {LOAD_TIMEOUT_S:.0f} s") from None
            except (_GoneError, asyncio.CancelledError):
                await self._kill()
                raise
            if "error" in answer:
                await self._kill()
                self._on_state("failed", str(answer["error"]))
                raise ConfigError(str(answer["error"]))
            self._fresh_bytes = self._rss_bytes = int(answer["rss_bytes"])
            self._reading = asyncio.create_task(self._read_for_ever(process))
            self._on_state("ready", "")
            return process

    async def _send(
        self, process: asyncio.subprocess.Process, samples: Samples, question: dict[str, Any]
    ) -> asyncio.Future[dict[str, Any]]:
        assert process.stdin is not None
        self._asked += 1
        pcm = np.clip(samples * 32768.0, -32768, 32767).astype(np.int16).tobytes()
        asked: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        try:
            # One call writes all of it: no other question can come between.
            process.stdin.write(pack({"id": self._asked} | question, pcm))
            self._pending[self._asked] = asked
            await process.stdin.drain()
        except (ConnectionError, RuntimeError) as error:
            asked.cancel()
            raise _GoneError("the model process was gone") from error
        return asked

    async def _wait(self, asked: asyncio.Future[dict[str, Any]], samples: Samples) -> dict[str, Any]:
        began = time.monotonic()
        timeout_s = _timeout_s(len(samples))
        try:
            async with asyncio.timeout(timeout_s):
                answer = await asyncio.shield(asked)
        except TimeoutError:
            asked.cancel()
            raise _GoneError(f"the model process did not answer within {timeout_s:.0f} s") from None
        self.busy_s += time.monotonic() - began
        self.asked_s += len(samples) / RATE_HZ
        self._rss_bytes = int(answer["rss_bytes"])
        return answer

    async def _read_for_ever(self, process: asyncio.subprocess.Process) -> None:
        why = "the model process was stopped"
        try:
            while True:
                answer = await _read(process)
                number = answer.get("id")
                asked = self._pending.pop(number, None) if type(number) is int else None
                if asked is not None and not asked.done():
                    asked.set_result(answer)
        except _GoneError as death:
            why = str(death)
        finally:
            pending, self._pending = self._pending, {}
            for asked in pending.values():
                if not asked.done():
                    asked.set_exception(_GoneError(why))

    async def _kill(self) -> None:
        process, self._process = self._process, None
        reading, self._reading = self._reading, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if reading is not None:
            await asyncio.wait([reading])


def _timeout_s(samples: int) -> float:
    return _TIMEOUT_S + _TIMEOUT_PER_SECOND_S * samples / RATE_HZ


async def _read(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    try:
        text, _ = HEAD.unpack(await process.stdout.readexactly(HEAD.size))
        if text > _MAX_ANSWER_BYTES:
            raise _GoneError("the model process answered nonsense")
        answer: dict[str, Any] = read_strict(await process.stdout.readexactly(text), limit=_MAX_ANSWER_BYTES, mend=True)
        if not isinstance(answer, dict) or not ("error" in answer or type(answer.get("rss_bytes")) is int):
            raise _GoneError("the model process answered nonsense")
        return answer
    except asyncio.IncompleteReadError:
        raise _GoneError("the model process was killed or died") from None
    except UnreadableError as error:
        raise _GoneError(f"the model process answered nonsense: {error}") from None
