"""Confidence monitoring: every closed segment is decoded again from the disk and compared with its live meters.

Promises: nothing of it runs on the recorder's event loop but the passing of one line each way; one file at a time, in a
process of low priority; a difference is an alarm `readback` of the track, cleared by its next file that is right. It
refuses to pile up work: what waits too long is skipped, and that is an alarm.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from recorder.readback.job import Job
from sync.runtime.process.child_process import ChildError, ChildProcess, module_command
from sync.text.printable import printable

log = structlog.get_logger(__name__)

MAX_WAITING = 64
JOB_S = 60.0
"""A file of ten minutes takes some seconds; longer than this, the disk or the process hangs."""
MOST_FOUND = 20
MOST_CHARACTERS = 300
"""Of one difference."""
WORKER = f"{__package__}.worker"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came out for one segment; `found` is empty when the file is right."""

    hearing: str
    track: str
    index: int
    found: tuple[str, ...]


class ReadBackQueue:
    """Serves all tracks of a room. All methods belong to one event loop."""

    def __init__(self, notify: Callable[[Checked], None], behind: Callable[[int], None]) -> None:
        """`behind(n)`: n files were skipped since it last kept up; 0 when it keeps up again."""
        self._notify = notify
        self._behind = behind
        self._waiting: deque[tuple[Checked, Callable[[], Job], float]] = deque()
        self._more = asyncio.Event()
        self._skipped = 0
        self.checked = 0
        self.longest_s = 0.0
        """From the close of a file until it was known to be right or wrong."""
        self._reader: ChildProcess | None = None

    @property
    def pid(self) -> int | None:
        """The number of the process that reads, while there is one."""
        return None if self._reader is None else self._reader.pid

    def check(self, hearing: str, track: str, index: int, job: Callable[[], Job]) -> None:
        """Look at a closed segment as soon as its turn comes; `job` is asked for then. Never waits."""
        self._waiting.append((Checked(hearing, track, index, ()), job, time.monotonic()))
        if len(self._waiting) > MAX_WAITING:
            skipped, _, _ = self._waiting.popleft()
            self._skipped += 1
            log.warning("readback_skipped", track=skipped.track, index=skipped.index)
            self._behind(self._skipped)
        self._more.set()

    async def run(self) -> None:
        """Run until it is canceled."""
        try:
            while True:
                await self._more.wait()
                while self._waiting:
                    what, job, since = self._waiting.popleft()
                    found = await self._ask(job())
                    self.checked += 1
                    self.longest_s = max(self.longest_s, time.monotonic() - since)
                    if found:
                        log.error("readback_differs", track=what.track, index=what.index, found=found)
                    self._notify(Checked(what.hearing, what.track, what.index, tuple(found)))
                if self._skipped:
                    self._skipped = 0
                    self._behind(0)
                self._more.clear()
        finally:
            await self._end()

    async def _ask(self, job: Job) -> list[str]:
        for _ in range(2):  # a file that kills its reader twice cannot be read
            try:
                if self._reader is None:
                    self._reader = await ChildProcess.start(module_command(WORKER))
                async with asyncio.timeout(JOB_S):
                    await self._reader.send(json.loads(job.model_dump_json()))
                    answer = await self._reader.receive()
                if answer is not None:
                    return [printable(str(what)[:MOST_CHARACTERS]) for what in answer["found"][:MOST_FOUND]]
                why = "it has died"
            except TimeoutError:
                await self._end()
                return [f"{JOB_S:.0f} 秒内读不完，请检查磁盘"]
            except (ChildError, KeyError, TypeError) as error:
                why = str(error)
            stderr = [] if self._reader is None else list(self._reader.stderr)[-3:]
            log.warning("readback_restarted", file=str(job.path), why=why, stderr=stderr)
            await self._end()
        return ["读取它的进程异常退出"]

    async def _end(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.end()
