"""A file that is read and never changed, wherever it lies: a `Path` is one, and so is an object in a bucket."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

PIECE_BYTES = 1024 * 1024


class HasSize(Protocol):
    """What `stat` says of a file."""

    @property
    def st_size(self) -> int:
        """Bytes."""


class ReadableFile(Protocol):
    """All methods block. `FileNotFoundError` for what is not there, `OSError` or `StorageError` for what cannot be
    read."""

    @property
    def name(self) -> str:
        """Its last name."""

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """Its bytes, which may be asked for at any place."""

    def stat(self) -> HasSize:
        """Its size."""

    def is_file(self) -> bool:
        """Whether it is there."""

    def __hash__(self) -> int:
        """Two that are equal are one file."""


def local_file(file: ReadableFile, target: Path) -> Path:
    """The file on this machine: itself, or a copy of what lies elsewhere, at `target`."""
    if isinstance(file, Path):
        return file
    copy_file(file, target)
    return target


def copy_file(source: ReadableFile, target: Path) -> None:
    """Write a file's bytes to a place of this machine, whose folders are made; piece by piece."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as old, target.open("wb") as new:
        shutil.copyfileobj(old, new, PIECE_BYTES)
