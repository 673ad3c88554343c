"""The composed picture in memory (yuv420p, BT.709, limited range), and text that is drawn once and then only copied.

Nothing is drawn again that did not change: the background and a line of text are finished planes; a clock is put
together from finished signs.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from PIL import Image, ImageDraw

from hardware.program.layout import HEIGHT, WIDTH, Rect
from hardware.simulation.drawn_courtroom import Patch, Plane, font, planes

Color = tuple[int, int, int]
Weight = Literal["bold", "regular"]
Side = Literal["left", "middle", "right"]

GROUND: Color = (27, 29, 33)
BAR: Color = (17, 18, 21)
PIT: Color = (12, 13, 15)
"""Behind a picture that does not fill its place."""
INK: Color = (238, 237, 232)
DIM: Color = (158, 161, 168)
GOLD: Color = (226, 184, 104)
RED: Color = (226, 92, 84)

CACHED_TEXTS = 256
SMOOTH = 2


@lru_cache(maxsize=64)
def _levels(color: Color) -> tuple[int, int, int]:
    luma, cb, cr = planes(Image.new("RGB", (2, 2), color))
    return int(luma[0, 0]), int(cb[0, 0]), int(cr[0, 0])


class Canvas:
    """A picture of `WIDTH` x `HEIGHT`. `data` is what goes to the encoder."""

    def __init__(self) -> None:
        self.data = np.empty(WIDTH * HEIGHT * 3 // 2, np.uint8)
        pixels, quarter = WIDTH * HEIGHT, WIDTH * HEIGHT // 4
        self.luma = self.data[:pixels].reshape(HEIGHT, WIDTH)
        self.cb = self.data[pixels : pixels + quarter].reshape(HEIGHT // 2, WIDTH // 2)
        self.cr = self.data[pixels + quarter :].reshape(HEIGHT // 2, WIDTH // 2)

    def fill(self, rect: Rect, color: Color) -> None:
        """One color."""
        x, y, right, bottom = rect.x, rect.y, rect.right, rect.bottom
        levels = _levels(color)
        self.luma[y:bottom, x:right] = levels[0]
        self.cb[y // 2 : bottom // 2, x // 2 : right // 2] = levels[1]
        self.cr[y // 2 : bottom // 2, x // 2 : right // 2] = levels[2]

    def put(self, patch: Patch, x: int, y: int) -> None:
        """A finished part; `x` and `y` are even. The part lies inside the picture."""
        high, wide = patch.luma.shape
        self.luma[y : y + high, x : x + wide] = patch.luma
        self.cb[y // 2 : (y + high) // 2, x // 2 : (x + wide) // 2] = patch.cb
        self.cr[y // 2 : (y + high) // 2, x // 2 : (x + wide) // 2] = patch.cr

    def put_scaled(self, source: tuple[Plane, Plane, Plane], rect: Rect) -> None:
        """Planes of another picture, scaled into `rect`."""
        x, y, right, bottom = rect.x, rect.y, rect.right, rect.bottom
        _scale(source[0], self.luma[y:bottom, x:right])
        _scale(source[1], self.cb[y // 2 : bottom // 2, x // 2 : right // 2])
        _scale(source[2], self.cr[y // 2 : bottom // 2, x // 2 : right // 2])

    def rgb(self) -> Image.Image:
        """As people see it, for who looks at one picture."""
        whole = self.data.reshape(HEIGHT * 3 // 2, WIDTH)
        return Image.fromarray(cv2.cvtColor(whole, cv2.COLOR_YUV2RGB_I420))


def _scale(source: Plane, target: Plane) -> None:
    high, wide = target.shape
    if source.shape == target.shape:
        target[:] = source
        return
    # Averaging keeps small cells and letters whole where much is thrown away; elsewhere linear is as good and cheaper.
    much = source.shape[1] > wide * 2
    target[:] = cv2.resize(source, (wide, high), interpolation=cv2.INTER_AREA if much else cv2.INTER_LINEAR)


class Text:
    """Lines of one style. The last `CACHED_TEXTS` are kept finished."""

    def __init__(self, size: int, color: Color, ground: Color, weight: Weight = "bold") -> None:
        self._size, self._color, self._ground, self._weight = size, color, ground, weight
        self._height = (size * 3 // 2 + 1) // 2 * 2
        self._line = lru_cache(CACHED_TEXTS)(self._draw)
        self.drawn = 0
        """How many lines had to be drawn."""

    @property
    def height(self) -> int:
        """Pixels of every line."""
        return self._height

    def patch(self, text: str, most: int = WIDTH) -> Patch:
        """A line, cut with … where it is wider than `most` pixels."""
        return self._line(text, most)

    def put(self, canvas: Canvas, text: str, rect: Rect, side: Side = "left") -> Rect:
        """Write a line into the middle of a rectangle's height; where it came to lie."""
        patch = self.patch(text, rect.width)
        high, wide = patch.luma.shape
        away = {"left": 0, "middle": (rect.width - wide) // 4 * 2, "right": rect.width - wide}[side]
        x, y = rect.x + away, rect.y + (rect.height - high) // 4 * 2
        canvas.put(patch, x, y)
        return Rect(x, y, wide, high)

    def _draw(self, text: str, most: int) -> Patch:
        self.drawn += 1
        face = font(self._size * SMOOTH, self._weight)
        shown = text
        while shown and face.getlength(shown) > most * SMOOTH:
            shown = shown.removesuffix("…")[:-1] + "…"
            if shown == "…":
                break
        wide = min(max((int(face.getlength(shown)) // SMOOTH + 3) // 2 * 2, 2), max(most // 2 * 2, 2))
        image = Image.new("RGB", (wide * SMOOTH, self._height * SMOOTH), self._ground)
        middle = (0, self._height * SMOOTH / 2)
        ImageDraw.Draw(image).text(middle, shown, font=face, fill=self._color, anchor="lm")
        return Patch(0, 0, *planes(image.reduce(SMOOTH)))
