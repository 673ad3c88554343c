"""A process of the benchmark, told what to do in lines of JSON on its stdin; each order is answered by one line.

It leads a session of its own, so that Ctrl-C reaches the benchmark alone and the kernel weighs it as another machine's
work; it dies with the benchmark. It ends when it is told to, or when its stdin does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvloop

from sync.errors import WutongError
from sync.runtime.process.child_process import LINE_BYTES, ChildProcess, module_command
from sync.runtime.process.service import configure_logging

Order = Callable[[], Awaitable[Mapping[str, Any]]]
THREADS = 16
STOP_S = 8.0
ANSWER_S = 60.0


def serve(main: Callable[[Path], Awaitable[None]]) -> None:
    """Run `main` with the file of orders that the command line names."""
    os.setsid()
    configure_logging("bench")

    async def run() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        await main(Path(sys.argv[1]))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


async def obey(orders: Mapping[str, Order], *works: Awaitable[Any]) -> None:
    """Answer orders until `stop`; `works` go on meanwhile, and the first that fails ends the process."""
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def answer() -> None:
        while line := await reader.readline():
            what = str(json.loads(line)["do"])
            if what == "stop":
                return
            print(json.dumps(await orders[what]()), flush=True)

    answering = asyncio.ensure_future(answer())
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait([answering, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (answering, *tasks):
            task.cancel()
        await asyncio.gather(answering, *tasks, return_exceptions=True)


class OrderedProcess:
    """The benchmark's end of such a process."""

    def __init__(self, module: str, child: ChildProcess) -> None:
        self.module = module
        self._child = child

    @classmethod
    async def start(cls, module: str, orders: Path) -> OrderedProcess:
        """Run `module` with its file of orders; `ChildError` when it cannot be started."""
        environment = {**os.environ, "WUTONG_LOG": os.environ.get("WUTONG_LOG", "warning")}
        return cls(module, await ChildProcess.start(module_command(module, str(orders)), environment=environment))

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    async def ask(self, what: str) -> dict[str, Any]:
        """Its answer; `WutongError` with its last words when it has none."""
        answer: dict[str, Any] | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                await self._child.send({"do": what})
                answer = await self._child.receive()
        if answer is None:
            said = "; ".join(list(self._child.stderr)[-3:]) or "it said nothing"
            raise WutongError(f"a process of the benchmark ({self.module}) does not answer to {what}: {said}")
        return answer

    async def stop(self) -> None:
        """Have it end in order, and kill it when that takes too long."""
        with contextlib.suppress(WutongError, TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._child.send({"do": "stop"})
                await self._child.ended()
        await self._child.end()
