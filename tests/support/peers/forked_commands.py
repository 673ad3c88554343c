"""The product's command in processes of their own, each forked from one that has read the program already.

Reading it takes seconds of a core, which tests that start and kill a center again and again would spend for nothing.
What runs is the command itself, with a process id, a memory and an end of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["wutong.cli", "server.service", __name__])


class ForkedCommand:
    """`wutong` with these arguments; what it says is appended to a file."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self._process: ForkServerProcess = _FORKS.Process(target=_run, args=(arguments, log), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """Of the process itself."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout_s: float | None = None) -> int:
        """Its exit code, once it has ended."""
        self._process.join(timeout_s)
        code = self._process.exitcode
        assert code is not None, "the process does not end"
        return code

    def kill(self) -> None:
        """End it without a word."""
        self._process.kill()

    def send_signal(self, number: signal.Signals) -> None:
        """As its supervisor would."""
        os.kill(self.pid, number)


def _run(arguments: list[str], log: Path) -> None:
    with log.open("ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = ["wutong", *arguments]
    from wutong.cli import main

    main()
