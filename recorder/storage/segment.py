"""One file of the record while it grows, and its journal.

Promises: a fragment that `append` returned from is on disk; the journal `NNNNN.jsonl` has a line for it (offset,
length, sha256, room_ns, to_ns, utc_ns, key); a failed write leaves the file as it was before. `close` gives both
hashes of the whole file. Nothing here deletes media.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder.capture.fragment import StampedFragment, WorkerRun
from sync.errors import StorageError
from sync.runtime.files.digests import Digests
from sync.runtime.files.durable_files import sync_folder

TAKEN = "taken"
"""Code of the error when the number of a segment belongs to somebody else."""


@dataclass(frozen=True, slots=True)
class ClosedSegment:
    """A finished file, ready for the room's log."""

    index: int
    path: Path
    bytes: int
    sha256: str
    sm3: str
    from_ns: int
    to_ns: int
    fragments: int
    mime: str


def make_folder(folder: Path) -> None:
    """Make it and what is missing above it, so that a power cut takes none of them away."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        sync_folder(one.parent)


def next_index(folder: Path) -> int:
    """The first number that no segment of this track had before, journals of empty ones included."""
    taken = [int(p.stem) for p in folder.glob("*.*") if p.stem.isdigit()]
    return max(taken, default=-1) + 1


def take_index(path: Path) -> int:
    """Make the journal of a new segment `path`, and open it: who made it has the number, whoever else wants it.

    `StorageError` `TAKEN` when somebody has it already.
    """
    try:
        return os.open(path.with_suffix(".jsonl"), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
    except FileExistsError as error:
        raise StorageError(f"录像文件 {path.name} 已存在", code=TAKEN) from error


def journal_line(offset: int, data: bytes, fragment: dict[str, Any]) -> bytes:
    """One line of a journal."""
    value = {"offset": offset, "length": len(data), "sha256": hashlib.sha256(data).hexdigest(), **fragment}
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


class SegmentFile:
    """An open segment file. Used by one thread."""

    def __init__(self, folder: Path, index: int, run: WorkerRun) -> None:
        """`StorageError` when it cannot be made, `TAKEN` when another thread has just taken this number."""
        self.index = index
        self.run = run
        self.path = folder / f"{index:05d}.mp4"
        self.from_ns = self.to_ns = self.utc_ns = 0
        self._torn = False
        self.fragments = 0
        self._digests = Digests()
        self.bytes = 0
        with contextlib.ExitStack() as undo:
            try:
                make_folder(folder)
                self._journal = take_index(self.path)
                undo.callback(os.close, self._journal)
                self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
                undo.callback(self.path.unlink, missing_ok=True)
                undo.callback(os.close, self._file)
                self._write(run.init.data)
                sync_folder(folder)
            except OSError as error:
                raise StorageError(f"录像文件 {self.path.name} 无法写入：{error.strerror}；请检查磁盘") from error
            undo.pop_all()

    def append(self, fragment: StampedFragment) -> None:
        """On disk when this returns; `StorageError` and an unchanged file when it could not be."""
        try:
            offset = self.bytes
            self._write(fragment.data)
            facts = {
                "room_ns": fragment.from_ns,
                "to_ns": fragment.to_ns,
                "utc_ns": fragment.utc_ns,
                "key": fragment.key_frame,
            }
            # Not synced by itself: after a power cut, recovery reads what it lacks from the media.
            os.write(self._journal, journal_line(offset, fragment.data, facts))
        except OSError as error:
            raise StorageError(f"录像文件 {self.path.name} 无法写入：{error.strerror}；请检查磁盘") from error
        if not self.fragments:
            self.from_ns, self.utc_ns = fragment.from_ns, fragment.utc_ns
        self.to_ns = max(self.to_ns, fragment.to_ns)
        self.fragments += 1

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._file, view) :]
            os.fdatasync(self._file)
        except OSError:
            self._torn = True
            os.ftruncate(self._file, self.bytes)
            self._torn = False
            raise
        self.bytes += len(data)
        self._digests.update(data)

    def close(self) -> ClosedSegment | None:
        """Finish the file; None when it holds no fragment (then the log hears nothing of it)."""
        try:
            if self._torn:  # a disk that refused even to take back half a fragment
                os.ftruncate(self._file, self.bytes)
            os.fsync(self._file)
            os.fsync(self._journal)
        except OSError as error:
            raise StorageError(f"录像文件 {self.path.name} 无法写完：{error.strerror}；请检查磁盘") from error
        finally:
            os.close(self._file)
            os.close(self._journal)
        if not self.fragments:
            self.path.unlink(missing_ok=True)
            return None
        checks = self._digests.checks()
        return ClosedSegment(
            index=self.index,
            path=self.path,
            bytes=self.bytes,
            sha256=checks.sha256,
            sm3=checks.sm3,
            from_ns=self.from_ns,
            to_ns=self.to_ns,
            fragments=self.fragments,
            mime=self.run.init.mime,
        )
