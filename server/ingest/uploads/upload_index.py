"""Which uploads there are: found by id, room, track or file, without a look at anybody else's."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TypeVar

from server.ingest.uploads.partial import FileKey, Partial

K = TypeVar("K")
_Track = tuple[str, str, str]
"""Room, hearing, track."""


class UploadIndex:
    """Safe in several threads; what it gives is a copy."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[str, Partial] = {}
        self._of_room: defaultdict[str, dict[str, Partial]] = defaultdict(dict)
        self._of_track: defaultdict[_Track, dict[str, Partial]] = defaultdict(dict)
        self._of_file: dict[FileKey, Partial] = {}
        self._outstanding: dict[str, int] = {}

    def get(self, uid: str) -> Partial | None:
        """What is known of an upload."""
        return self._all.get(uid)

    def all(self) -> list[Partial]:
        """Every upload of every room."""
        with self._lock:
            return list(self._all.values())

    def of_room(self, room: str) -> list[Partial]:
        """Those of a room."""
        with self._lock:
            return list(self._of_room.get(room, {}).values())

    def of_track(self, room: str, hearing: str, track: str) -> list[Partial]:
        """Those that are to become segments of a track."""
        with self._lock:
            return list(self._of_track.get((room, hearing, track), {}).values())

    def of_file(self, file: FileKey) -> Partial | None:
        """The one of a file that goes on; of several, the one that had most of it when the last came."""
        return self._of_file.get(file)

    def count(self, room: str) -> int:
        """How many a room has."""
        return len(self._of_room.get(room, ()))

    def outstanding(self, room: str) -> int:
        """How many bytes a room has."""
        return self._outstanding.get(room, 0)

    def add(self, partial: Partial) -> None:
        """One more; one with a known id is the same as before."""
        with self._lock:
            if partial.uid in self._all:
                return
            self._all[partial.uid] = partial
            said = partial.metadata
            self._of_room[said.room][partial.uid] = partial
            if said.kind == "segment":
                self._of_track[said.room, said.hearing, said.track][partial.uid] = partial
            other = self._of_file.get(said.file)
            if other is None or other.bytes <= partial.bytes:
                self._of_file[said.file] = partial
            self._outstanding[said.room] = self._outstanding.get(said.room, 0) + partial.bytes

    def resize(self, partial: Partial, size: int) -> int:
        """Note how large a file is now; by how much it grew. What was dropped counts no more."""
        with self._lock:
            grown = size - partial.bytes
            partial.bytes = size
            if partial.uid in self._all:
                room = partial.metadata.room
                self._outstanding[room] = self._outstanding.get(room, 0) + grown
            return grown

    def drop(self, uid: str) -> Partial | None:
        """Forget one; None where it is not known."""
        with self._lock:
            partial = self._all.pop(uid, None)
            if partial is None:
                return None
            said = partial.metadata
            _take_away(self._of_room, said.room, uid)
            if said.kind == "segment":
                _take_away(self._of_track, (said.room, said.hearing, said.track), uid)
            if self._of_file.get(said.file) is partial:
                del self._of_file[said.file]
            left = self._outstanding.get(said.room, 0) - partial.bytes
            self._outstanding[said.room] = left
            if said.room not in self._of_room:
                del self._outstanding[said.room]
            return partial


def _take_away(groups: dict[K, dict[str, Partial]], key: K, uid: str) -> None:
    group = groups[key]
    del group[uid]
    if not group:
        del groups[key]
