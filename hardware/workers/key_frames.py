"""When a camera is asked for a key frame: when none has come for a while, and never so often that it does harm.

Some cameras send a key frame every 10 to 50 seconds, and none for who comes anew. Until it comes, nobody who begins to
watch has a picture, a run cannot begin, and a file of the record cannot either.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sync.errors import DeviceError
from sync.runtime.units import NS_PER_S

FIRST_NS = NS_PER_S
"""A run that begins without a key frame waits so long for one before it asks."""
KEY_NS = 5 * NS_PER_S
"""Longer than what cameras are set to that are set well."""
ANSWER_NS = 3 * NS_PER_S
"""A key frame that comes within this time came because it was asked for."""
LEAST_NS = 10 * NS_PER_S
MOST_NS = 600 * NS_PER_S
"""After a question that led to nothing the next comes after `LEAST_NS`, and each further one after twice as long."""


class KeyFrameAsker:
    """Of one run of a camera. `picture` never waits: a thread asks, which ends with its process."""

    def __init__(self, ask: Callable[[], None], on_refused: Callable[[], None] = lambda: None) -> None:
        """`ask` asks once and blocks; `DeviceError` when it leads to nothing. With the code `password` it is not asked
        again: a camera locks an account after a few refusals. `on_refused` is called then, by `picture`."""
        self._ask = ask
        self._on_refused: Callable[[], None] | None = on_refused
        self._since_ns: int | None = None
        """When the last key frame came, or the first picture while there was none."""
        self._longest_ns = FIRST_NS
        self._asked_ns: int | None = None
        self._not_before_ns = 0
        self._pause_ns = LEAST_NS
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._refused = False

    def picture(self, now_ns: int, *, key_frame: bool) -> None:
        """A picture has come (`CLOCK_MONOTONIC`)."""
        if self._refused and self._on_refused is not None:
            self._on_refused()
            self._on_refused = None
        if key_frame:
            if self._asked_ns is not None and now_ns - self._asked_ns <= ANSWER_NS:
                self._not_before_ns, self._pause_ns = now_ns, LEAST_NS
            self._since_ns, self._longest_ns, self._asked_ns = now_ns, KEY_NS, None
            return
        if self._since_ns is None:
            self._since_ns = now_ns
        if now_ns - self._since_ns < self._longest_ns or now_ns < self._not_before_ns or self._refused:
            return
        self._asked_ns = now_ns
        self._not_before_ns = now_ns + self._pause_ns
        self._pause_ns = min(2 * self._pause_ns, MOST_NS)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="key-frames", daemon=True)
            self._thread.start()
        self._wanted.set()

    def _run(self) -> None:
        while not self._refused:
            self._wanted.wait()
            self._wanted.clear()
            try:
                self._ask()
            except DeviceError as error:
                self._refused = error.code == "password"
            except Exception:  # whatever a camera answers, it is asked again when the next key frame is late
                logging.getLogger(__name__).exception("a camera could not be asked for a key frame")
