"""Objects in a folder of this machine: files named by their content, `objects/ab/abcdef…`; written once, synced."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sync.errors import StorageError
from sync.runtime.files.durable_files import sync_folder

_CHUNK = 1024 * 1024
_NAME = re.compile(r"[0-9a-f]{64}")


class ObjectFolder:
    """An `ObjectStore`: what is on this machine's disk. What it lacks is told of the disk, beside it."""

    lacks = wants = ""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the bytes with this hash are, or would be."""
        return self._folder / sha256[:2] / sha256

    def file(self, sha256: str) -> Path:
        """The same, as who reads it asks for it."""
        return self.path(sha256)

    def link(self, sha256: str, filename: str) -> None:
        """A folder has no addresses."""

    def look(self) -> None:
        """Nothing is ever half done here: a file is written elsewhere, and gets its name when it is whole."""

    def names(self) -> Iterator[tuple[str, int]]:
        """(SHA-256, bytes) of all objects, in the order of their hashes."""
        for folder in sorted(self._folder.iterdir()):
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                if _NAME.fullmatch(path.name) and path.name.startswith(folder.name):
                    yield path.name, path.stat().st_size

    def remove(self, sha256: str) -> None:
        """Delete an object of which another store has every byte; nothing when it is gone already."""
        self.path(sha256).unlink(missing_ok=True)

    def has(self, sha256: str, size: int) -> bool:
        """Whether these bytes are here. What carries a name was hashed and synced before it got the name."""
        try:
            return self.path(sha256).stat().st_size == size
        except FileNotFoundError:
            return False

    def take(self, source: Path, sha256: str, size: int, known: str | None = None) -> bool:
        """Give a file its place in the store if its bytes are what is claimed; False (and nothing done) when not.

        `known`: the hash of the file where whoever wrote it has taken it along; it is not read again then.

        On disk when it returns: file, name and folder. Idempotent. `source` keeps its name where the file system has
        hard links: whoever is interrupted before the object is noted finds it again, and nothing is sent twice.
        """
        try:
            with source.open("rb") as file:
                if os.fstat(file.fileno()).st_size != size:
                    return False
                if (known or _digest(file)) != sha256:
                    return False
                os.fsync(file.fileno())
            target = self.path(sha256)
            if not target.parent.is_dir():
                target.parent.mkdir(exist_ok=True)
                sync_folder(self._folder)
            if not self.has(sha256, size):
                self._name(source, target)
                target.chmod(0o440)
                sync_folder(target.parent)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StorageError(
                f"the object store cannot take a file ({error.strerror}); it was not receipted", code="storage"
            ) from error
        return True

    @staticmethod
    def _name(source: Path, target: Path) -> None:
        try:
            target.unlink(missing_ok=True)  # of another size: nothing that was ever receipted
            os.link(source, target)
        except FileNotFoundError:
            raise
        except OSError:
            source.rename(target)  # a file system without hard links
            sync_folder(source.parent)


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
