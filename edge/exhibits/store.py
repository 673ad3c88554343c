"""A file from a party is looked at by its content, then kept under its own hash, on disk when it is announced.

One file is looked at at a time (`edge.exhibits.desk`), and few wait for it: who comes when all those places are taken
is asked to come back.

Taken is what `edge.exhibits.formats` knows how to draw, of at most `MAX_BYTES`, and opens. It is kept as it was handed
in, whatever is done to show it, and its first page is drawn before anybody hears of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from edge.exhibits import office
from edge.exhibits.desk import Rank, ReadingDesk
from edge.exhibits.drawer import DrawnJpeg, FileDescription, PageDrawer
from edge.exhibits.formats import DOCX
from edge.exhibits.pictures import keep_picture
from edge.exhibits.refusal import NEEDS_OFFICE
from sync.errors import MediaError, StorageError
from sync.record.bodies.evidence import DrawnPicture
from sync.room.paths import CONVERTED, RoomPaths
from sync.runtime.files.digests import CheckValues, Digests
from sync.runtime.files.durable_files import sync_folder

MAX_BYTES = 50 * 1024 * 1024
MOST_WAITING = 8
"""Files that are here at once: one is looked at, the others are written and wait. A recording goes on beside them."""


@dataclass(frozen=True)
class StoredExhibit:
    """A file that is on disk as `exhibits/<sha256>`, and the picture of its first page."""

    sha256: str
    sm3: str
    bytes: int
    file: FileDescription
    first: DrawnPicture


class ExhibitStore:
    """Where the files of hearings come in. All methods belong to one event loop."""

    def __init__(self, layout: RoomPaths, desk: ReadingDesk) -> None:
        self._layout = layout
        self._desk = desk
        self._here = 0

    async def take(self, hearing: str, pieces: AsyncIterator[bytes]) -> StoredExhibit:
        """Look at a file and keep it; `MediaError` for what is not taken, `StorageError` when the disk refuses."""
        if self._here >= MOST_WAITING:
            raise MediaError(
                f"已有 {MOST_WAITING} 份证据在等待检查，请等前面的添加完再试"
                f" ({MOST_WAITING} files are waiting to be looked at; add this one when they are done)",
                code="exhibit-busy",
            )
        self._here += 1
        try:
            return await self._take(hearing, pieces)
        finally:
            self._here -= 1

    async def _take(self, hearing: str, pieces: AsyncIterator[bytes]) -> StoredExhibit:
        folder = self._layout.exhibits(hearing)
        temporary = folder / f".new-{secrets.token_hex(8)}"
        converted = temporary.with_suffix(".pdf")
        try:
            await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
            checks, size = await _write(temporary, pieces)
            file, drawn = await self._desk.run(Rank.HANDED_IN, lambda: self._look(temporary, converted))
            pages = self._layout.pages(hearing, checks.sha256)
            first = await asyncio.to_thread(keep_picture, pages, 1, 1, drawn)
            if converted.is_file():
                await asyncio.to_thread(_settle, converted, pages / CONVERTED)
            await asyncio.to_thread(_settle, temporary, folder / checks.sha256)
        except OSError as error:
            raise StorageError(f"证据无法写入磁盘 (the exhibit cannot be written: {error.strerror})") from error
        finally:
            await asyncio.to_thread(temporary.unlink, missing_ok=True)
            await asyncio.to_thread(converted.unlink, missing_ok=True)
        return StoredExhibit(checks.sha256, checks.sm3, size, file, first)

    async def _look(self, temporary: Path, converted: Path) -> tuple[FileDescription, DrawnJpeg]:
        await self._desk.shut()
        drawer = await _open(temporary, converted)
        try:
            return drawer.file, await drawer.draw(1, 1)
        finally:
            await drawer.close()


async def _open(path: Path, converted: Path) -> PageDrawer:
    """The file's drawer; of a document that only an office program can lay out, that of the PDF which it makes."""
    try:
        return await PageDrawer.open(path)
    except MediaError as error:
        if error.code != NEEDS_OFFICE:
            raise
        program = office.program()
        if program is None:
            raise MediaError(error.message, code="exhibit-type") from error
    version = await office.convert(program, path, converted)
    drawer = await PageDrawer.open(converted)
    drawer.file = FileDescription(DOCX, drawer.file.pages, f"由 {version} 转换为 PDF 后展示"[:200])
    return drawer


async def _write(path: Path, pieces: AsyncIterator[bytes]) -> tuple[CheckValues, int]:
    digests, size = Digests(), 0
    with path.open("xb") as file:
        async for piece in pieces:
            size += len(piece)
            if size > MAX_BYTES:
                raise too_large()
            digests.update(piece)
            await asyncio.to_thread(file.write, piece)
    return digests.checks(), size


def too_large() -> MediaError:
    """The one sentence for files over the limit."""
    return MediaError("文件超过 50 MB，请压缩或拆分 (more than 50 MB; compress or split it)", code="too-large")


def _settle(temporary: Path, final: Path) -> None:
    final.parent.mkdir(parents=True, exist_ok=True)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(final)
    with contextlib.suppress(FileNotFoundError):
        sync_folder(final.parent)
