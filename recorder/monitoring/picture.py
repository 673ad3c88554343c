"""Looks at a camera's picture every few seconds: a thumbnail for those who do not watch, and is it frozen or black?

Works on single key frames, away from the event loop; a picture that cannot be decoded is itself a finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray
from PIL import Image

from recorder.capture.fragment import StampedFragment, WorkerRun
from sync.media.fmp4 import parse_fragment

THUMB_WIDTH = 320
FROZEN_NS = 10_000_000_000
SAME_LEVELS = 2
"""Pictures that differ by no more than this are the same: a sensor's noise alone is more."""
CLOCK_BAND = 0.14
CLOCK_SHARE = 0.005
"""A clock that is drawn into the picture runs on over a frozen sensor: so much of the picture, near its upper or lower
edge, may change."""
BLACK_MEAN, BLACK_SPREAD = 24.0, 4.0
JPEG_QUALITY = 72
SIGNATURE_SHAPE = (18, 32)

Trouble = Literal["frozen", "black", "undecodable"]


@dataclass(frozen=True, slots=True)
class PictureFindings:
    """What was seen of one key frame."""

    jpeg: bytes | None
    troubles: frozenset[Trouble]
    signature: bytes | None = None
    """For the comparison with the file (`signature`)."""


def shrink(frame: av.VideoFrame) -> av.VideoFrame:
    """The thumbnail of a picture, in color."""
    height = max(round(frame.height * THUMB_WIDTH / frame.width / 2) * 2, 2)
    return frame.reformat(width=THUMB_WIDTH, height=height, format="rgb24")


def grayscale(small: av.VideoFrame) -> NDArray[np.uint8]:
    """The brightness of a thumbnail."""
    return small.reformat(format="gray").to_ndarray().astype(np.uint8, copy=False)


def is_black(gray: NDArray[np.uint8]) -> bool:
    """Nothing but darkness, and no noise in it."""
    return bool(gray.mean() < BLACK_MEAN and gray.std() < BLACK_SPREAD)


def signature(gray: NDArray[np.uint8]) -> bytes:
    """The mean brightness of 32 by 18 fields."""
    rows, columns = SIGNATURE_SHAPE
    by_rows = np.add.reduceat(gray.astype(np.float32), np.arange(rows) * gray.shape[0] // rows, axis=0)
    fields = np.add.reduceat(by_rows, np.arange(columns) * gray.shape[1] // columns, axis=1)
    return (fields * (fields.size / gray.size)).clip(0, 255).astype(np.uint8).tobytes()


class PictureWatch:
    """Watches one camera. `inspect` is called for one fragment at a time, from any thread."""

    def __init__(self) -> None:
        self._decoder: av.VideoCodecContext | None = None
        self._run: WorkerRun | None = None
        self._last: NDArray[np.uint8] | None = None
        self._same_since_ns = 0

    def inspect(self, fragment: StampedFragment) -> PictureFindings:
        """`fragment` begins with a key frame."""
        try:
            frame = self._decode(fragment)
        except (FFmpegError, ValueError):
            self._run = None
            return PictureFindings(None, frozenset({"undecodable"}))
        if frame is None:
            return PictureFindings(None, frozenset({"undecodable"}))
        small = shrink(frame)
        gray = grayscale(small)
        troubles: set[Trouble] = set()
        if self._is_same(gray):
            if fragment.from_ns - self._same_since_ns >= FROZEN_NS:
                troubles.add("frozen")
        else:
            self._same_since_ns = fragment.from_ns
        self._last = gray
        if is_black(gray):
            troubles.add("black")
        out = BytesIO()
        Image.fromarray(small.to_ndarray().astype(np.uint8, copy=False)).save(out, "JPEG", quality=JPEG_QUALITY)
        return PictureFindings(out.getvalue(), frozenset(troubles), signature(gray))

    def _is_same(self, gray: NDArray[np.uint8]) -> bool:
        last = self._last
        if last is None or last.shape != gray.shape:
            return False
        changed = np.abs(last.astype(np.int16) - gray) > SAME_LEVELS
        band = round(gray.shape[0] * CLOCK_BAND)
        return not changed[band:-band].any() and bool(changed.mean() <= CLOCK_SHARE)

    def _decode(self, fragment: StampedFragment) -> av.VideoFrame | None:
        if self._decoder is None or self._run is not fragment.run:
            self._decoder = av.VideoCodecContext.create(fragment.run.init.decoder, "r")
            self._decoder.extradata = fragment.run.init.table.config
            self._decoder.thread_count = 1
            self._run = fragment.run
        first = next(parse_fragment(fragment.data, fragment.run.init).samples())
        frames = self._decoder.decode(av.Packet(first))
        frames = frames or self._decoder.decode(None)
        self._decoder.flush_buffers()
        return frames[0] if frames else None
