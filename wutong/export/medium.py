"""What an export is written on: how much is free there, and how large one file may be.

FAT32, the usual form of USB sticks, holds no file of 4 GiB or more. That is known from the kernel's table of mounts
before anything is written. A kind that is not known has no limit that anybody could name.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

FAT_BYTES = (1 << 32) - 1
_FAT = frozenset({"vfat", "msdos", "umsdos", "fat", "fat32"})
_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Medium:
    """The file system below a folder."""

    folder: Path
    kind: str
    """As the kernel calls it; empty where it says nothing."""
    free_bytes: int
    file_bytes: int | None
    """The most that one file can hold; None where there is no limit to speak of."""

    @property
    def named(self) -> str:
        """For people."""
        return f"{self.folder} ({'FAT32' if self.kind in _FAT else self.kind or 'unknown file system'})"


def medium_of(folder: Path, mounts: Path = _MOUNTS) -> Medium:
    """What lies below a folder that is there."""
    folder = folder.resolve()
    try:
        kind = _kind(folder, mounts.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError:
        kind = ""
    return Medium(folder, kind, shutil.disk_usage(folder).free, FAT_BYTES if kind in _FAT else None)


def _kind(folder: Path, table: str) -> str:
    """The type of the mount that a folder is on: the deepest, and of two at one place the later one."""
    found, depth = "", -1
    for line in table.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        place = Path(_ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields[4]))
        if folder.is_relative_to(place) and len(place.parts) >= depth:
            found, depth = after.split(" ")[0], len(place.parts)
    return found
