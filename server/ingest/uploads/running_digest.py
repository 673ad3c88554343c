"""SHA-256 of a file that grows, carried along with what is appended, so that nobody reads it again to know it."""

from __future__ import annotations

import hashlib
from pathlib import Path

_CHUNK = 1024 * 1024


class RunningDigest:
    """Belongs to whoever holds the file's lock. What it was not told of, it reads from the file, once."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._count = 0

    @property
    def count(self) -> int:
        """How many bytes of the file, from its beginning, it has."""
        return self._count

    def add(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """`data` was appended at `offset`. Nothing is done where bytes before it are missing: they are read later."""
        if offset == self._count:
            self._digest.update(data)
            self._count += len(data)

    def forget(self) -> None:
        """What the file has is not known any more."""
        self._digest, self._count = hashlib.sha256(), 0

    def of(self, path: Path) -> str:
        """SHA-256 (hex) of the whole file as it is now; reads what is missing. Blocks; `OSError`."""
        with path.open("rb") as file:
            if file.seek(0, 2) < self._count:
                self.forget()  # shorter than what was appended: nothing that was known of it holds
            file.seek(self._count)
            while chunk := file.read(_CHUNK):
                self._digest.update(chunk)
                self._count += len(chunk)
        return self._digest.hexdigest()
