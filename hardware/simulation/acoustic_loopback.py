"""The air of a simulated room: what its microphones hear of the loudspeaker.

`tone.json` beside the stage says it: `{"start_monotonic_ns", "test"}`, mixed into every channel from that moment on.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware import test_signal
from sync.runtime.units import NS_PER_S


def tone_file(stage: Path) -> Path:
    """Where a simulated room looks for a tone."""
    return stage.with_name("tone.json")


class ToneInTheAir:
    """What simulated microphones hear of the loudspeaker. Cheap enough for every block of sound."""

    def __init__(self, stage: Path, rate_hz: int) -> None:
        self._path = tone_file(stage)
        self._rate_hz = rate_hz
        self._seen: tuple[int, int] | None = None
        self._start_ns = 0
        self._sound: NDArray[np.int16] | None = None

    def add(self, block: NDArray[np.float64], first_ns: int) -> None:
        """Mix what sounds now into all channels of `block`, shape (samples, channels), in place."""
        self._poll()
        if self._sound is None:
            return
        at = round((first_ns - self._start_ns) * self._rate_hz / NS_PER_S)
        if at >= len(self._sound):
            self._sound = None
            return
        skip = max(-at, 0)
        part = self._sound[max(at, 0) : max(at + len(block), 0)]
        if skip < len(block) and len(part):
            block[skip : skip + len(part)] += part[:, None]

    def _poll(self) -> None:
        try:
            stat = os.stat(self._path)  # noqa: PTH116 (called 50 times a second: no Path in between)
        except OSError:
            return
        seen = (stat.st_mtime_ns, stat.st_ino)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            value = json.loads(self._path.read_text(encoding="utf-8"))
            self._start_ns, test = int(value["start_monotonic_ns"]), str(value["test"])
        except (OSError, ValueError, KeyError, TypeError):
            return  # not ours, or not complete: nothing sounds
        if time.monotonic_ns() - self._start_ns < test_signal.SIGNAL_S * NS_PER_S:
            self._sound = test_signal.signal(test, self._rate_hz)
