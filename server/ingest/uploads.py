"""Uploads by tus 1.0, as rooms of before send them: who asks, and tuspyserver's storage over our files.

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
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from fastapi import HTTPException, Request
from tuspyserver.storage import TusStorage

from server.ingest.upload_files import UploadFiles, sidecar, size_of
from sync.errors import AccessError, StorageError
from sync.http.connection import PEER
from sync.tls.certificates import PeerIdentity

_BUFFER_BYTES = 1024 * 1024


class RoomJudge(Protocol):
    """Who knows which certificates are good."""

    def room(self, peer: PeerIdentity) -> str:
        """`court/room`; `AccessError` "not-enrolled"."""

    def is_shut(self, room: str) -> bool:
        """Whether nothing is taken from a room."""


class Tokens:
    """Which room asks: by the certificate of its connection or, where that is still taken, by a bearer token."""

    def __init__(
        self,
        hashes: Mapping[str, str],
        certificates: RoomJudge | None = None,
        *,
        taken: Callable[[Request], bool] = lambda request: True,
    ) -> None:
        """`hashes`: SHA-256 (hex) of a token -> `court/room`. `certificates`: who judges those; None: they say
        nothing. `taken`: whether a token is enough for this request."""
        self._hashes = dict(hashes)
        self._certificates = certificates
        self._taken = taken

    def room(self, request: Request) -> str:
        """The room that asks; `AccessError` "not-enrolled" or "token" when it shows nothing that is good."""
        room = self.certified(request)
        if room is None:
            room = self._by_token(request)
            if self._certificates is not None and self._certificates.is_shut(room):
                raise AccessError("this room's device was revoked; enroll it again", code="not-enrolled")
        return room

    def certified(self, request: Request) -> str | None:
        """The room whose certificate came with the connection, None where none did; `AccessError` "not-enrolled"."""
        peer = request.scope.get("state", {}).get(PEER)
        if peer is None or self._certificates is None:
            return None
        return self._certificates.room(peer)

    def _by_token(self, request: Request) -> str:
        if not self._taken(request):
            raise AccessError(
                "本中心只接受法庭证书，请登记本庭或检查 [center] url (this center takes rooms by their certificate: "
                "enroll this room, and name the center's own https address in the profile, not a proxy's)",
                code="token",
            )
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        digest = hashlib.sha256(token.strip().encode("utf-8", "replace")).hexdigest()
        # A look-up by the hash of a secret tells by its time nothing of the secret.
        room = self._hashes.get(digest)
        if room is not None and scheme.lower() == "bearer":
            return room
        raise AccessError("this request needs the certificate or the token of a room of this center", code="token")


class UploadFolder(UploadFiles, TusStorage):
    """The files of uploads behind tuspyserver's routes: its storage."""

    def __init__(self, folder: Path, *, reserve_bytes: int = 0, quota_bytes: int | None = None) -> None:
        """As `UploadFiles`."""
        super().__init__(folder, reserve_bytes=reserve_bytes, quota_bytes=quota_bytes)
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
