"""Resumable uploads (tus 1.0) of the rooms: who may touch what, and files whose length is the only truth.

The routes are tuspyserver's; the storage behind them is ours, because of what the library's own does (4.4.3): it
trusts the offset in its sidecar over the file (after a crash it appends a chunk twice), authorizes a PATCH after it
has written the body, and answers HEAD with 400 when the metadata has no file type. Here every request is authorized
before its body is read, appended bytes are on disk before the answer, and the offset is the size of the file.

Refused: a missing or unknown token (401), another room's upload (403), concatenation, uploads with a body at creation,
kinds of files that nothing could claim (422), and what would take the disk below its reserve or a room above what it
may have outstanding (507), also in the middle of a body: what was written by then is kept and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import re
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog
from fastapi import HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tuspyserver.storage import TusStorage

from sync.errors import AccessError, StorageError, WutongError
from sync.http.connection import PEER
from sync.record.bodies.limits import Name
from sync.runtime.durable_files import replace_file
from sync.tls.certificates import PeerIdentity

log = structlog.get_logger(__name__)

_UID = re.compile(r"[0-9a-f]{32}")
_BUFFER_BYTES = 1024 * 1024
ORPHAN_DAYS = 7
"""An upload to which nothing was added for so long has lost its room, which keeps the file and begins another."""
MOST_UPLOADS = 2000
"""Of one room that are not objects yet: each track of each hearing that waits is some of them."""


class RoomJudge(Protocol):
    """Who knows which certificates are good."""

    def room(self, peer: PeerIdentity) -> str:
        """`court/room`; `AccessError` "not-enrolled"."""

    def is_shut(self, room: str) -> bool:
        """Whether nothing is taken from a room."""


class Metadata(BaseModel):
    """What a room says of an upload when it creates it."""

    model_config = ConfigDict(extra="ignore")

    room: str = Field(max_length=64)
    hearing: Name
    kind: str = Field(pattern="^(segment|exhibit|page|document|selftest|log)$")
    track: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9._-]*$")
    index: int = Field(0, ge=0, le=10_000_000)
    name: str = Field("", max_length=300)


@dataclass(frozen=True, slots=True)
class Partial:
    """An upload that is not an object yet; its file may still grow."""

    uid: str
    path: Path
    metadata: Metadata


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
        for known, room in self._hashes.items():
            if scheme.lower() == "bearer" and hmac.compare_digest(known, digest):
                return room
        raise AccessError("this request needs the certificate or the token of a room of this center", code="token")


class UploadFolder(TusStorage):
    """tuspyserver's storage: `<uid>` holds the bytes, `<uid>.info` what was said of them."""

    def __init__(self, folder: Path, *, reserve_bytes: int = 0, quota_bytes: int | None = None) -> None:
        """`reserve_bytes`: what stays free on the disk. `quota_bytes`: what a room may have here that is no object
        yet; None for as much as there is room."""
        self._folder = folder
        self._reserve_bytes = reserve_bytes
        self._quota_bytes = quota_bytes
        self._outstanding: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._counting = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._locks: dict[str, asyncio.Lock] = {}
        self._partials: dict[str, Partial] = {}
        self._written: dict[str, str] = {}
        self._pending: dict[str, bytearray] = {}
        self._begun: set[str] = set()
        """Those that are being created: of others that are not known nothing is kept."""
        for info in folder.glob("*.info"):
            self._note(info.stem, _load(info))
        self._sweep()
        for partial in self._partials.values():
            self._grown(partial.uid, partial.metadata.room, _size(partial.path))

    def __deepcopy__(self, memo: dict[int, Any]) -> UploadFolder:
        return self  # the routes copy their options for each request; there is one folder

    def of_track(self, room: str, hearing: str, track: str) -> list[Partial]:
        """Uploads of a track's segments that are not objects yet."""
        return [
            p
            for p in list(self._partials.values())
            if p.metadata.kind == "segment"
            and (p.metadata.room, p.metadata.hearing, p.metadata.track) == (room, hearing, track)
        ]

    def partial(self, uid: str) -> Partial | None:
        """What is known of an upload."""
        return self._partials.get(uid)

    def free_bytes(self) -> int:
        """Space left for uploads."""
        return shutil.disk_usage(self._folder).free

    def outstanding(self, room: str) -> int:
        """Bytes of a room that are no objects yet."""
        return self._outstanding.get(room, 0)

    def check_room(self, room: str, more: int = 0, *, new: bool = False) -> None:
        """`StorageError` when the disk or the room's quota has no place for `more` bytes, or for a `new` upload."""
        if self.free_bytes() - more < self._reserve_bytes:
            raise StorageError(
                "中心磁盘已满，本庭文件保留在本庭并自动重试；请在中心清理或扩充磁盘 (the center's disk is full; "
                "the room keeps its files and tries again)"
            )
        if self._quota_bytes is not None and self.outstanding(room) + more > self._quota_bytes:
            raise StorageError(
                f"本庭未完成的上传已达 {self._quota_bytes / 2**30:.1f} GiB 上限，文件保留在本庭并自动重试 (what this "
                "room has sent and not finished is as much as it may be; finish or drop uploads, or raise "
                "storage.upload_quota_gib at the center)",
            )
        if new and sum(p.metadata.room == room for p in list(self._partials.values())) >= MOST_UPLOADS:
            raise StorageError(
                f"本庭未完成的上传已有 {MOST_UPLOADS} 个 (this room has as many unfinished uploads as it may; finish "
                "or drop some)",
            )

    def expire(self, utc_s: float) -> int:
        """Drop uploads to which nothing was added in `ORPHAN_DAYS`; how many. Blocks."""
        count = 0
        for partial in list(self._partials.values()):
            try:
                idle_s = utc_s - partial.path.stat().st_mtime
            except FileNotFoundError:
                continue
            if idle_s > ORPHAN_DAYS * 86_400 and not self.busy(partial.uid):
                log.warning("upload_expired", upload=partial.uid, room=partial.metadata.room, idle_s=int(idle_s))
                self.forget(partial.uid)
                count += 1
        return count

    def _grown(self, uid: str, room: str, count: int) -> None:
        with self._counting:
            self._counts[uid] = self._counts.get(uid, 0) + count
            self._outstanding[room] = self._outstanding.get(room, 0) + count

    def busy(self, uid: str) -> bool:
        """Whether somebody is writing to an upload now."""
        lock = self._locks.get(uid)
        return lock is not None and lock.locked()

    def forget(self, uid: str) -> None:
        """The file has become an object: drop the rest. Blocks."""
        partial = self._partials.pop(uid, None)
        self._locks.pop(uid, None)
        self._pending.pop(uid, None)
        self._written.pop(uid, None)
        if partial is not None:
            with self._counting:
                count = self._counts.pop(uid, 0)
                self._outstanding[partial.metadata.room] = self.outstanding(partial.metadata.room) - count
        (self._folder / f"{uid}.info").unlink(missing_ok=True)
        (self._folder / uid).unlink(missing_ok=True)

    def forget_tests(self, room: str) -> None:
        """Drop what a self-test of a room left half sent. Blocks."""
        for partial in list(self._partials.values()):
            if (partial.metadata.room, partial.metadata.kind) == (room, "selftest"):
                self.forget(partial.uid)

    # What the routes call:

    def location(self, uid: str) -> str:
        """The file of an upload."""
        return str(self._path(uid))

    async def create(self, uid: str) -> None:
        """Begin an empty file."""
        self._begun.add(uid)
        await asyncio.to_thread(self._path(uid).touch, 0o640)

    async def exists(self, uid: str) -> bool:
        """Whether there is such an upload."""
        return uid in self._partials and self._path(uid).exists()

    async def size(self, uid: str) -> int:
        """Bytes received."""
        with contextlib.suppress(FileNotFoundError):
            return self._path(uid).stat().st_size
        return 0

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
        return self._path(uid).read_bytes() if await self.exists(uid) else None

    async def delete(self, uid: str) -> None:
        """Drop an upload that the room gave up."""
        await asyncio.to_thread(self.forget, uid)

    async def read_info(self, uid: str) -> dict[str, Any] | None:
        """The sidecar, with the offset that the file really has."""
        info = await asyncio.to_thread(_load, self._folder / f"{uid}.info")
        if info is None:
            return None
        info["offset"] = await self.size(uid)
        return info

    async def write_info(self, uid: str, data: dict[str, Any]) -> None:
        """Keep the sidecar; offsets and counters change with every chunk and are not worth a sync."""
        kept = {k: v for k, v in data.items() if k not in ("offset", "upload_part", "upload_chunk_size", "error")}
        # The library's HEAD refuses uploads without these two.
        metadata = {"filetype": "application/octet-stream", "filename": uid, **(kept.get("metadata") or {})}
        metadata["filename"] = _ascii(metadata.get("name") or metadata["filename"])
        text = json.dumps({**kept, "metadata": metadata}, default=str, sort_keys=True)
        if self._written.get(uid) == text or not (uid in self._partials or uid in self._begun):
            return  # nothing new, or of an upload that was dropped meanwhile
        await asyncio.to_thread(self._write_info, uid, text)
        self._written[uid] = text
        self._note(uid, json.loads(text))
        self._begun.discard(uid)

    async def list_uids(self) -> list[str]:
        """All uploads."""
        return list(self._partials)

    # The library declares its own `lock` as a bare iterator but uses it as this.
    def lock(self, uid: str) -> contextlib.AbstractAsyncContextManager[None]:  # type: ignore[override]
        """One writer per upload."""
        return self._locked(uid)

    @contextlib.asynccontextmanager
    async def _locked(self, uid: str) -> AsyncIterator[None]:
        async with self._locks.setdefault(uid, asyncio.Lock()):
            self._pending.pop(uid, None)  # of a request that was refused halfway
            yield

    def _path(self, uid: str) -> Path:
        if not _UID.fullmatch(uid):
            raise WutongError("this is not the id of an upload", code="not-found")
        return self._folder / uid

    def _append(self, uid: str, chunk: bytearray) -> None:
        partial = self._partials.get(uid)
        if partial is None:
            raise StorageError("this upload is gone; start a new one")
        room = partial.metadata.room
        self.check_room(room, len(chunk))
        try:
            # Never made anew here: bytes of an upload that was dropped meanwhile would be nobody's, and count for none.
            with self._path(uid).open("r+b") as file:
                file.seek(0, os.SEEK_END)
                if os.fstat(file.fileno()).st_nlink > 1:
                    raise StorageError("this upload is in the record already; nothing is added to it")
                file.write(chunk)
        except OSError as error:
            raise StorageError(f"an upload cannot be written ({error.strerror}); look at the center's disk") from error
        finally:
            # What is there counts, also when a full disk took a part of it.
            if uid in self._partials:
                self._grown(uid, room, _size(partial.path) - self._counts.get(uid, 0))

    def _sync(self, uid: str, rest: bytearray) -> None:
        if rest:
            self._append(uid, rest)
        fd = os.open(self._path(uid), os.O_RDONLY)
        try:
            os.fdatasync(fd)
        finally:
            os.close(fd)

    def _write_info(self, uid: str, text: str) -> None:
        replace_file(self._folder / f"{uid}.info", text)

    def _sweep(self) -> None:
        """Drop what a death has left between an empty file and what is said of it, and what cannot be read: no room
        will ever ask for it again."""
        for path in self._folder.iterdir():
            uid = path.name.partition(".")[0]
            if _UID.fullmatch(uid) and uid not in self._partials:
                log.warning("upload_swept", file=path.name)
                path.unlink(missing_ok=True)

    def _note(self, uid: str, info: dict[str, Any] | None) -> None:
        try:
            metadata = Metadata.model_validate((info or {}).get("metadata"))
        except ValidationError:
            log.warning("upload_unreadable", upload=uid, next="the room will start a new one")
            return
        self._partials[uid] = Partial(uid, self._folder / uid, metadata)


def _load(path: Path) -> dict[str, Any] | None:
    try:
        # Written by `_write_info` of headers that the gate has bounded, and flat: what can go wrong is a disk.
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


async def _told(work: Callable[[str, bytearray], None], uid: str, data: bytearray) -> None:
    """Off the loop. The routes would swallow any other error and answer as if all were well."""
    try:
        await asyncio.to_thread(work, uid, data)
    except StorageError as error:
        raise HTTPException(507, error.message, headers={"Retry-After": "5"}) from error
    except OSError as error:
        ours = StorageError(f"an upload cannot be kept ({error.strerror}); look at the center's disk")
        raise HTTPException(507, ours.message, headers={"Retry-After": "5"}) from ours


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _ascii(name: str) -> str:
    return name.encode("ascii", "replace").decode() or "file"
