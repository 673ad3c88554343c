"""An object in a bucket as a file that is read: a request for each stretch that is asked for, never for the whole."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

from sync.runtime.files.readable_file import HasSize

AHEAD_BYTES = 1024 * 1024
"""What is fetched at once where little is asked for: whoever walks through a file asks for its next bytes soon."""
MOST_BYTES = 8 * 1024 * 1024
"""What is fetched by one request."""

Fetch = Callable[[str, int, int], bytes]
"""Bytes [from, to) of an object, all of them: `FileNotFoundError`, `StorageError`."""


@dataclass(frozen=True, slots=True)
class ObjectSize:
    """All that is known of an object without reading it."""

    st_size: int


@dataclass(frozen=True, slots=True)
class BucketFile:
    """A `ReadableFile`. Two of the same bucket and name are equal."""

    name: str
    """The SHA-256 of its content."""
    fetch: Fetch
    size: Callable[[str], int]
    """Bytes of an object: `FileNotFoundError`, `StorageError`."""

    def __str__(self) -> str:
        return f"{self.name} (in the bucket)"

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """Its bytes, of which some are fetched ahead."""
        return cast(BinaryIO, io.BufferedReader(_FetchedBytes(self), AHEAD_BYTES))

    def stat(self) -> HasSize:
        """Its size."""
        return ObjectSize(self.size(self.name))

    def is_file(self) -> bool:
        """Whether it is there."""
        try:
            self.size(self.name)
        except FileNotFoundError:
            return False
        return True


class _FetchedBytes(io.RawIOBase):
    def __init__(self, file: BucketFile) -> None:
        super().__init__()
        self._file = file
        self._size = file.stat().st_size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        end = min(self._at + min(len(buffer), MOST_BYTES), self._size)
        if end <= self._at:
            return 0
        data = self._file.fetch(self._file.name, self._at, end)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
