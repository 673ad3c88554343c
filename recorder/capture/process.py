"""One run of a worker process: started with a pipe for each track and one for reports, watched, and ended for sure.

Its stderr is drained and only its last lines are kept; passwords in addresses are masked. The process dies with this
service (`PR_SET_PDEATHSIG`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum, auto
from pathlib import Path

import structlog

from hardware.camera_address import masked
from hardware.drivers.last_words import explained
from sync.errors import DeviceError, MediaError
from sync.runtime.process.processes import die_with_parent

log = structlog.get_logger(__name__)

STDERR_LINES = 20
LINE_BYTES = 64 * 1024


class EndCode(Enum):
    """What ended a run."""

    FAILED = auto()
    """The process, or what it sent."""
    STALLED = auto()
    """It sent no media in time."""


class _Pipe(asyncio.Protocol):
    """Hands on what comes from a pipe; what the receiver cannot make sense of ends the run."""

    def __init__(self, take: Callable[[bytes], None], end: Callable[[str, str], None]) -> None:
        self._take = take
        self._end = end
        self._over = False

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        try:
            self._take(data)
        except (MediaError, DeviceError) as error:
            self._over = True
            self._end(error.message, error.code)
        except Exception:  # a defect of ours, or bytes that nobody thought of: the run ends, and says why
            log.exception("media_not_taken", bytes=len(data))
            self._over = True
            self._end("设备送来的数据无法处理，重新启动该设备", "stream")


class _Lines:
    """Bytes to lines; a line without end is cut."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-LINE_BYTES:]
        for line in lines:
            if line:
                self._take(line[:LINE_BYTES])


class WorkerProcess:
    """A worker. `ended` is set, with `code` and `why`, when it is over; `stop` makes sure of it."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.code = EndCode.FAILED
        self.why = ""
        """The reason, for people."""
        self.fault = ""
        """The device's own code for it (`hardware.drivers`), where it has one."""
        self.stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._transports: list[asyncio.ReadTransport] = []
        self._waiter: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the running process."""
        return None if self._process is None else self._process.pid

    def waited_ns(self) -> int:
        """How long the worker and its child have stood in line for a processor so far (0 where the kernel hides it)."""
        if self._process is None:
            return 0
        pid = self._process.pid
        total = 0
        with contextlib.suppress(OSError, ValueError, IndexError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
            for one in (str(pid), *children):
                for thread in Path(f"/proc/{one}/task").iterdir():
                    total += int((thread / "schedstat").read_text(encoding="ascii").split()[1])
        return total

    async def start(
        self,
        command: Callable[[Sequence[int], int], list[str]],
        media: Sequence[Callable[[bytes], None]],
        report: Callable[[bytes], None],
        secret: str = "",
    ) -> None:
        """Start it; `media[i]` gets the bytes of pipe i, `report` each line of the reports.

        `secret` is what it reads on its stdin: nobody else on the machine sees it, as they see a command line.
        """
        takers = [*media, _Lines(report).feed]
        pipes = [os.pipe() for _ in takers]
        writing = [w for _, w in pipes]
        try:
            for fd in writing:
                os.set_inheritable(fd, True)
            self._process = await asyncio.create_subprocess_exec(
                *command(writing[:-1], writing[-1]),
                stdin=asyncio.subprocess.PIPE if secret else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=writing,
                preexec_fn=die_with_parent,
            )
        except OSError as error:
            for reading, _ in pipes:
                os.close(reading)
            raise DeviceError(f"无法启动设备进程：{error.strerror}") from error
        finally:
            for fd in writing:
                os.close(fd)
        if self._process.stdin is not None:  # below a pipe's size, so nothing waits
            self._process.stdin.write(secret.encode())
            self._process.stdin.close()
        loop = asyncio.get_running_loop()
        for (reading, _), take in zip(pipes, takers, strict=True):
            transport, _ = await loop.connect_read_pipe(
                lambda take=take: _Pipe(take, lambda why, fault: self.end(why, fault=fault)),  # type: ignore[misc] # binds the loop's variable
                os.fdopen(reading, "rb", buffering=0),
            )
            self._transports.append(transport)
        self._waiter = loop.create_task(self._watch())

    def end(self, why: str, code: EndCode = EndCode.FAILED, fault: str = "") -> None:
        """Note the first reason for which this run is over."""
        if not self.why:
            self.code, self.why, self.fault = code, why, fault
        self.ended.set()

    async def _watch(self) -> None:
        process = self._process
        assert process is not None
        assert process.stderr is not None
        rest = b""
        while data := await process.stderr.read(LINE_BYTES):
            # Whole lines only, so that no password is cut from what tells that it is one; of a flood, the end.
            *lines, rest = (rest + data).split(b"\n")
            self._keep_lines(lines[-STDERR_LINES:])
            rest = rest[:LINE_BYTES]
        self._keep_lines([rest])
        code = await process.wait()
        await asyncio.sleep(0.05)  # a last report may still be in its pipe
        if code < 0:
            self.end(f"设备进程被信号 {-code} 终止")
        else:
            fault, words = explained(list(self.stderr))
            self.end(f"设备进程退出（{code}）" + (f"：{words}" if words else ""), fault=fault)

    def _keep_lines(self, lines: list[bytes]) -> None:
        for line in lines:
            text = line[:2000].decode("utf-8", "replace").strip()
            if text:
                self.stderr.append(masked(text)[:500])

    async def stop(self) -> None:
        """Kill it if it still runs, and let go of its pipes."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        for transport in self._transports:
            transport.close()
        if self._process is not None:
            await self._process.wait()
        if self._waiter is not None:
            self._waiter.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._waiter
