"""Which segments of a hearing still grow in the room, and how far each has whole fragments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sync.media.fmp4 import Init, index_file
from sync.room.paths import RoomPaths
from sync.uplink.files.upload_store import Upload, UploadStore


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

    def segments(self, hearing: str) -> list[Upload]:
        """Those of which the log does not say yet that they are finished; `StorageError`."""
        folder = self._layout.hearing(hearing)
        found: list[Upload] = []
        for path in sorted(folder.glob("*/*.mp4")) if folder.is_dir() else []:
            if not path.stem.isdigit():
                continue
            key_of = Upload.growing(hearing, path.parent.name, int(path.stem), f"{path.parent.name}/{path.name}")
            known = self._store.get(key_of.key) or self._store.begin(key_of)
            if known.sha256 is None:
                found.append(known)
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
