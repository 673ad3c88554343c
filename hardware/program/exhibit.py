"""The page of the exhibit that is shown, drawn by a process of its own (hardware.program.page), one at a time."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hardware.program.layout import Rect
from hardware.program.page import PageRequest
from hardware.program.scene import ShownExhibit
from hardware.simulation.drawn_courtroom import Patch
from sync.runtime.processes import die_with_parent

DRAW_S = 20.0
MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class DrawnPage:
    """What was drawn. `patch` is None when the file cannot be drawn; its place is relative to the exhibit's."""

    asked: PageRequest
    patch: Patch | None


class PageView:
    """`poll` is called for every picture and never waits."""

    def __init__(self) -> None:
        self._page: DrawnPage | None = None
        self._busy: threading.Thread | None = None

    def poll(self, shown: ShownExhibit, folder: Path, place: Rect) -> DrawnPage | None:
        """The page as it is to be seen; None while it is being drawn."""
        exhibit = shown.exhibit
        asked = PageRequest(
            str(folder / exhibit.sha256),
            exhibit.media_type,
            shown.page,
            shown.zoom,
            shown.x,
            shown.y,
            place.width,
            place.height,
        )
        page = self._page
        if page is not None and page.asked == asked:
            return page
        if self._busy is None or not self._busy.is_alive():
            self._busy = threading.Thread(target=self._draw, args=(asked,), daemon=True)
            self._busy.start()
        # The same page from another side is better than none while the new view is drawn.
        return page if page is not None and (page.asked.file, page.asked.page) == (asked.file, asked.page) else None

    def _draw(self, asked: PageRequest) -> None:
        command = [sys.executable, "-m", "hardware.program.page", json.dumps(asdict(asked))]
        try:
            done = subprocess.run(command, capture_output=True, timeout=DRAW_S, check=True, preexec_fn=die_with_parent)
            self._page = DrawnPage(asked, read_patch(done.stdout))
        except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
            self._page = DrawnPage(asked, None)


def read_patch(data: bytes) -> Patch:
    """The answer of the drawing process; `ValueError`, `KeyError` or `TypeError` when it is something else."""
    head, _, rest = data[:MOST_BYTES].partition(b"\n")
    place = json.loads(head)
    x, y, wide, high = (int(place[name]) for name in ("x", "y", "width", "height"))
    if len(rest) != wide * high * 3 // 2:
        raise ValueError("the drawn page is not of the size that it says")
    pixels = np.frombuffer(rest, np.uint8)
    quarter = wide * high // 4
    luma, cb, cr = pixels[: wide * high], pixels[wide * high : wide * high + quarter], pixels[wide * high + quarter :]
    return Patch(x, y, luma.reshape(high, wide), cb.reshape(high // 2, wide // 2), cr.reshape(high // 2, wide // 2))
