"""A pool of transcription servers for many rooms: any of them may fail, and words still come.

Promises: a finished turn is asked of the least loaded server that is well, and of another when that one fails; it is
given up only when servers that were well could not do it `MAX_TRIES` times, or every one of them refused it, and
otherwise waits, sound kept, until one is back. A refusal is only believed of a server that takes as much silence, and
has ever taken a turn or refused fewer than `_REFUSALS`: else it is the settings that are wrong, the status says so, and
no word is given up. Captions of one turn go to one server (its caches help, its words agree), at most two at a time on
each, and never where a finished turn is being transcribed; a finished turn waits for no caption. Who failed is asked
every few seconds whether it is back.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from sync.errors import ConfigError, WutongError
from transcriber.audio.pcm import RATE_HZ, Samples
from transcriber.recognition.openai_client import OpenAIClient, ServerAwayError, ServerClosedError, ServerRefusedError
from transcriber.recognition.process import MAX_TRIES, EngineProcess
from transcriber.recognition.recognizer import EngineLostError, Transcription

log = structlog.get_logger(__name__)

_CAPTIONS = 2
_TURNS = 256
_PROBE_EVERY_S = 3.0
_REFUSALS = 3
"""A server that refuses so many turns in a row and never took one is set wrongly, whatever it does with silence."""
_SILENCE_S = 1.0
_AGAIN_S = 60.0
"""A server that takes silence and no speech is given a turn again after this."""


@dataclass(slots=True, eq=False)
class _Server:
    client: OpenAIClient
    well: bool = True
    why: str = ""
    finals: int = 0
    captions: int = 0
    took: bool = False
    """It has turned speech into words since this room asks it."""
    refused: int = 0
    """So many turns in a row it did not take."""
    silence_s: float = _SILENCE_S
    """How much silence it must take to be well: as much as the speech that it refused."""
    closed_until: float = 0.0
    """Not before this (monotonic) is it asked again."""
    answered_s: float = 0.0
    """How long its answers take, smoothed."""

    @property
    def load(self) -> tuple[int, int, float]:
        """Less is better: finished turns count before captions, captions before speed."""
        return self.finals, self.captions, self.answered_s


class ServerPool:
    """The `Recognizer` of a room whose words come from servers. All methods belong to one event loop."""

    def __init__(
        self,
        clients: Sequence[OpenAIClient],
        *,
        speaker: EngineProcess | None = None,
        on_state: Callable[[str, str], None] = lambda state, why: None,
    ) -> None:
        """`speaker` is the process with the speaker model; `on_state` is given `loading`, `ready` and `failed`."""
        self._servers = [_Server(client) for client in clients]
        self._speaker = speaker
        self._on_state = on_state
        self._state = ("", "")
        self._turns: OrderedDict[str, _Server] = OrderedDict()
        self._back = asyncio.Event()
        self._probing: asyncio.Task[None] | None = None
        self.restarts = 0
        self.busy_s = 0.0
        self.asked_s = 0.0

    @property
    def pid(self) -> int | None:
        """The speaker model's process, if any: the words are made elsewhere."""
        return None if self._speaker is None else self._speaker.pid

    @property
    def parallel(self) -> bool:
        """Servers answer side by side."""
        return True

    async def start(self) -> None:
        """Find out who is well. Servers that are away are no error: they are asked again and again."""
        self._publish_state("loading", "")
        await asyncio.gather(*(self._probe(server) for server in self._servers))
        self._update_state()
        if self._probing is None:
            self._probing = asyncio.create_task(self._probe_for_ever())
        if self._speaker is not None:
            await self._speaker.start()

    async def ask(
        self, samples: Samples, bias: str = "", *, interim: bool = False, turn: str = "", prefix: str = ""
    ) -> Transcription:
        """Words of `samples`. A caption is empty when no server has time for it; a finished turn waits."""
        began = time.monotonic()
        try:
            return await (self._caption(samples, bias, turn) if interim else self._final(samples, bias))
        finally:
            self.busy_s += time.monotonic() - began
            self.asked_s += len(samples) / RATE_HZ

    async def voiceprint(self, samples: Samples) -> tuple[float, ...]:
        """Return the print of who speaks, by the speaker model of this machine."""
        return () if self._speaker is None else await self._speaker.voiceprint(samples)

    async def stop(self) -> None:
        """Close the connections to all servers."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)
            self._probing = None
        await asyncio.gather(*(server.client.close() for server in self._servers))
        if self._speaker is not None:
            await self._speaker.stop()

    async def _final(self, samples: Samples, bias: str) -> Transcription:
        refused: set[int] = set()
        spoilt = 0
        why = ""
        while True:
            server = min(self._well(refused), key=lambda s: s.load, default=None)
            if server is None:
                if refused:
                    raise EngineLostError(f"no transcription server takes this speech: {why}; the sound is kept")
                await self._wait_for_one()
                continue
            server.finals += 1
            began = time.monotonic()
            try:
                transcription = await server.client.transcribe(samples, bias)
            except ServerRefusedError as error:
                if await self._is_set_wrongly(server, error, len(samples) / RATE_HZ):
                    continue
                refused.add(id(server))
                why = error.message
                log.warning("speech_refused", server=server.client.base, why=error.message)
                if len(refused) >= MAX_TRIES:
                    raise EngineLostError(f"{why}; the sound is kept") from error
            except (ServerAwayError, ServerClosedError, ConfigError) as error:
                self._lost(server, error)
                spoilt += isinstance(error, ServerAwayError) and error.over_this
                if spoilt >= MAX_TRIES:
                    raise EngineLostError(f"{error.message}, {spoilt} times; the sound is kept") from error
            else:
                taken = time.monotonic() - began
                server.answered_s += 0.3 * (taken - server.answered_s)
                server.took, server.refused, server.silence_s = True, 0, _SILENCE_S
                return transcription
            finally:
                server.finals -= 1

    async def _caption(self, samples: Samples, bias: str, turn: str) -> Transcription:
        server = self._turns.get(turn)
        if server is None or not server.well:
            free = [s for s in self._well(set()) if not s.finals and s.captions < _CAPTIONS]
            server = min(free, key=lambda s: s.load, default=None)
            if server is None:
                return Transcription(why="no server has time for captions")
            self._turns[turn] = server
            while len(self._turns) > _TURNS:
                self._turns.popitem(last=False)
        elif server.finals or server.captions >= _CAPTIONS:
            return Transcription(why="the server has no time for captions")
        self._turns.move_to_end(turn)
        server.captions += 1
        try:
            return await server.client.transcribe(samples, bias, interim=True)
        except ServerRefusedError as error:
            return Transcription(why=error.message)
        except (ServerAwayError, ServerClosedError, ConfigError) as error:
            self._lost(server, error)
            return Transcription(why=error.message)
        finally:
            server.captions -= 1

    async def _is_set_wrongly(self, server: _Server, error: ServerRefusedError, seconds: float) -> bool:
        """Whether it was the server and not this speech; then it is not well until that was put right."""
        server.refused += 1
        server.silence_s = max(seconds, _SILENCE_S)
        try:
            await server.client.probe(server.silence_s)
        except (ServerAwayError, ServerClosedError, ServerRefusedError, ConfigError) as wrong:
            self._lost(server, wrong)
            return True
        if server.took or server.refused < _REFUSALS:
            return False
        why = f"{error.message}; it refused the last {server.refused} turns and never took one: check [transcriber]"
        server.closed_until = time.monotonic() + _AGAIN_S
        self._lost(server, ServerClosedError(why))
        return True

    def _well(self, besides: set[int]) -> list[_Server]:
        return [server for server in self._servers if server.well and id(server) not in besides]

    def _lost(self, server: _Server, error: WutongError) -> None:
        self.restarts += 1
        server.well, server.why = False, error.message
        log.warning("server_lost", server=server.client.base, why=error.message)
        self._update_state()

    async def _wait_for_one(self) -> None:
        self._back.clear()
        self._update_state()
        await self._back.wait()

    async def _probe_for_ever(self) -> None:
        """Ask those that failed whether they are back. Those that are well are asked enough by the work itself."""
        while True:
            await asyncio.sleep(_PROBE_EVERY_S)
            await asyncio.gather(*(self._probe(server) for server in self._servers if not server.well))
            self._update_state()

    async def _probe(self, server: _Server) -> None:
        if time.monotonic() < server.closed_until:
            return
        try:
            await server.client.probe(server.silence_s)
        except WutongError as error:
            if server.why != error.message:
                log.warning("server_not_well", server=server.client.base, why=error.message)
            server.well, server.why = False, error.message
            return
        if not server.well:
            log.info("server_back", server=server.client.base)
        server.well, server.why = True, ""
        self._back.set()

    def _update_state(self) -> None:
        well = [server for server in self._servers if server.well]
        away = "; ".join(server.why for server in self._servers if not server.well)
        self._publish_state("ready" if well else "failed", away)

    def _publish_state(self, state: str, why: str) -> None:
        if (state, why) != self._state:
            self._state = (state, why)
            self._on_state(state, why)
