"""Where the record's files are kept for good, by the SHA-256 of their content: written once, never changed.

Two keep this promise: `ObjectFolder` on a disk of this machine, `ObjectBucket` in an S3-compatible store. Whoever takes
a file, plays it or exports it knows this form alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from sync.runtime.files.readable_file import ReadableFile


class ObjectStore(Protocol):
    """All methods block; call them off the event loop. `StorageError` says what is wrong and what happens next."""

    def file(self, sha256: str) -> ReadableFile:
        """The object with this hash, to be read; whether it is there is known when it is opened. Does not block."""

    def has(self, sha256: str, size: int) -> bool:
        """Whether these bytes are here. What carries a name was hashed and durable before it got the name."""

    def take(self, source: Path, sha256: str, size: int, known: str | None = None) -> bool:
        """Give a file its place in the store if its bytes are what is claimed; False (and nothing done) when not.

        `known`: the hash of the file where whoever wrote it has taken it along; it is not read again for it. Durable
        when it returns. Idempotent. Nothing of it is seen before all of it is there.
        """

    def names(self) -> Iterator[tuple[str, int]]:
        """(SHA-256, bytes) of all objects, in the order of their hashes."""

    def link(self, sha256: str, filename: str) -> str | None:
        """An address at which a browser may take the whole object for some seconds, as a download of this name; None
        where there is none to be had, and it goes through the center. Who asks has judged whether it may be seen."""

    def look(self) -> None:
        """See whether the store can be used now, and take away what an earlier life left half done. Raises nothing:
        `lacks` and `wants` say what was found."""

    @property
    def lacks(self) -> str:
        """What keeps the store from its work, in words for an administrator; empty when it is well. Does not block."""

    @property
    def wants(self) -> str:
        """What it does its work without, likewise."""
