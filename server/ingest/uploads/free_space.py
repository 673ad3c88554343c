"""How much is free on a disk, asked once in a while: between two looks it is counted what we ourselves write."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

LOOK_S = 1.0


class FreeSpace:
    """Safe in several threads."""

    def __init__(self, folder: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._monotonic = monotonic
        self._free = 0
        self._at = -LOOK_S

    @property
    def is_old(self) -> bool:
        """Whether the next question looks at the disk, which may block."""
        return self._monotonic() - self._at >= LOOK_S

    def look(self) -> None:
        """Ask the disk now. Blocks; `OSError`."""
        self._free = shutil.disk_usage(self._folder).free
        self._at = self._monotonic()

    def bytes(self) -> int:
        """What is free; looks first where it `is_old`."""
        if self.is_old:
            self.look()
        return self._free

    def wrote(self, count: int) -> None:
        """So many bytes went to the disk."""
        self._free -= count
