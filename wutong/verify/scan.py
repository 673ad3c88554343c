"""Reads every segment once: SHA-256, SM3 and the walk over its boxes, several files at a time.

Hashing lets go of the interpreter, so threads are enough to keep all processors busy. Memory is bounded by `PIECE`
times the threads, whatever the size of a file.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import hashes

from sync.errors import MediaError
from wutong.verify.walk import FragmentWalk

PIECE = 1024 * 1024
_HAS_SM3 = "sm3" in hashlib.algorithms_available


@dataclass(slots=True)
class FileFact:
    """What a file is. `sm3` is empty when it was not asked for."""

    bytes: int = 0
    sha256: str = ""
    sm3: str = ""
    error: str = ""
    """It cannot be read at all."""
    walk_error: str = ""
    """Its boxes are not those of a segment."""
    mime: str = ""
    fragments: int = 0
    spans: list[tuple[int, int]] = field(default_factory=list)
    utc: tuple[int, int] | None = None


def scan(
    files: Mapping[str, Path],
    *,
    walk: bool,
    sm3: bool,
    progress: Callable[[int], None] = lambda count: None,
    workers: int | None = None,
) -> dict[str, FileFact]:
    """What each of `files` is; `progress` is told how many bytes were read since it was told last."""
    facts: dict[str, FileFact] = {}
    # The largest first: no thread is left alone with a long file at the end.
    order = sorted(files.items(), key=lambda item: -_size(item[1]))
    with ThreadPoolExecutor(workers or min(os.cpu_count() or 1, 16)) as pool:
        running = {pool.submit(_scan, path, walk, sm3, progress): name for name, path in order}
        for done in as_completed(running):
            facts[running[done]] = done.result()
    return facts


def open_plain(path: Path) -> int:
    """A file descriptor of a plain file, never of a link, a device or a pipe; `OSError`."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(f"{path.name} is no plain file")
    return fd


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _scan(path: Path, walk: bool, sm3: bool, progress: Callable[[int], None]) -> FileFact:
    fact = FileFact()
    first = hashlib.sha256()
    second = _Sm3() if sm3 else None
    boxes = FragmentWalk() if walk else None
    try:
        buffer = bytearray(PIECE)
        whole = memoryview(buffer)
        with os.fdopen(open_plain(path), "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                piece = whole[:count]
                first.update(piece)
                if second is not None:
                    second.update(piece)
                if boxes is not None:
                    boxes = _walked(boxes, piece, fact)
                fact.bytes += count
                progress(count)
        if boxes is not None:
            _walked(boxes, None, fact)
    except OSError as error:
        fact.error = error.strerror or str(error)
    fact.sha256 = first.hexdigest()
    fact.sm3 = "" if second is None else second.hexdigest()
    return fact


def _walked(boxes: FragmentWalk, piece: memoryview | None, fact: FileFact) -> FragmentWalk | None:
    try:
        if piece is not None:
            boxes.feed(piece)
            return boxes
        boxes.close()
    except MediaError as error:
        fact.walk_error = error.message
    fact.fragments, fact.spans, fact.utc = boxes.fragments, boxes.spans, boxes.utc
    fact.mime = "" if boxes.init is None else boxes.init.mime
    return None


class _Sm3:
    """The system's OpenSSL where it has SM3, else the one that the cryptography library brings."""

    def __init__(self) -> None:
        self._system = hashlib.new("sm3") if _HAS_SM3 else None
        self._own = None if _HAS_SM3 else hashes.Hash(hashes.SM3())

    def update(self, data: memoryview) -> None:
        if self._system is not None:
            self._system.update(data)
        elif self._own is not None:
            self._own.update(data)

    def hexdigest(self) -> str:
        if self._system is not None:
            return self._system.hexdigest()
        assert self._own is not None
        return self._own.finalize().hex()
