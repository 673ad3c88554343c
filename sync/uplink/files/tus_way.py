"""Brings one file to a center of before, by tus: as far as it goes now, or whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from pathlib import Path

from sync.errors import StorageError
from sync.uplink.files.tus import TusClient, UploadGoneError
from sync.uplink.files.upload_store import Upload, UploadStore
from sync.uplink.token_bucket import TokenBucket


class TusWay:
    """All methods belong to one event loop, one call for a file at a time; errors as of `TusClient`, `StorageError`."""

    def __init__(
        self,
        room: str,
        tus: TusClient,
        store: UploadStore,
        pace: TokenBucket,
        path_of: Callable[[Upload], Path],
        held: MutableMapping[str, int],
    ) -> None:
        """`held`: key -> bytes that the center has, kept up to date; what is not in it is asked."""
        self._room = room
        self._tus = tus
        self._store = store
        self._pace = pace
        self._path_of = path_of
        self._held = held

    async def complete(self, upload: Upload, size: int, piece_bytes: int) -> None:
        """Bring all bytes to the center."""
        try:
            name, offset = await self._resume(upload)
        except UploadGoneError:
            if upload.upload is None:
                raise
            return  # perhaps it is stored already and the answer was lost: the confirmation tells
        if offset > size:
            raise UploadGoneError("the center holds more than the file has; it is sent again")
        if offset < size or size == 0:
            await self._send(upload, name, offset, size, piece_bytes, length=size)
        else:
            await self._tus.append(name, offset, b"", length=size)  # all is there but its length is not known yet

    async def forward(self, upload: Upload, until: int, piece_bytes: int) -> None:
        """Bring a growing file as far as it has grown."""
        if self._held.get(upload.key) == until:
            return
        name, offset = await self._resume(upload)
        if offset < until:  # more is what the disk lost after a power cut; the checksum at the end decides
            await self._send(upload, name, offset, until, piece_bytes)

    async def _resume(self, upload: Upload) -> tuple[str, int]:
        """The id at the center and the offset from which to go on."""
        if upload.upload is not None:
            if upload.key not in self._held:
                self._held[upload.key] = await self._tus.offset(upload.upload)
            return upload.upload, self._held[upload.key]
        name = await self._tus.create(
            {
                "room": self._room,
                "hearing": upload.hearing,
                "kind": upload.kind,
                "track": upload.track,
                "index": str(upload.index),
                "name": upload.file,
                "filetype": upload.media_type,
            }
        )
        await asyncio.to_thread(self._store.set_upload, upload.key, name)
        return name, 0

    async def _send(
        self, upload: Upload, name: str, offset: int, until: int, piece_bytes: int, *, length: int | None = None
    ) -> None:
        path = self._path_of(upload)
        while True:
            data = await asyncio.to_thread(read_piece, path, offset, min(piece_bytes, until - offset))
            await self._pace.take(len(data))
            last = offset + len(data) >= until
            offset = await self._tus.append(name, offset, data, length=length if last else None)
            self._held[upload.key] = offset
            if last:
                return


def read_piece(path: Path, offset: int, count: int) -> bytes:
    """`count` bytes of a file. Blocks; `StorageError` when it has no more so many, `OSError`."""
    if count == 0:
        return b""
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(count)
    if len(data) < count:
        raise StorageError(f"{path.name} is shorter than the room's log says; its bytes are gone from the disk")
    return data
