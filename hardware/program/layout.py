"""Where everything of the composed picture lies: 1920 x 1080, all corners on even pixels (4:2:0 color).

A bar above (court and time of day), a bar below (case and running time); between them one to four cameras, and while
an exhibit is presented the exhibit large on the left and the cameras in a column on its right. A caption of one line
stands below each of them, never inside: nothing is drawn over what a camera or an exhibit shows.
"""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, HEIGHT = 1920, 1080
TOP_BAR, BOTTOM_BAR = 64, 72
CAPTION = 34
MARGIN, SPACE = 24, 16
COLUMN_MOST = 456
"""The widest column of cameras beside an exhibit."""


@dataclass(frozen=True)
class Rect:
    """Pixels; all four are even."""

    x: int
    y: int
    width: int
    height: int

    @property
    def bottom(self) -> int:
        """The first line below."""
        return self.y + self.height

    @property
    def right(self) -> int:
        """The first column beside."""
        return self.x + self.width

    @property
    def caption(self) -> Rect:
        """The line below it."""
        return Rect(self.x, self.bottom, self.width, CAPTION)


TOP = Rect(0, 0, WIDTH, TOP_BAR)
BOTTOM = Rect(0, HEIGHT - BOTTOM_BAR, WIDTH, BOTTOM_BAR)
STAGE = Rect(MARGIN, TOP_BAR + SPACE, WIDTH - 2 * MARGIN, HEIGHT - TOP_BAR - BOTTOM_BAR - 2 * SPACE)
"""What is between the bars."""


@dataclass(frozen=True)
class Layout:
    """The tiles of the cameras, in the order of the profile, and the place of the exhibit if there is one."""

    cameras: tuple[Rect, ...]
    exhibit: Rect | None = None


def _even(value: float) -> int:
    return int(value) // 2 * 2


def fit(width: float, height: float, box: Rect) -> Rect:
    """The largest picture of these proportions in the middle of a box."""
    scale = min(box.width / width, box.height / height)
    wide, high = min(_even(width * scale + 1), box.width), min(_even(height * scale + 1), box.height)
    return Rect(box.x + _even((box.width - wide) / 2), box.y + _even((box.height - high) / 2), wide, high)


def _cell(box: Rect) -> Rect:
    """A camera (16:9) and its caption in the middle of a cell."""
    tile = fit(16, 9, Rect(box.x, box.y, box.width, box.height - CAPTION))
    return Rect(tile.x, box.y + _even((box.height - CAPTION - tile.height) / 2), tile.width, tile.height)


def _grid(count: int) -> tuple[Rect, ...]:
    columns = 1 if count == 1 else 2
    rows = -(-count // columns)
    wide = _even((STAGE.width - SPACE * (columns - 1)) / columns)
    high = _even((STAGE.height - SPACE * (rows - 1)) / rows)
    cells = []
    for index in range(count):
        row, column = divmod(index, columns)
        cells.append(_cell(Rect(STAGE.x + column * (wide + SPACE), STAGE.y + row * (high + SPACE), wide, high)))
    if columns == 2 and rows == 2:  # close together in the middle, not lost in their cells
        left = _even((WIDTH - SPACE) / 2) - cells[0].width
        cells = [
            Rect(left if i % 2 == 0 else left + cells[0].width + SPACE, c.y, c.width, c.height)
            for i, c in enumerate(cells)
        ]
    if count == 3:
        large = _cell(Rect(STAGE.x, STAGE.y, _even(STAGE.width * 0.66), STAGE.height))
        right = Rect(large.right + SPACE, large.y, STAGE.right - large.right - SPACE, large.height + CAPTION)
        return (large, *_column(2, right))
    return tuple(cells)


def _column(count: int, box: Rect) -> tuple[Rect, ...]:
    """Cameras one above the other; the first begins at the top, the last caption ends at the bottom where it can."""
    high = min(_even((box.height - SPACE * (count - 1)) / count) - CAPTION, _even(box.width * 9 / 16))
    wide = _even(high * 16 / 9)
    return tuple(Rect(box.right - wide, box.y + index * (high + CAPTION + SPACE), wide, high) for index in range(count))


def layout(cameras: int, *, exhibit: bool) -> Layout:
    """For one to four cameras."""
    if not exhibit:
        return Layout(_grid(cameras))
    column = _column(cameras, Rect(STAGE.right - COLUMN_MOST, STAGE.y, COLUMN_MOST, STAGE.height))
    left = min(tile.x for tile in column)
    place = Rect(STAGE.x, STAGE.y, left - SPACE - STAGE.x, STAGE.height - CAPTION)
    return Layout(column, place)
