"""Keeps one model process alive and asks it: started again when it dies, killed when it hangs, replaced when it grows.

Promises: `ask` returns the words, however often the process has to be started again, except that samples which
killed or hung it `MAX_TRIES` times are given up with `EngineLostError`; one question at a time is asked.
Refuses to retry what cannot get better: a model that does not load raises `ConfigError`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from sync.errors import ConfigError, WutongError
from transcriber.engine import RATE_HZ, Heard, Samples
from transcriber.engines.local import Local
from transcriber.worker import HEAD, heard_from_json, pack

log = structlog.get_logger(__name__)

MAX_TRIES = 3
LOAD_TIMEOUT_S = 120.0
_TIMEOUT_S = 30.0
_TIMEOUT_PER_SECOND_S = 4.0
_GROWTH = 2.0
_GROWTH_BYTES = 512 * 1024 * 1024
_RESTART_S = 0.5
_MAX_ANSWER_BYTES = 4 * 1024 * 1024


class EngineLostError(WutongError):
    """The model process died or hung over the same samples again and again."""

    code = "engine"


class _GoneError(Exception):
    """The process is gone or was killed for hanging."""


class Owner:
    """The parent's end of the model process. All methods belong to one event loop."""

    def __init__(
        self,
        model: Path | Local,
        *,
        on_state: Callable[[str, str], None] = lambda state, why: None,
    ) -> None:
        """`model`: what the process loads; a folder alone is one of the default engine.

        `on_state(state, why)` hears `loading`, `ready` and `failed`.
        """
        settings = model if isinstance(model, Local) else Local(folder=str(model))
        self._command = [sys.executable, "-m", "transcriber.worker", settings.to_json()]
        self._on_state = on_state
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._asked = 0
        self._fresh_bytes = 0
        self._rss_bytes = 0
        self.restarts = 0
        self.busy_s = 0.0
        """Seconds spent waiting for answers: the model's share of the time."""
        self.heard_s = 0.0
        """Seconds of sound that were asked about."""

    @property
    def parallel(self) -> bool:
        """One question at a time."""
        return False

    @property
    def pid(self) -> int | None:
        """The model process, while there is one."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Load the model now, so that the first word does not wait for it."""
        async with self._lock:
            for attempt in range(MAX_TRIES):
                try:
                    return await self._alive()
                except _GoneError as death:
                    log.warning("engine_not_loaded", why=str(death), attempt=attempt + 1)
                    await self._kill()
            why = "the speech model's process ends while it loads; check the model's files and the free memory"
            self._on_state("failed", why)
            raise ConfigError(why)

    async def ask(
        self, samples: Samples, bias: str = "", *, quick: bool = False, turn: str = "", prefix: str = ""
    ) -> Heard:
        """Words of `samples` (16 kHz, at most 29.5 s). `EngineLostError` when these samples cannot be transcribed."""
        answer = await self._answered(samples, {"quick": quick, "bias": bias, "prefix": prefix})
        return heard_from_json(answer["heard"])

    async def voiceprint(self, samples: Samples) -> tuple[float, ...]:
        """Who speaks, by the speaker model that the process has loaded."""
        answer = await self._answered(samples, {"voice": True})
        return tuple(float(value) for value in answer["voiceprint"])

    async def _answered(self, samples: Samples, question: dict[str, Any]) -> dict[str, Any]:
        async with self._lock:
            if self._grown():
                log.info("engine_recycled", rss_bytes=self._rss_bytes)
                await self._kill()
            for attempt in range(MAX_TRIES):
                try:
                    await self._alive()
                    return await self._ask(samples, question)
                except _GoneError as death:
                    self.restarts += 1
                    log.warning("engine_lost", why=str(death), attempt=attempt + 1)
                    self._on_state("loading", str(death))
                    await self._kill()
                    await asyncio.sleep(_RESTART_S)
        seconds = len(samples) / RATE_HZ
        raise EngineLostError(
            f"the speech model died {MAX_TRIES} times over {seconds:.0f} s of speech; the sound is kept"
        )

    async def stop(self) -> None:
        """End the process."""
        await self._kill()

    def _grown(self) -> bool:
        return bool(self._fresh_bytes) and self._rss_bytes > _GROWTH * self._fresh_bytes + _GROWTH_BYTES

    async def _alive(self) -> None:
        if self._process is not None and self._process.returncode is None:
            return
        self._on_state("loading", "")
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        answer = await self._answer(LOAD_TIMEOUT_S)
        if "error" in answer:
            await self._kill()
            self._on_state("failed", str(answer["error"]))
            raise ConfigError(str(answer["error"]))
        self._fresh_bytes = self._rss_bytes = int(answer["rss_bytes"])
        self._on_state("ready", "")

    async def _ask(self, samples: Samples, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        self._asked += 1
        pcm = np.clip(samples * 32768.0, -32768, 32767).astype(np.int16).tobytes()
        began = time.monotonic()
        seconds = len(samples) / RATE_HZ
        try:
            self._process.stdin.write(pack({"id": self._asked} | question, pcm))
            await self._process.stdin.drain()
        except (ConnectionError, RuntimeError) as error:
            raise _GoneError("the model process was gone") from error
        answer = await self._answer(_TIMEOUT_S + _TIMEOUT_PER_SECOND_S * seconds)
        self.busy_s += time.monotonic() - began
        self.heard_s += seconds
        self._rss_bytes = int(answer["rss_bytes"])
        if answer.get("id") != self._asked:
            raise _GoneError("the model process answered another question")
        return answer

    async def _answer(self, timeout_s: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(timeout_s):
                text, _ = HEAD.unpack(await self._process.stdout.readexactly(HEAD.size))
                if text > _MAX_ANSWER_BYTES:
                    raise _GoneError("the model process answered nonsense")
                answer: dict[str, Any] = json.loads(await self._process.stdout.readexactly(text))
                return answer
        except TimeoutError:
            raise _GoneError(f"the model process did not answer within {timeout_s:.0f} s") from None
        except asyncio.IncompleteReadError:
            raise _GoneError("the model process was killed or died") from None
        except asyncio.CancelledError:
            # The answer that is on its way belongs to nobody now; the next asker must not get it.
            await asyncio.shield(self._kill())
            raise

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
