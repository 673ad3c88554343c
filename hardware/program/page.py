"""Draws what is seen of one page of an exhibit and writes it to stdout; run as a program of its own.

    python -m hardware.program.page '{"file", "media_type", "page", "zoom", "x", "y", "width", "height"}'

Parties bring these files, and parsers of PDF and images have bugs: one that crashes, or eats memory or time, ends this
process and nothing else. The answer is one line of JSON, `{"x", "y", "width", "height"}` (where the picture lies in the
place that was asked for; all even), then its planes: luma, cb, cr.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
from dataclasses import dataclass

from PIL import Image, ImageOps

from hardware.simulation.drawn_courtroom import planes

MEMORY_BYTES = 2 * 1024**3
CPU_S = 20
MAX_PIXELS = 64_000_000
PDF = "application/pdf"


@dataclass(frozen=True)
class PageRequest:
    """What is to be drawn, into a place of `width` x `height` pixels."""

    file: str
    media_type: str
    page: int
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


def seen(asked: PageRequest, wide: float, high: float) -> PageWindow:
    """The page is fitted, zoomed about the point, and never leaves paper out that could be shown: as on the screens."""
    scale = min(asked.width / wide, asked.height / high) * asked.zoom

    def along(size: float, room: int, at: float) -> tuple[float, int, int]:
        if size <= room:
            length = max(int(size) // 2 * 2, 2)
            return 0.0, (room - length) // 4 * 2, length
        return min(max(at * size - room / 2, 0.0), size - room), 0, room

    left, x, width = along(wide * scale, asked.width, asked.x)
    top, y, height = along(high * scale, asked.height, asked.y)
    return PageWindow(wide * scale, high * scale, left, top, x, y, width, height)


def draw(asked: PageRequest) -> tuple[PageWindow, Image.Image]:
    """The part that is seen, as RGB."""
    return _draw_pdf(asked) if asked.media_type == PDF else _draw_image(asked)


def _draw_pdf(asked: PageRequest) -> tuple[PageWindow, Image.Image]:
    import pypdfium2

    page = pypdfium2.PdfDocument(asked.file)[asked.page - 1]
    wide, high = page.get_size()
    view = seen(asked, wide, high)
    scale = view.page_width / wide
    cut = (
        view.left / scale,
        max(high - (view.top + view.height) / scale, 0),
        max(wide - (view.left + view.width) / scale, 0),
        view.top / scale,
    )
    image = page.render(scale=scale, crop=cut).to_pil().convert("RGB")
    return view, image if image.size == (view.width, view.height) else image.resize((view.width, view.height))


def _draw_image(asked: PageRequest) -> tuple[PageWindow, Image.Image]:
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with Image.open(asked.file, formats=["PNG", "JPEG"]) as file:
        image = ImageOps.exif_transpose(file).convert("RGBA")
    view = seen(asked, *image.size)
    scale = view.page_width / image.width
    box = (
        view.left / scale,
        view.top / scale,
        min((view.left + view.width) / scale, image.width),
        min((view.top + view.height) / scale, image.height),
    )
    paper = Image.new("RGBA", (view.width, view.height), "white")
    part = image.resize((view.width, view.height), Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)
    return view, Image.alpha_composite(paper, part).convert("RGB")


def main() -> None:
    """Entry point."""
    for what, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_FSIZE, 0)):
        with contextlib.suppress(OSError, ValueError):  # a service manager may forbid that and limit it itself
            resource.setrlimit(what, (most, most))
    view, image = draw(PageRequest(**json.loads(sys.argv[1])))
    place = {"x": view.x, "y": view.y, "width": view.width, "height": view.height}
    out = sys.stdout.buffer
    out.write(json.dumps(place).encode() + b"\n")
    for plane in planes(image):
        out.write(plane.tobytes())


if __name__ == "__main__":
    main()
