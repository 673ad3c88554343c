"""Uploads by tus 1.0, as rooms of before send them: tuspyserver's storage over our files.

The routes are tuspyserver's; the storage behind them is ours (`UploadFiles`), because of what the library's own does
(4.4.3): it trusts the offset in its sidecar over the file (after a crash it appends a chunk twice), authorizes a PATCH
after it has written the body, and answers HEAD with 400 when the metadata has no file type. Here every request is
authorized before its body is read, appended bytes are on disk before the answer, and the offset is the size of the
file.

Refused: a missing or unknown token (401), another room's upload (403), concatenation, uploads with a body at creation,
kinds of files that nothing could claim (422), and what would take the disk below its reserve or a room above what it
may have outstanding (507), also in the middle of a body: what was written by then is kept and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from tuspyserver.storage import TusStorage

from server.ingest.uploads.upload_files import UploadFiles, sidecar, size_of
from sync.errors import StorageError

_BUFFER_BYTES = 1024 * 1024


class UploadFolder(UploadFiles, TusStorage):
    """The files of uploads behind tuspyserver's routes: its storage."""

    def __init__(
        self, folder: Path, *, reserve_bytes: int = 0, quota_bytes: int | None = None, shared: bool = False
    ) -> None:
        """As `UploadFiles`."""
        super().__init__(folder, reserve_bytes=reserve_bytes, quota_bytes=quota_bytes, shared=shared)
        self._pending: dict[str, bytearray] = {}
        self._begun: set[str] = set()
        """Those that the routes are creating: of others that are not known nothing is kept."""

    def __deepcopy__(self, memo: dict[int, Any]) -> UploadFolder:
        return self  # the routes copy their options for each request; there is one folder

    def location(self, uid: str) -> str:
        """The file of an upload."""
        return str(self._path(uid))

    async def create(self, uid: str) -> None:
        """Begin an empty file."""
        self._begun.add(uid)
        await asyncio.to_thread(self._path(uid).touch, 0o640)

    async def exists(self, uid: str) -> bool:
        """Whether there is such an upload."""
        partial = self._index.get(uid)
        return partial is not None and await asyncio.to_thread(partial.path.exists)

    async def size(self, uid: str) -> int:
        """Bytes received."""
        return await asyncio.to_thread(size_of, self._path(uid))

    async def append(self, uid: str, chunk: bytes) -> None:
        """Write at the end; memory holds at most `_BUFFER_BYTES` of it."""
        pending = self._pending.setdefault(uid, bytearray())
        pending += chunk
        if len(pending) >= _BUFFER_BYTES:
            await _told(self._append, uid, self._pending.pop(uid))

    async def flush(self, uid: str) -> None:
        """Bring what was appended to the disk, before the offset is told."""
        await _told(self._sync, uid, self._pending.pop(uid, bytearray()))

    async def finalize(self, uid: str) -> None:
        """Nothing to seal: `POST /api/objects` decides."""

    async def read(self, uid: str) -> bytes | None:
        """The whole content; not used by the routes."""
        return await asyncio.to_thread(self._path(uid).read_bytes) if await self.exists(uid) else None

    async def delete(self, uid: str) -> None:
        """Drop an upload that the room gave up."""
        await asyncio.to_thread(self.forget, uid)

    async def read_info(self, uid: str) -> dict[str, Any] | None:
        """The sidecar, with the offset that the file really has."""
        return await asyncio.to_thread(self._read_info, uid)

    def _read_info(self, uid: str) -> dict[str, Any] | None:
        info = self._info(uid)
        return None if info is None else {**info, "offset": size_of(self._path(uid))}

    async def write_info(self, uid: str, data: dict[str, Any]) -> None:
        """Keep the sidecar."""
        text = sidecar(uid, data)
        if self._is_written(uid, text) or (self._index.get(uid) is None and uid not in self._begun):
            return  # nothing new, or of an upload that was dropped meanwhile
        await asyncio.to_thread(self._write_info, uid, text)
        self._begun.discard(uid)

    async def list_uids(self) -> list[str]:
        """All uploads."""
        return [partial.uid for partial in self._index.all()]

    # The library declares its own `lock` as a bare iterator but uses it as this.
    def lock(self, uid: str) -> contextlib.AbstractAsyncContextManager[None]:  # type: ignore[override]
        """One writer per upload. Of one that is not known nobody needs a lock."""
        return self._locked(uid)

    @contextlib.asynccontextmanager
    async def _locked(self, uid: str) -> AsyncIterator[None]:
        partial = self._index.get(uid)
        async with contextlib.AsyncExitStack() as stack:
            if partial is not None:
                await stack.enter_async_context(partial.lock)
            try:
                yield
            finally:
                self._pending.pop(uid, None)  # of a request that was refused halfway


async def _told(work: Callable[[str, bytearray], None], uid: str, data: bytearray) -> None:
    """Off the loop. The routes would swallow any other error and answer as if all were well."""
    try:
        await asyncio.to_thread(work, uid, data)
    except StorageError as error:
        raise HTTPException(507, error.message, headers={"Retry-After": "5"}) from error
    except OSError as error:
        ours = StorageError(f"an upload cannot be kept ({error.strerror}); look at the center's disk")
        raise HTTPException(507, ours.message, headers={"Retry-After": "5"}) from ours
