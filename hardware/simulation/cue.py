"""When simulated devices play: they idle until `stage.json` says that a hearing began, then all play from one moment.

The file is `{"start_monotonic_ns": N, "hearing_dir": "…"}`, written atomically; a newer one restarts the play. A
moment that lies in the past is joined in the middle, so a device that was restarted comes back in sync. With
`"flash_every_ns"` and `"flash_ns"` in the place of the folder, there is a clapperboard: again and again the light
flashes white and at the same moment a tone sounds in all microphones.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from sync.runtime.files.durable_files import replace_file


@dataclass(frozen=True)
class Play:
    """A performance of a hearing folder from a moment of `CLOCK_MONOTONIC` on."""

    start_monotonic_ns: int
    hearing_dir: Path


@dataclass(frozen=True)
class Clapper:
    """A flash and a tone, `for_ns` long, every `every_ns` from a moment of `CLOCK_MONOTONIC` on."""

    start_monotonic_ns: int
    every_ns: int
    for_ns: int

    def lit(self, from_ns: int, to_ns: int) -> float:
        """The share of a time, shorter than `every_ns` - `for_ns`, in which there is light and sound."""
        number = max((to_ns - self.start_monotonic_ns) // self.every_ns, 0)
        begin_ns = self.start_monotonic_ns + number * self.every_ns
        both_ns = min(to_ns, begin_ns + self.for_ns) - max(from_ns, begin_ns)
        return max(both_ns, 0) / (to_ns - from_ns)


class Stage:
    """Looks at the file; cheap enough for every block of sound."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self.play: Play | None = None
        self.clapper: Clapper | None = None

    def poll(self) -> bool:
        """True when a new play was announced (or the old one withdrawn) since the last look."""
        try:
            stat = os.stat(self._path)  # noqa: PTH116 (called 25 times a second: no Path in between)
        except OSError:
            changed = self._seen is not None
            self._seen, self.play, self.clapper = None, None, None
            return changed
        seen = (stat.st_mtime_ns, stat.st_ino)
        if seen == self._seen:
            return False
        self._seen = seen
        found = _read(self._path)
        self.play = found if isinstance(found, Play) else None
        self.clapper = found if isinstance(found, Clapper) else None
        return True


def _read(path: Path) -> Play | Clapper | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if "flash_every_ns" in value:
            times = (int(value[name]) for name in ("start_monotonic_ns", "flash_every_ns", "flash_ns"))
            return Clapper(*times)
        return Play(int(value["start_monotonic_ns"]), Path(value["hearing_dir"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not ours, or not complete: nothing plays


def announce(path: Path, play: Play | Clapper) -> None:
    """Begin a play: write the file atomically."""
    text: dict[str, object] = {"start_monotonic_ns": play.start_monotonic_ns}
    if isinstance(play, Clapper):
        text |= {"flash_every_ns": play.every_ns, "flash_ns": play.for_ns}
    else:
        text["hearing_dir"] = str(play.hearing_dir)
    replace_file(path, json.dumps(text), synced=False)
