"""A machine-readable time code in the picture: UTC in milliseconds, as black and white cells along the bottom.

Geometry, for a picture of any width W and height H (after any scaling down to 320 pixels wide):

* The strip covers the full width and the lowest 2/45 of the height: two rows of cells, each H/45 high.
  Row 0 is the upper one: y from H*43/45 to H*44/45; row 1 the lower: y from H*44/45 to H.
* Each row has 32 cells of equal width: cell c covers x from W*c/32 to W*(c+1)/32.
  In a picture of 1280 x 720 a cell is 40 x 16 pixels.
* A white cell (luma 235) is bit 1, a black one (luma 16) bit 0. Cells are read row by row from left to right, the most
  significant bit first: 64 bits.
* Bits 0-47 are UTC in milliseconds since 1970, big-endian. Bits 48-63 are the CRC-16/CCITT-FALSE (polynomial 0x1021,
  initial value 0xFFFF, not reflected, no final xor) of the six bytes before.

To read: average the luma of the middle half of each cell (x: 1/4-3/4, y: 1/4-3/4 of it, at least one pixel); the
threshold is halfway between the darkest and the brightest cell; with less than 60 of 255 between these, or with a wrong
CRC, there is no time code to be read.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROWS = 2
COLUMNS = 32
ROW_SHARE = 45
"""A row is this part of the picture's height."""
BLACK, WHITE = 16, 235
MIN_CONTRAST = 60


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        table.append(crc & 0xFFFF)
    return table


_CRC = _crc_table()


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _CRC[crc >> 8 ^ byte]
    return crc


def bits(utc_ms: int) -> NDArray[np.uint8]:
    """The cells of a moment, shape (2, 32), values 0 and 1."""
    value = utc_ms.to_bytes(6, "big")
    value += crc16(value).to_bytes(2, "big")
    return np.unpackbits(np.frombuffer(value, np.uint8)).reshape(ROWS, COLUMNS)


def draw(luma: NDArray[np.uint8], utc_ms: int) -> None:
    """Draw the time code into the luma plane, shape (height, width), in place."""
    height, width = luma.shape
    x_of = np.arange(width) * COLUMNS // width
    lines = np.where(bits(utc_ms)[:, x_of] == 1, np.uint8(WHITE), np.uint8(BLACK))
    for row in range(ROWS):
        top = height * (ROW_SHARE - ROWS + row) // ROW_SHARE
        bottom = height * (ROW_SHARE - ROWS + row + 1) // ROW_SHARE
        luma[top:bottom] = lines[row]


def read(gray: NDArray[np.uint8]) -> int | None:
    """UTC in milliseconds that a gray picture, shape (height, width), shows; None when it cannot be read for sure."""
    height, width = gray.shape
    cells = np.empty((ROWS, COLUMNS))
    for row in range(ROWS):
        top = height * (ROW_SHARE - ROWS + row) / ROW_SHARE
        tall = height / ROW_SHARE
        y0 = int(top + tall / 4)
        y1 = max(int(top + tall * 3 / 4), y0 + 1)
        for column in range(COLUMNS):
            wide = width / COLUMNS
            x0 = int(wide * (column + 0.25))
            x1 = max(int(wide * (column + 0.75)), x0 + 1)
            cells[row, column] = gray[y0:y1, x0:x1].mean()
    low, high = cells.min(), cells.max()
    if high - low < MIN_CONTRAST:
        return None
    value = np.packbits(cells.ravel() > (low + high) / 2).tobytes()
    return int.from_bytes(value[:6], "big") if crc16(value[:6]) == int.from_bytes(value[6:], "big") else None
