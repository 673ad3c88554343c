"""A handwritten signature as it goes on paper: fitted into a box, thinned where nobody sees it, as wide as pressed.

Input are strokes as they were kept (`sync.record.signing.Signature`): points 0…1 of the pad. Output are pieces of a
polyline in the box's own unit, y downwards.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from sync.record.signing import Signature

DPI = 300
_MM_PER_INCH = 25.4
_OVER = 3
"""A picture is drawn so many times as large, then made smaller: smooth edges."""

Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a stroke with one width."""

    points: Points
    width: float


def pieces_of(signature: Signature, x: float, y: float, w: float, h: float, *, detail: float = 0.05) -> list[Piece]:
    """The signature in the middle of the box at (x, y) of w by h; bends smaller than `detail` are straightened."""
    wide, high = signature.size if len(signature.size) == 2 else (2.0, 1.0)
    flat = [(p[0] * wide, p[1] * high) for stroke in signature.strokes for p in stroke]
    if not flat:
        return []
    left, top = min(p[0] for p in flat), min(p[1] for p in flat)
    across = max(max(p[0] for p in flat) - left, wide * 0.05)
    down = max(max(p[1] for p in flat) - top, high * 0.05)
    scale = min(w / across, h / down)
    dx, dy = x + (w - across * scale) / 2, y + (h - down * scale) / 2
    pen = max(h, w / 4) * 0.035
    pieces: list[Piece] = []
    for stroke in signature.strokes:
        at = [(dx + (p[0] * wide - left) * scale, dy + (p[1] * high - top) * scale) for p in stroke]
        widths = [pen * _pressed(p[3]) for p in stroke]
        pieces += _cut(at, widths, detail)
    return pieces


def picture_of(signature: Signature, w_mm: float, h_mm: float) -> bytes:
    """PNG at 300 dpi with a transparent ground."""
    unit = DPI / _MM_PER_INCH * _OVER
    image = Image.new("L", (round(w_mm * unit), round(h_mm * unit)), 0)
    draw = ImageDraw.Draw(image)
    for piece in pieces_of(signature, 0.3, 0.3, w_mm - 0.6, h_mm - 0.6, detail=0.02):
        at = [(px * unit, py * unit) for px, py in piece.points]
        width = max(round(piece.width * unit), 1)
        draw.line(at, fill=255, width=width, joint="curve")
        for px, py in (at[0], at[-1]):
            draw.ellipse((px - width / 2, py - width / 2, px + width / 2, py + width / 2), fill=255)
    mask = image.resize((image.width // _OVER, image.height // _OVER), Image.Resampling.LANCZOS)
    ink = Image.new("RGBA", mask.size, (0, 0, 0, 0))
    ink.putalpha(mask)
    out = io.BytesIO()
    ink.save(out, "PNG", dpi=(DPI, DPI), optimize=True)
    return out.getvalue()


def _pressed(pressure: float) -> float:
    """How wide a pen is against its middle; a finger or mouse says 0 or 0.5 throughout."""
    return 1.0 if pressure <= 0 else 0.6 + 0.8 * pressure


def _cut(at: Points, widths: Sequence[float], detail: float) -> list[Piece]:
    """One piece for each run of about one width, joined at their ends."""
    if len(at) == 1:
        return [Piece([at[0], (at[0][0] + widths[0] / 10, at[0][1])], widths[0])]
    pieces, begin = [], 0
    for i in range(1, len(at)):
        if i == len(at) - 1 or abs(widths[i] - widths[begin]) > widths[begin] * 0.12:
            run = widths[begin : i + 1]
            pieces.append(Piece(_thin(at[begin : i + 1], detail), sum(run) / len(run)))
            begin = i
    return pieces


def _thin(at: Points, detail: float) -> Points:
    """Douglas and Peucker's way, without recursion."""
    keep = {0, len(at) - 1}
    todo = [(0, len(at) - 1)]
    while todo:
        a, b = todo.pop()
        far, most = 0, detail
        for i in range(a + 1, b):
            if (off := _off(at[i], at[a], at[b])) > most:
                far, most = i, off
        if far:
            keep.add(far)
            todo += [(a, far), (far, b)]
    kept = [at[i] for i in sorted(keep)]
    return [p for p, q in itertools.pairwise([*kept, (math.inf, 0.0)]) if p != q] or kept


def _off(p: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
    length = math.dist(a, b)
    if length == 0:
        return math.dist(p, a)
    return abs((b[0] - a[0]) * (a[1] - p[1]) - (a[0] - p[0]) * (b[1] - a[1])) / length
