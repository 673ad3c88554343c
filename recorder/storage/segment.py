"""One file of the record while it grows, and its journal.

Promises: a fragment that `write` returned from is in the kernel's hands, so it outlives this process; after `sync` it
is on disk, and after `enter` the journal `NNNNN.jsonl` has a line for it (offset, length, sha256, room_ns, to_ns,
utc_ns, key). A failed write leaves the file as it was before; after a failed sync the file ends with the last fragment
that was entered, and takes no more. `close` gives both hashes of the whole file. Nothing here deletes media.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
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


@dataclass(frozen=True, slots=True)
class WrittenFragment:
    """A fragment that the kernel has, and where in the file it is."""

    fragment: StampedFragment
    offset: int


def make_folder(folder: Path) -> None:
    """Make it and what is missing above it, so that a power cut takes none of them away."""
    for one in _made(folder):
        sync_folder(one)


def _made(folder: Path) -> list[Path]:
    """Make it and what is missing above it; the folders to sync before a power cut takes none of them away."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [one.parent for one in missing]


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
    """An open segment file. One thread makes it and writes, one syncs, enters and closes, when no more is written."""

    def __init__(self, folder: Path, index: int, run: WorkerRun) -> None:
        """`StorageError` when it cannot be made, `TAKEN` when another thread has just taken this number."""
        self.index = index
        self.run = run
        self.path = folder / f"{index:05d}.mp4"
        self.began_ns = 0
        """Room time of the first fragment that was written."""
        self.from_ns = self.to_ns = self.utc_ns = 0
        self.fragments = 0
        """How many were entered."""
        self._lock = threading.Lock()
        """Of the file's end."""
        self._written_bytes = 0
        self._entered_bytes = len(run.init.data)
        self.refused = ""
        """Why no more can be written."""
        self.closed = False
        """Whether it was finished, or tried to be."""
        self._torn = False
        self._digests = Digests()
        self._digests.update(run.init.data)
        with contextlib.ExitStack() as undo:
            try:
                self._names_in = [*_made(folder), folder]
                """Folders that are to be synced, so that a power cut takes the file's name from none of them."""
                self._journal = take_index(self.path)
                undo.callback(os.close, self._journal)
                self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
                undo.callback(self.path.unlink, missing_ok=True)
                undo.callback(os.close, self._file)
                self._write(run.init.data)
            except OSError as error:
                raise self._refusal(error) from error
            undo.pop_all()

    def write(self, fragment: StampedFragment) -> WrittenFragment:
        """The kernel has it when this returns; `StorageError` and an unchanged file when it did not take it."""
        with self._lock:
            if self.refused:
                raise StorageError(self.refused)
            offset = self._written_bytes
            try:
                self._write(fragment.data)
            except OSError as error:
                raise self._refusal(error) from error
        if offset == len(self.run.init.data):
            self.began_ns = fragment.from_ns
        return WrittenFragment(fragment, offset)

    def sync(self) -> None:
        """What was written when this began is on disk when it returns.

        `StorageError` when it could not be brought there: what was not entered before is cut off again.
        """
        try:
            os.fdatasync(self._file)
            while self._names_in:
                sync_folder(self._names_in[-1])
                self._names_in.pop()
        except OSError as error:
            raise self._cut_back(error) from error

    def enter(self, written: WrittenFragment) -> None:
        """Write the journal's line of the next fragment that was synced; `StorageError` as of `sync`."""
        fragment = written.fragment
        facts = {
            "room_ns": fragment.from_ns,
            "to_ns": fragment.to_ns,
            "utc_ns": fragment.utc_ns,
            "key": fragment.key_frame,
        }
        try:
            # Not synced by itself: after a power cut, recovery reads what it lacks from the media.
            os.write(self._journal, journal_line(written.offset, fragment.data, facts))
        except OSError as error:
            raise self._cut_back(error) from error
        self._digests.update(fragment.data)
        self._entered_bytes = written.offset + len(fragment.data)
        if not self.fragments:
            self.from_ns, self.utc_ns = fragment.from_ns, fragment.utc_ns
        self.to_ns = max(self.to_ns, fragment.to_ns)
        self.fragments += 1

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError:
            self._cut(self._written_bytes)
            raise
        self._written_bytes += len(data)

    def _cut_back(self, error: OSError) -> StorageError:
        refusal = self._refusal(error)
        with self._lock:
            self.refused = str(refusal)
            with contextlib.suppress(OSError):
                self._cut(self._entered_bytes)
        return refusal

    def _cut(self, end: int) -> None:
        self._torn = True
        os.ftruncate(self._file, end)
        self._torn = False

    def _refusal(self, error: OSError) -> StorageError:
        return StorageError(f"录像文件 {self.path.name} 无法写入：{error.strerror}；请检查磁盘")

    def close(self) -> ClosedSegment | None:
        """Finish the file; None when it holds no fragment (then the log hears nothing of it)."""
        self.closed = True
        try:
            if self._torn:  # a disk that refused even to take back half a fragment
                os.ftruncate(self._file, self._entered_bytes)
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
            bytes=self._entered_bytes,
            sha256=checks.sha256,
            sm3=checks.sm3,
            from_ns=self.from_ns,
            to_ns=self.to_ns,
            fragments=self.fragments,
            mime=self.run.init.mime,
        )
