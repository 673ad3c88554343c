"""How long the disk still lasts, from what the tracks really use."""

from __future__ import annotations

import shutil
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from sync.runtime.units import NS_PER_S

GIB = 1 << 30
WINDOW_NS = 60 * NS_PER_S
LEAST_BYTES_PER_S = 50_000
"""The rate that is assumed until something was measured."""


@dataclass(frozen=True, slots=True)
class VolumeState:
    """Free space, and how many hours of recording fit above the reserve."""

    free_bytes: int
    hours_left: float
    under_reserve: bool
    replaced: bool = False
    """What the media goes to is not the volume that it was at the start."""


class RecordingVolume:
    """The volume of the record."""

    def __init__(self, folder: Path, reserve_gib: float) -> None:
        self._folders = (folder, folder / "hearings")
        self._identity: tuple[int, int] | None = None
        self._reserve_bytes = int(reserve_gib * GIB)
        self._samples: deque[tuple[int, int]] = deque()
        self._total_bytes = 0

    def produced(self, size: int) -> None:
        """All tracks together made that many bytes, whether they are kept or not."""
        self._total_bytes += size

    def poll(self, now_ns: int) -> VolumeState:
        """Call about once a second."""
        self._samples.append((now_ns, self._total_bytes))
        while now_ns - self._samples[0][0] > WINDOW_NS:
            self._samples.popleft()
        first_ns, first_bytes = self._samples[0]
        seconds = max((now_ns - first_ns) / NS_PER_S, 1.0)
        rate = max((self._total_bytes - first_bytes) / seconds, LEAST_BYTES_PER_S)
        try:
            # The media may have a volume of its own.
            free = min(shutil.disk_usage(folder).free for folder in self._folders if folder.exists())
        except (OSError, ValueError):  # a volume that does not even answer this has no room; the alarm says so
            free = 0
        usable = max(free - self._reserve_bytes, 0)
        hours_left = round(usable / rate / 3600, 1)
        return VolumeState(free, hours_left, free < self._reserve_bytes, self._replaced())

    def _replaced(self) -> bool:
        try:
            found = self._folders[1].stat()
        except OSError:
            return self._identity is not None
        identity = (found.st_dev, found.st_ino)
        if self._identity is None:
            self._identity = identity
        return identity != self._identity
