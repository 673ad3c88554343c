"""What a worker process tells the recorder beside its media: one JSON object a line on a pipe of its own.

`{"clock": [media_ns, monotonic_ns]}`: media up to `media_ns` of this run had been captured at that moment.
`{"levels": [[peak, rms, clipped]…]}`: of each channel, ten times a second: in units of 16-bit samples, and the share
of samples at full scale.
`{"lost": [media_ns, by_ns, why]}`: samples that never came: what follows `media_ns` was captured `by_ns` later.
`{"trouble": why}`: something was lost, which the media itself says the length of.
`{"refused": true}`: the camera refuses the account by which it is asked for key frames; its stream goes on.
`{"failed": text, "code": code}`: why the worker ends, in words for people; `code` is stable and may be "".
`{"off": text}`: likewise, and it is not to be started again in this hearing.
A full pipe never stops a worker: what does not fit is dropped (the next report says the same again), except `lost` and
`trouble`.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque

import numpy as np
from numpy.typing import NDArray

FULL_SCALE = 32_767


class Reporter:
    """The worker's end of the pipe."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._owed: deque[bytes] = deque(maxlen=256)

    def clock(self, media_ns: int, monotonic_ns: int) -> None:
        """Media up to `media_ns` had been captured at `monotonic_ns`."""
        self._send({"clock": [media_ns, monotonic_ns]})

    def levels(self, levels: list[tuple[int, float, float]]) -> None:
        """(peak, rms, clipped) of each channel."""
        self._send({"levels": levels})

    def lost(self, media_ns: int, by_ns: int, why: str) -> None:
        """Samples were lost after `media_ns`."""
        self._owed.append(_line({"lost": [media_ns, by_ns, why]}))
        self._send(None)

    def trouble(self, why: str) -> None:
        """Something was lost; how much, the media says itself (`sync.media.access_unit.WorkerStamps`)."""
        self._owed.append(_line({"trouble": why}))
        self._send(None)

    def refused(self) -> None:
        """The camera refuses the account by which it is asked for key frames."""
        self._owed.append(_line({"refused": True}))
        self._send(None)

    def failed(self, text: str, code: str = "") -> None:
        """The worker ends because of this."""
        self._owed.append(_line({"failed": text, "code": code}))
        self._send(None)

    def off(self, text: str) -> None:
        """The worker ends because of this, and should not come back in this hearing."""
        self._owed.append(_line({"off": text}))
        self._send(None)

    def _send(self, value: object) -> None:
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            while self._owed:
                os.write(self._fd, self._owed[0])
                self._owed.popleft()
            if value is not None:
                os.write(self._fd, _line(value))


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"  # below PIPE_BUF: written whole or not at all


def pcm_levels(block: NDArray[np.int16]) -> list[tuple[int, float, float]]:
    """(peak, rms, share of samples at full scale) of each channel of a block, shape (samples, channels)."""
    if not len(block):
        return [(0, 0.0, 0.0)] * block.shape[1]
    size = np.abs(block.astype(np.int32))
    rms = np.sqrt(np.mean(np.square(block.astype(np.float32)), axis=0))
    clipped = np.mean(size >= FULL_SCALE, axis=0)
    levels = zip(size.max(axis=0), rms, clipped, strict=True)
    return [(int(p), round(float(r), 2), round(float(c), 4)) for p, r, c in levels]
