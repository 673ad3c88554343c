"""What hearings leave on disk beside the record: databases that grow with each, and files that nobody will ask for.

A hearing's own folder, and the center's objects, are the record and grow by what was recorded. Databases may grow by
what a hearing says, the hundredth as the first. Everything else, uploads that were never finished above all, stays as
few as it was.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

RECORD = frozenset({"hearings", "objects", "indexes", "exhibits", "uploads"})
"""Folders of the record; of `uploads` see `OnDisk.uploads`."""
LEFT_OVER = 8
"""As many other files more than after the warm-up are no leak: logs are turned, a lock is made."""
STEEPER = 2.0
"""A database grows by so many times as much for a hearing of the second half as for one of the first: it is a leak."""
SMALL_BYTES = 256 * 1024
"""Of a database: less than that is the size of its pages."""
AHEAD_BYTES = 64 * 1024 * 1024
"""More than that written ahead of a database: it is never brought in, because somebody reads for ever."""


class OnDisk(NamedTuple):
    """At one moment, after so many hearings."""

    hearings: int
    databases: dict[str, int]
    """Bytes of each, by its path below the data."""
    ahead: dict[str, int]
    """Bytes that are written ahead of each."""
    others: int
    """Files that are no part of the record."""
    uploads: int
    """Uploads at the center that are not objects yet."""


@dataclass
class DiskWatch:
    """What is below one folder."""

    folder: Path
    seen: list[OnDisk] = field(default_factory=list)

    def poll(self, hearings: int) -> None:
        """Look now. Blocks."""
        databases: dict[str, int] = {}
        ahead: dict[str, int] = {}
        others = uploads = 0
        for path, size in _files(self.folder):
            name = path.relative_to(self.folder).as_posix()
            if path.suffix == ".db":
                databases[name] = size
            elif name.endswith(".db-wal"):
                ahead[name.removesuffix("-wal")] = size
            elif name.endswith(".db-shm"):
                continue
            elif path.parent.name == "uploads" and len(path.name) == 32:
                uploads += 1
            elif not RECORD & set(path.relative_to(self.folder).parts[:-1]):
                others += 1
        self.seen.append(OnDisk(hearings, databases, ahead, others, uploads))

    def after(self, share: float) -> Sequence[OnDisk]:
        """What was seen from that share of the hearings on."""
        last = self.seen[-1].hearings if self.seen else 0
        return [one for one in self.seen if one.hearings >= last * share]

    def leaking(self) -> list[str]:
        """Databases that grow faster and faster, and `files` or `uploads` where more and more of them lie about."""
        counted = self.after(1 / 3)
        if len(counted) < 3:
            return []
        first, middle, last = counted[0], counted[len(counted) // 2], counted[-1]
        found = [
            name
            for name in last.databases
            if last.databases[name] - middle.databases.get(name, 0) > SMALL_BYTES
            and _per_hearing(middle, last, name) > STEEPER * _per_hearing(first, middle, name)
        ]
        found += [f"{name} (written ahead)" for name, size in last.ahead.items() if size > AHEAD_BYTES]
        if last.others - first.others > LEFT_OVER:
            found.append("files")
        if last.uploads - first.uploads > LEFT_OVER:
            found.append("uploads")
        return found

    def figures(self) -> dict[str, object]:
        """For print."""
        counted = self.after(1 / 3)
        if not counted:
            return {}
        first, last = counted[0], counted[-1]
        return {
            "databases_kib": {name: round(size / 1024) for name, size in last.databases.items()},
            "databases_kib_per_hearing": {
                name: round(_per_hearing(first, last, name) / 1024, 1) for name in last.databases
            },
            "written_ahead_kib_most": round(max((max(o.ahead.values(), default=0) for o in counted), default=0) / 1024),
            "other_files": last.others,
            "other_files_growth": last.others - first.others,
            "uploads_unfinished": last.uploads,
        }


def _per_hearing(before: OnDisk, after: OnDisk, name: str) -> float:
    return (after.databases.get(name, 0) - before.databases.get(name, 0)) / max(after.hearings - before.hearings, 1)


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # gone while we look
                path = Path(parent, name)
                yield path, path.lstat().st_size
