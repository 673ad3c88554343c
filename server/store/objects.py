"""The object store: files named by their content, `objects/ab/abcdef…`; written once, synced, never changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from sync.errors import StorageError
from sync.runtime.files.durable_files import sync_folder

_CHUNK = 1024 * 1024


class ObjectStore:
    """All methods block; call them off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the bytes with this hash are, or would be."""
        return self._folder / sha256[:2] / sha256

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
