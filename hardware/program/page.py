"""What is seen of one page of an exhibit: the window on its picture, and that part of the picture as planes.

The picture is the room's own (`sync.room.paths`: `page_picture_name`), the same that the screens show, so nothing of a
party's file is read here. The window is the screens', too (`web/src/lib/pageFrame.ts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from hardware.simulation.drawn_courtroom import Patch, planes
from sync.room.paths import page_picture_name

SCALES = (1, 2, 4)
TALL, WIDE = 3.0, 6.0
"""A page that is so many times higher than wide, or wider than high, is a strip and fills the place across."""
SOFT = 1.25
"""How far a picture is enlarged before a larger one is looked for."""


@dataclass(frozen=True)
class PageRequest:
    """What is to be drawn, into a place of `width` x `height` pixels; `file` is a picture of the page."""

    file: str
    zoom: float
    x: float
    y: float
    width: int
    height: int


@dataclass(frozen=True)
class PageWindow:
    """What of a page is seen, in pixels: the whole page has `page_width` x `page_height`, its part from `left`, `top`
    on lies at `x`, `y` of the place, `width` x `height` large."""

    page_width: float
    page_height: float
    left: float
    top: float
    x: int
    y: int
    width: int
    height: int


def _fitted(asked: PageRequest, wide: float, high: float) -> float:
    """How much larger than `wide` x `high` the page is seen: whole, or a strip in its whole width (or height)."""
    across, along = asked.width / wide, asked.height / high
    strip = high / wide > TALL or wide / high > WIDE
    return (max if strip else min)(across, along) * asked.zoom


def seen(asked: PageRequest, wide: float, high: float) -> PageWindow:
    """The page is fitted, zoomed about the point, and never leaves paper out that could be shown: as on the screens."""
    scale = _fitted(asked, wide, high)

    def along(size: float, room: int, at: float) -> tuple[float, int, int]:
        if size <= room:
            length = max(int(size) // 2 * 2, 2)
            return 0.0, (room - length) // 4 * 2, length
        return min(max(at * size - room / 2, 0.0), size - room), 0, room

    left, x, width = along(wide * scale, asked.width, asked.x)
    top, y, height = along(high * scale, asked.height, asked.y)
    return PageWindow(wide * scale, high * scale, left, top, x, y, width, height)


def draw(asked: PageRequest, image: Image.Image) -> Patch:
    """The part of the page's picture that is seen."""
    view = seen(asked, *image.size)
    scale = view.page_width / image.width
    box = (
        view.left / scale,
        view.top / scale,
        min((view.left + view.width) / scale, image.width),
        min((view.top + view.height) / scale, image.height),
    )
    part = image.resize((view.width, view.height), Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)
    return Patch(view.x, view.y, *planes(part))


def sharpest(folder: Path, page: int, zoom: float, width: int, height: int) -> Path | None:
    """The smallest picture of a page that is sharp at this zoom, else the largest there is; None before it is drawn."""
    best = None
    for scale in SCALES:
        path = folder / page_picture_name(page, scale)
        if not path.is_file():
            continue
        best = path
        with Image.open(path, formats=["JPEG"]) as image:  # its size only
            if _fitted(PageRequest("", zoom, 0.5, 0.5, width, height), *image.size) <= SOFT:
                break
    return best
