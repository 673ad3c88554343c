"""Which segments of a hearing still grow in the room, and how far each has whole fragments."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sync.media.fmp4 import Init, index_file
from sync.room.paths import RoomPaths
from sync.uplink.files.upload_store import Upload, UploadStore

_SUFFIX = ".mp4"


@dataclass(slots=True)
class _Growth:
    init: Init | None = None
    whole_bytes: int = 0


class SegmentGrowth:
    """`segments` and `whole_bytes` block."""

    def __init__(self, layout: RoomPaths, store: UploadStore, path_of: Callable[[Upload], Path]) -> None:
        self._layout = layout
        self._store = store
        self._path_of = path_of
        self._known: defaultdict[str, _Growth] = defaultdict(_Growth)
        self._hearing = ""
        self._finished: set[str] = set()
        """Files of that hearing that grow no more."""

    def segments(self, hearing: str) -> list[Upload]:
        """Those of which the log does not say yet that they are finished; `StorageError`."""
        if hearing != self._hearing:
            self._hearing, self._finished = hearing, set()
        found: list[Upload] = []
        # Of a long day there are thousands, of which all but the last of each track are finished.
        for track, name in _segment_files(self._layout.hearing(hearing)):
            file = f"{track}/{name}"
            if file in self._finished:
                continue
            key_of = Upload.growing(hearing, track, int(name.removesuffix(_SUFFIX)), file)
            known = self._store.get(key_of.key) or self._store.begin(key_of)
            if known.sha256 is None:
                found.append(known)
            else:
                self._finished.add(file)
        return found

    def whole_bytes(self, upload: Upload) -> int:
        """Where its last whole fragment ends; what was looked at before is not read again. `MediaError`,
        `StorageError`, `OSError`."""
        growth = self._known[upload.key]
        index = index_file(self._path_of(upload), growth.whole_bytes, growth.init, salvage=True)
        growth.init, growth.whole_bytes = index.init, max(index.end, growth.whole_bytes)
        return growth.whole_bytes

    def forget(self, key: str) -> None:
        """What was seen of a file is of no more use."""
        self._known.pop(key, None)


def _segment_files(folder: Path) -> list[tuple[str, str]]:
    """(track, name of the file) of the segments below a hearing's folder, in their order. Blocks."""
    found: list[tuple[str, str]] = []
    for track in _names(folder):
        for name in _names(folder / track):
            if name.endswith(_SUFFIX) and name.removesuffix(_SUFFIX).isdigit():
                found.append((track, name))
    return sorted(found)


def _names(folder: Path) -> list[str]:
    """What a folder holds; nothing of what is none, or may not be read."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        return [path.name for path in folder.iterdir()]
    return []
