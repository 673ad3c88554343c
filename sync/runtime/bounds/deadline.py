"""One time by which a conversation over a blocking socket is over, however many pieces it comes in.

A socket's own time-out is for each call: who says a byte now and then is listened to for ever.
"""

from __future__ import annotations

import socket
import time


class Deadline:
    """Begins when it is made."""

    def __init__(self, within_s: float) -> None:
        self._until_s = time.monotonic() + within_s

    def holds(self, line: socket.socket) -> socket.socket:
        """`line`, whose next call ends by then; `TimeoutError` when it is over."""
        left_s = self._until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("no whole answer in time")
        line.settimeout(left_s)
        return line
