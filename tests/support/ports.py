"""Ports for the servers of tests: one that was given is nobody else's while this process of tests lives.

A port that is merely free now may be taken a moment later, by another test or as the near end of somebody's connection,
and a server that is killed and started again needs its own. So each process of tests has a thousand ports to itself,
below those that the system gives to connections, and gives them in turn.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path
from typing import TextIO

FIRST, EACH, SHARES = 10_000, 1000, 22
"""Linux gives ports from 32768 on to connections."""
STACK = 20
"""As many as a demo or a bench takes from its `port_base`."""


class PortShare:
    """The ports of this process."""

    def __init__(self) -> None:
        self._lock: TextIO | None = None
        self._share = self._next = 0

    def take(self, count: int) -> int:
        """The first of so many free ports, one behind the other."""
        if self._lock is None:
            self._lock = self._claim()
        for _ in range(EACH):
            if self._next + count > EACH:
                self._next = 0
            first = FIRST + self._share * EACH + self._next
            self._next += count
            if all(is_free(first + more) for more in range(count)):
                return first
        raise AssertionError("no ports are free")

    def _claim(self) -> TextIO:
        """The lock of the first share that is nobody's; the system gives it back when this process ends."""
        folder = Path(tempfile.gettempdir()) / f"wutong-test-ports-{os.getuid()}"
        folder.mkdir(exist_ok=True)
        for share in range(SHARES):
            file = (folder / str(share)).open("a")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                continue
            self._share = share
            return file
        raise AssertionError(f"{SHARES} processes of tests have all ports; end some of them")


def is_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_MINE = PortShare()


def free_port() -> int:
    """A port for one server."""
    return _MINE.take(1)


def free_ports(count: int = STACK) -> int:
    """The first of so many ports, one behind the other."""
    return _MINE.take(count)
