"""ffmpeg below a worker process: raw media in, fragments out on pipes that the recorder handed down.

The child dies with its worker, and the worker with the recorder: no orphan holds a device after a crash.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from sync.errors import WutongError
from sync.runtime.process.processes import die_with_parent

_F_SETPIPE_SZ = 1031
_PIPE_BYTES = 1024 * 1024


class Encoder:
    """A running ffmpeg that is fed through `write`."""

    def __init__(self, command: Sequence[str], media_fds: Sequence[int]) -> None:
        self._process = subprocess.Popen(  # its stderr is ours: the recorder drains and bounds it
            list(command), stdin=subprocess.PIPE, pass_fds=media_fds, preexec_fn=die_with_parent
        )
        for fd in media_fds:
            os.close(fd)
        assert self._process.stdin is not None
        self._fd = self._process.stdin.fileno()
        with contextlib.suppress(OSError):  # fewer wake-ups; the default size works too
            fcntl.fcntl(self._fd, _F_SETPIPE_SZ, _PIPE_BYTES)

    def write(self, data: bytes | memoryview) -> None:
        """Hand over all of `data`; `BrokenPipeError` when ffmpeg has died."""
        view = memoryview(data).cast("B")
        while view:
            view = view[os.write(self._fd, view) :]

    def close(self) -> None:
        """Let ffmpeg write what it still holds, and wait for it."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def worker_started() -> None:
    """First thing in a worker: die with the recorder, and take one core's time modestly."""
    die_with_parent()
    if os.getppid() == 1:  # the recorder died before the line above
        sys.exit(1)


def run_worker(work: Callable[[], None]) -> None:
    """All of a worker process: `work`, and an end that says what was wrong."""
    worker_started()
    try:
        work()
    except WutongError as error:
        print(error.message, file=sys.stderr)  # noqa: T201 (the recorder logs it)
        sys.exit(2)
