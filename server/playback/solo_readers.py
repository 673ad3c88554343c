"""The processes that take one seat out of the microphones' track (`server.playback.solo_worker`), for who listens.

Promises: nothing that a room has put into its sound reaches the center; a process has read for one listener alone, in
one hearing, so what one hearing has made of it no other hears; a question is answered within its time or the process is
ended. A process stays for the next piece until somebody else needs its place, or for `IDLE_S`. Refuses, with
`MediaError`, what the worker refuses, what crashes it, and what is larger than any honest stretch.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace

import structlog

from server.playback.ranges import MediaRange
from server.playback.solo_queue import AT_ONCE
from sync.errors import MediaError
from sync.runtime.process.child_process import ChildError, ChildProcess, module_command

log = structlog.get_logger(__name__)

WORKER = f"{__package__}.solo_worker"
PIECE_S = 20.0
"""To take a piece apart, the start of the process included."""
IDLE_S = 30.0
MAX_PIECE_BYTES = 64 * 1024 * 1024
"""Half a minute of sixteen microphones as they come, and more."""
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL")
"""All that a process is told of the center's own: where its libraries are."""
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(slots=True)
class _IdleReader:
    child: ChildProcess
    ends: asyncio.TimerHandle


class SoloReaders:
    """All methods belong to one event loop. Who asks waits for their turn before (`SoloQueue`)."""

    def __init__(self, most: int = AT_ONCE) -> None:
        self._most = most
        self._busy = 0
        self._idle: OrderedDict[Hashable, _IdleReader] = OrderedDict()
        self._ending: set[asyncio.Task[int]] = set()

    async def isolate(self, listener: Hashable, found: MediaRange, channel: int) -> MediaRange:
        """The same range with one channel alone; `MediaError`. Who stops waiting for it ends the process."""
        if len(found.data) > MAX_PIECE_BYTES:
            raise MediaError("这段话筒声音过大，无法单独播放 (this stretch is too large to be taken apart)")
        self._busy += 1
        child: ChildProcess | None = None
        try:
            async with asyncio.timeout(PIECE_S):
                child = await self._reader(listener)
                alone = await _ask(child, found.data, channel)
        except (ChildError, TimeoutError) as error:
            words = [] if child is None else list(child.stderr)[-1:]
            log.warning("seat_not_isolated", why=str(error) or "no answer in time", said=words)
            raise MediaError("这段话筒声音无法解码 (this stretch cannot be decoded)") from error
        else:
            assert child is not None
            self._keep(listener, child)
            child = None  # it waits for the next piece now
        finally:
            self._busy -= 1
            if child is not None:
                await child.end()
        if isinstance(alone, MediaError):
            raise alone
        return replace(found, data=alone)

    async def close(self) -> None:
        """End all of them."""
        while self._idle:
            self._end(next(iter(self._idle)))
        await asyncio.gather(*self._ending)

    async def _reader(self, listener: Hashable) -> ChildProcess:
        mine = self._idle.pop(listener, None)
        if mine is not None:
            mine.ends.cancel()
            if mine.child.alive:
                return mine.child
            await mine.child.end()
        while self._idle and self._busy + len(self._idle) > self._most:
            self._end(next(iter(self._idle)))
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        return await ChildProcess.start(module_command(WORKER), environment={**environment, **_ONE_THREAD})

    def _keep(self, listener: Hashable, child: ChildProcess) -> None:
        loop = asyncio.get_running_loop()
        self._idle[listener] = _IdleReader(child, loop.call_later(IDLE_S, self._end, listener))

    def _end(self, listener: Hashable) -> None:
        idle = self._idle.pop(listener)
        idle.ends.cancel()
        task = asyncio.get_running_loop().create_task(idle.child.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


async def _ask(child: ChildProcess, data: bytes, channel: int) -> bytes | MediaError:
    """What was taken out, or why the worker refuses; `ChildError` when it has no answer that can be one."""
    await child.send({"channel": channel, "bytes": len(data)}, data)
    said = await child.receive()
    if said is None:
        raise ChildError("the process that takes sound apart has died")
    if "code" in said:
        # Two codes and no other: what a stretch has made of the worker must not speak for the center.
        code = "not-found" if said["code"] == "not-found" else None
        return MediaError(str(said.get("message"))[:500], code=code)
    length = said.get("bytes")
    if type(length) is not int or not 0 <= length <= MAX_PIECE_BYTES:
        raise ChildError("the process said what is no answer")
    return await child.receive_data(length)
