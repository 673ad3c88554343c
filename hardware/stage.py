"""When simulated devices play: they idle until `stage.json` says that a hearing began, then all play from one moment.

The file is `{"start_monotonic_ns": N, "hearing_dir": "…"}`, written atomically; a newer one restarts the play. A
moment that lies in the past is joined in the middle, so a device that was restarted comes back in sync.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Play:
    """A performance of a hearing folder from a moment of `CLOCK_MONOTONIC` on."""

    start_monotonic_ns: int
    hearing_dir: Path


class Stage:
    """Looks at the file; cheap enough for every block of sound."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self.play: Play | None = None

    def look(self) -> bool:
        """True when a new play was announced (or the old one withdrawn) since the last look."""
        try:
            stat = os.stat(self._path)  # noqa: PTH116 (called 25 times a second: no Path in between)
        except OSError:
            changed = self._seen is not None
            self._seen, self.play = None, None
            return changed
        seen = (stat.st_mtime_ns, stat.st_ino)
        if seen == self._seen:
            return False
        self._seen = seen
        self.play = _read(self._path)
        return True


def _read(path: Path) -> Play | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return Play(int(value["start_monotonic_ns"]), Path(value["hearing_dir"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not ours, or not complete: nothing plays


def announce(path: Path, play: Play) -> None:
    """Begin a play: write the file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    text = {"start_monotonic_ns": play.start_monotonic_ns, "hearing_dir": str(play.hearing_dir)}
    draft.write_text(json.dumps(text), encoding="utf-8")
    draft.replace(path)
