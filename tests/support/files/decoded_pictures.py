"""Decoded pictures, with the types that PyAV and Pillow leave open."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image


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


def rgb_of_jpeg(data: bytes | None) -> NDArray[np.uint8]:
    """Shape (height, width, 3)."""
    assert data is not None
    with Image.open(BytesIO(data), formats=["JPEG"]) as picture:
        return np.asarray(picture.convert("RGB"), np.uint8)
