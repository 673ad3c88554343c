"""The page of the exhibit that is shown, made ready beside the composing loop, one at a time."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from hardware.program.layout import Rect
from hardware.program.page import PageRequest, draw, sharpest
from hardware.program.scene import ShownExhibit
from hardware.simulation.drawn_courtroom import Patch

LOOK_EVERY = 5
"""Pictures after which it is looked for a sharper one again."""


@dataclass(frozen=True)
class DrawnPage:
    """What was drawn. `patch` is None when the picture cannot be read; its place is relative to the exhibit's."""

    asked: PageRequest
    patch: Patch | None


class PageView:
    """`poll` is called for every picture and never waits for a page."""

    def __init__(self) -> None:
        self._page: DrawnPage | None = None
        self._busy: threading.Thread | None = None
        self._image: tuple[str, Image.Image] | None = None
        self._view: tuple[object, ...] = ()
        self._file: Path | None = None
        self._looked = 0

    def poll(self, shown: ShownExhibit, pages: Path, place: Rect) -> DrawnPage | None:
        """The page as it is to be seen; None until the room has drawn it. `pages`: the pictures of the exhibit."""
        view = (shown.exhibit.sha256, shown.page, shown.zoom)
        if view != self._view or self._looked >= LOOK_EVERY or self._file is None:
            self._view, self._looked = view, 0
            self._file = self._find(pages, shown, place)
        self._looked += 1
        if self._file is None:
            return None
        asked = PageRequest(str(self._file), shown.zoom, shown.x, shown.y, place.width, place.height)
        page = self._page
        if page is not None and page.asked == asked:
            return page
        if self._busy is None or not self._busy.is_alive():
            self._busy = threading.Thread(target=self._draw, args=(asked,), daemon=True)
            self._busy.start()
        # The same page from another side, or less sharp, is better than none while the new view is drawn.
        return page if page is not None and _page_of(page.asked.file) == _page_of(asked.file) else None

    def _find(self, pages: Path, shown: ShownExhibit, place: Rect) -> Path | None:
        try:
            return sharpest(pages, shown.page, shown.zoom, place.width, place.height)
        except (OSError, ValueError, SyntaxError):
            return None

    def _draw(self, asked: PageRequest) -> None:
        try:
            if self._image is None or self._image[0] != asked.file:
                self._image = None  # one at a time: a large one takes 72 MB
                with Image.open(asked.file, formats=["JPEG"]) as file:
                    self._image = asked.file, file.convert("RGB")
            self._page = DrawnPage(asked, draw(asked, self._image[1]))
        except (OSError, ValueError, SyntaxError, MemoryError):
            self._page = DrawnPage(asked, None)


def _page_of(file: str) -> tuple[str, str]:
    """Which page of which exhibit a picture is of."""
    path = Path(file)
    return path.parent.name, path.name.partition("@")[0]
