"""A child process that is spoken to in lines of JSON, with bytes behind them if need be, and dies with its parent.

Promises: whatever the child does, the parent is not held up: lines are bounded and read as those of a stranger, since
some children read foreign files and may be taken over, and `end` is sure to leave no process behind. What it says on
stderr is drained and only its last lines are kept, unless it goes to the parent's own log. Refuses to start it again:
when and how often is for its owner to say.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from types import ModuleType
from typing import Any, Self

from sync.errors import WutongError
from sync.runtime.process.processes import die_with_parent
from sync.text.strict_json import read_strict

LINE_BYTES = 256 * 1024
"""Of what a child says, unless its owner expects more."""
STDERR_LINES = 20
STDERR_CHARS = 500


class ChildError(WutongError):
    """The child said what is no line of JSON, said nothing in time, or is gone."""

    code = "child"


def module_command(module: ModuleType | str, *arguments: str) -> list[str]:
    """The command that runs a module of ours in a process of its own: `python -m …`."""
    name = module if isinstance(module, str) else module.__name__
    return [sys.executable, "-m", name, *arguments]


class ChildProcess:
    """One running child. All methods belong to one event loop."""

    def __init__(self, process: asyncio.subprocess.Process, *, line_bytes: int = LINE_BYTES) -> None:
        self._process = process
        self._line_bytes = line_bytes
        self._ending = False
        self.stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self._draining = asyncio.create_task(self._drain(process.stderr)) if process.stderr is not None else None

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        logs: bool = False,
        line_bytes: int = LINE_BYTES,
    ) -> Self:
        """Start it; `ChildError` when that cannot be done. `logs`: its stderr is the parent's own. `line_bytes`: of the
        longest line that it says."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=None if logs else asyncio.subprocess.PIPE,
                limit=line_bytes,
                env=environment,
                preexec_fn=die_with_parent,
            )
        except OSError as error:
            raise ChildError(f"{command[0]} cannot be started: {error.strerror}") from error
        return cls(process, line_bytes=line_bytes)

    @property
    def pid(self) -> int:
        """Of the process, also after its end."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet, and nobody has begun to end it: who did may have been called away before the
        end was known, and what it says from then on is nobody's answer."""
        return not self._ending and self._process.returncode is None

    async def send(self, value: object, data: bytes = b"") -> None:
        """Say one line to it, and `data` behind it; `ChildError` when it is gone."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(value, ensure_ascii=False).encode() + b"\n" + data)
            await self._process.stdin.drain()
        except (OSError, RuntimeError) as error:
            raise ChildError(f"the process is gone: {error}") from error

    def finish(self) -> None:
        """Nothing more will be said to it: its stdin ends."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def receive(self) -> dict[str, Any] | None:
        """The next line that it says; None when it has ended. `ChildError` for what is no object of JSON, or JSON that
        is not taken from strangers (`sync.text.strict_json`)."""
        assert self._process.stdout is not None
        try:
            line = await self._process.stdout.readline()
            if not line:
                return None
            value = read_strict(line, limit=self._line_bytes)
        except ValueError as error:  # a line that is too long is a ValueError, too
            raise ChildError(f"the process said what is no line of JSON: {error}") from error
        if not isinstance(value, dict):
            raise ChildError("the process said a line of JSON that is no object")
        return value

    async def receive_data(self, length: int) -> bytes:
        """So many bytes that it says behind a line; `ChildError` when it ends before."""
        assert self._process.stdout is not None
        try:
            return await self._process.stdout.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise ChildError(f"the process ended after {len(error.partial)} of {length} bytes") from error

    async def lines(self) -> AsyncIterator[dict[str, Any]]:
        """All that it says until it ends; `ChildError` as for `receive`."""
        while (value := await self.receive()) is not None:
            yield value

    async def ended(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        code = await self._process.wait()
        if self._draining is not None:
            await self._draining
        return code

    async def end(self) -> int:
        """Kill it if it still runs; the exit code."""
        self._ending = True
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        return await self.ended()

    async def _drain(self, stderr: asyncio.StreamReader) -> None:
        """Keep the pipe empty: a child that waits for somebody to read its stderr does nothing else any more."""
        rest = b""
        while data := await stderr.read(64 * 1024):
            *lines, rest = (rest + data).split(b"\n")
            self._note(lines[-STDERR_LINES:])
            rest = rest[: 4 * STDERR_CHARS]
        self._note([rest])

    def _note(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            text = line[: 4 * STDERR_CHARS].decode("utf-8", "replace").strip()
            if text:
                self.stderr.append(text[:STDERR_CHARS])
