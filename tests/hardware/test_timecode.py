"""The time code in the picture survives what a browser does to a picture, and a wrong read is noticed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware import timecode


def picture(utc_ms: int, width: int = 1280, height: int = 720) -> np.ndarray:
    luma = np.random.default_rng(1).integers(16, 90, (height, width), np.uint8)
    timecode.draw(luma, utc_ms)
    return luma


@settings(deadline=None, max_examples=50)
@given(utc_ms=st.integers(0, (1 << 48) - 1))
@pytest.mark.slow
def test_every_moment_is_read_back(utc_ms: int) -> None:
    assert timecode.read(picture(utc_ms)) == utc_ms


@pytest.mark.parametrize("size", [(1280, 720), (854, 480), (640, 360), (426, 240), (320, 180), (1920, 1080)])
def test_it_is_read_from_a_scaled_and_blurred_picture(size: tuple[int, int]) -> None:
    for utc_ms in (1_795_334_400_123, 0, (1 << 48) - 1, 0xAAAAAAAAAAAA):
        scaled = cv2.resize(picture(utc_ms), size, interpolation=cv2.INTER_AREA)
        assert timecode.read(scaled.astype(np.uint8)) == utc_ms
        assert timecode.read(cv2.GaussianBlur(scaled, (3, 3), 0).astype(np.uint8)) == utc_ms


def test_full_range_luma_and_jpeg_do_not_matter() -> None:
    luma = picture(1_795_334_400_123)
    full = np.clip((luma.astype(float) - 16) * 255 / 219, 0, 255).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", cv2.resize(full, (640, 360)), [cv2.IMWRITE_JPEG_QUALITY, 60])
    shown = cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE)
    assert shown is not None
    assert timecode.read(shown.astype(np.uint8)) == 1_795_334_400_123


def test_a_picture_without_a_time_code_says_nothing() -> None:
    assert timecode.read(np.full((720, 1280), 128, np.uint8)) is None
    assert timecode.read(np.random.default_rng(2).integers(0, 255, (720, 1280), np.uint8)) is None


@given(cell=st.integers(0, 63))
def test_one_wrong_cell_is_noticed(cell: int) -> None:
    luma = picture(1_795_334_400_123)
    row, column = divmod(cell, 32)
    part = luma[688 + row * 16 : 704 + row * 16, column * 40 : column * 40 + 40]
    part[:] = 251 - part
    assert timecode.read(luma) is None


def test_the_checksum_is_the_published_one() -> None:
    assert timecode.crc16(b"123456789") == 0x29B1
