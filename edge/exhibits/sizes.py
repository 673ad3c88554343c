"""How large a page is drawn. Plain arithmetic, so that everybody who asks for a picture knows what can come.

Scale 1 is what a screen of 1920 × 1080 shows of a whole page, and is drawn of every page. Scales 2 and 4 are for a
closer look and are drawn when somebody looks closer. A picture is never drawn larger than it is.
"""

from __future__ import annotations

MAX_PAGES = 3000
"""Of one file."""
MOST_JPEG_BYTES = 10 * 1024 * 1024
"""Of one picture."""
SCALES = (1, 2, 4)
SIDE = 1920
"""Of an ordinary page at scale 1, the longer side."""
COLUMN = 1080
"""Of a long strip at scale 1, the shorter side."""
MOST_PIXELS = {1: 3_700_000, 2: 16_000_000, 4: 24_000_000}
MOST_SIDE = 32_000
TALL, WIDE = 3.0, 6.0
"""A page that is so many times higher than wide, or wider than high, is a strip: it is shown in its whole width (or
height) and moved along, from its beginning on. `web/src/lib/pageFrame.ts` and `hardware.program.page` have the rule."""


def is_strip(width: float, height: float) -> bool:
    """Whether a page would be a line on the screen if all of it were shown."""
    return height / width > TALL or width / height > WIDE


def drawn_size(width: float, height: float, scale: int, *, natural: bool) -> tuple[int, int]:
    """(width, height) in pixels of the picture of a page of these proportions.

    `natural`: `width` and `height` are pixels, and there are no more of them.
    """
    wanted = COLUMN / min(width, height) if is_strip(width, height) else SIDE / max(width, height)
    factor = min(
        wanted * scale,
        (MOST_PIXELS[scale] / (width * height)) ** 0.5,
        MOST_SIDE / max(width, height),
        *((1.0,) if natural else ()),
    )
    return max(1, round(width * factor)), max(1, round(height * factor))


def shows_more(width: float, height: float, scale: int, *, natural: bool) -> bool:
    """Whether a greater scale would make a larger picture."""
    size = drawn_size(width, height, scale, natural=natural)
    return any(drawn_size(width, height, more, natural=natural) != size for more in SCALES if more > scale)
