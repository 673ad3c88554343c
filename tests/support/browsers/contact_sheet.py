"""Several pictures of pages on one sheet, each under its number and name, for the README."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

CELL = (640, 400)
HEAD = 44
GAP = 16
COLUMNS = 3


def contact_sheet(pictures: Sequence[tuple[str, bytes]], path: Path) -> None:
    """Write a PNG of (name, PNG) pairs, in their order, three in a row."""
    rows = -(-len(pictures) // COLUMNS)
    size = COLUMNS * CELL[0] + (COLUMNS + 1) * GAP, rows * (CELL[1] + HEAD) + (rows + 1) * GAP
    sheet = Image.new("RGB", size, "#0d1117")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(_font(), 24)
    for number, (name, picture) in enumerate(pictures):
        left = GAP + number % COLUMNS * (CELL[0] + GAP)
        top = GAP + number // COLUMNS * (CELL[1] + HEAD + GAP)
        draw.text((left, top + 6), f"{number + 1}  {name}", "#e6edf3", font)
        with Image.open(io.BytesIO(picture)) as one:
            sheet.paste(one.convert("RGB").resize(CELL, Image.Resampling.LANCZOS), (left, top + HEAD))
    sheet.quantize(128).save(path, optimize=True)


def _font() -> str:
    """A font of this machine that has Chinese."""
    command = ["fc-match", "-f", "%{file}", "Noto Sans CJK SC"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
