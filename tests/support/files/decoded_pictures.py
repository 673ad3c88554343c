"""Decoded pictures of a file, with the types that PyAV leaves open."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray


def time_of(frame: av.VideoFrame) -> Fraction:
    """When the picture is shown, in seconds on the file's time line."""
    assert frame.pts is not None
    assert frame.time_base is not None
    return frame.pts * frame.time_base


def gray(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Shape (height, width)."""
    return np.asarray(frame.to_ndarray(format="gray"), np.uint8)


def rgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Shape (height, width, 3)."""
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
