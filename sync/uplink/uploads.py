"""Uploads: segments while they grow, what remains of them when they close, and exhibits; retried for ever.

Promises: a file counts as sent only when the other end has confirmed that its hash was checked and that it is stored;
after any break, restart or loss of `upload.db` the way is taken up again from what the center holds. Refuses nothing:
a file that cannot be sent (the center is away, the disk lost it) waits with a growing pause and holds up no other.
The files of the hearing that is open go before those that wait from earlier ones.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import structlog

from sync.errors import CenterError, MediaError, StorageError
from sync.media.fmp4 import Init, index_file
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.token_bucket import TokenBucket
from sync.uplink.tus import ChecksumError, OffsetError, TusClient, UploadGoneError
from sync.uplink.upload_store import Upload, UploadStore

log = structlog.get_logger(__name__)

GROW_S = 2.0
PIECE_BYTES = 1024 * 1024
ATTEMPTS = 256
MAX_PAUSE_S = 60.0


@dataclass(slots=True)
class _Growth:
    """A growing segment: where its last whole fragment ends, and how much of it the center holds."""

    init: Init | None = None
    whole_bytes: int = 0
    offset: int | None = None


@dataclass(slots=True)
class _Retry:
    at: float = 0.0
    pause_s: float = 0.5

    def later(self, now: float) -> None:
        self.at = now + self.pause_s
        self.pause_s = min(self.pause_s * 2, MAX_PAUSE_S)


@dataclass
class Uploads:
    """Drives all uploads of one room. All methods belong to one event loop."""

    room: str
    """`court/room`"""
    layout: RoomPaths
    room_log: RoomLog
    store: UploadStore
    tus: TusClient
    pace: TokenBucket
    hearing: Callable[[], str | None]
    """The hearing that is open now; its growing segments are sent along."""
    confirm: Callable[[Mapping[str, Any]], Awaitable[int]]
    """Hands over a file that is there whole: since when (UTC in ns) the other end has it; errors as of `TusClient`."""
    monotonic: Callable[[], float] = time.monotonic
    reachable: bool = False
    """Whether the center answered the last time it was asked."""
    pending_bytes: int = 0
    last_receipt_utc_ns: int | None = None
    refused: str = ""
    """Why the last file that was tried was not taken; empty when it was."""
    _kick: asyncio.Event = field(default_factory=asyncio.Event)
    _locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _growth: dict[str, _Growth] = field(default_factory=dict)
    _retries: defaultdict[str, _Retry] = field(default_factory=lambda: defaultdict(_Retry))
    _complaint: str = ""

    def kick(self) -> None:
        """There may be something new in the log."""
        self._kick.set()

    async def run(self) -> None:
        """Send for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._finish_all())
            group.create_task(self._grow_all())

    # Files that are complete in the room.

    async def _finish_all(self) -> None:
        while True:
            self._kick.clear()
            wait_s = 1.0
            try:
                waiting = await asyncio.to_thread(self._scan, self.hearing())
                for upload in waiting:
                    if not await self._attempt_if_due(upload.key, self._finish):
                        break  # nobody answers: the others would only wait for the same silence
                    if self._kick.is_set():
                        break  # perhaps of the hearing that is open, which goes before a backlog
                wait_s = 1.0 if waiting else 5.0
                if not waiting or not self.reachable:  # files that cannot be read say nothing of the center
                    await self._ping()
            except StorageError as error:
                log.error("uploads_wait", why=error.message)
            try:
                async with asyncio.timeout(wait_s):
                    await self._kick.wait()
            except TimeoutError:
                pass

    def _scan(self, first: str | None) -> list[Upload]:
        while events := self.room_log.since(self.store.scanned):
            self.store.take(events)
        self.pending_bytes = self.store.pending_bytes()
        # Those that failed and wait for their next turn must not hide the others.
        return self.store.finished(limit=ATTEMPTS + len(self._retries), first=first)

    async def _ping(self) -> None:
        """Ask whether the center is there, when nothing else would tell."""
        try:
            await self.tus.ping()
            self._well()
        except (CenterError, httpx.HTTPError) as error:
            self._unwell(error)

    async def _finish(self, key: str) -> None:
        async with self._locks[key]:
            upload = self.store.get(key)
            if upload is None or upload.sha256 is None or upload.bytes is None or upload.stored_utc_ns is not None:
                return
            size = upload.bytes
            name = await self._complete(upload, size)
            claim = {"upload": name, "sha256": upload.sha256, "bytes": size, "room": self.room}
            claim |= {"hearing": upload.hearing, "kind": upload.kind, "track": upload.track, "index": upload.index}
            stored_utc_ns = await self.confirm(claim)
            await asyncio.to_thread(self.store.set_stored, key, stored_utc_ns)
            self.last_receipt_utc_ns = stored_utc_ns
            self.pending_bytes = max(self.pending_bytes - size, 0)
            self._growth.pop(key, None)
            self._retries.pop(key, None)
        self._locks.pop(key, None)

    async def _complete(self, upload: Upload, size: int) -> str:
        """Bring all bytes to the center; the id of the upload that has them."""
        try:
            name, offset = await self._resume(upload)
        except UploadGoneError:
            if upload.upload is None:
                raise
            return upload.upload  # perhaps it is stored already and the answer was lost: the confirmation tells
        if offset > size:
            raise UploadGoneError("the center holds more than the file has; it is sent again")
        if offset < size or size == 0:
            await self._send(upload, name, offset, size, length=size)
        else:
            await self.tus.append(name, offset, b"", length=size)  # all is there but its length is not known yet
        return name

    # Segments that still grow.

    async def _grow_all(self) -> None:
        while True:
            started = self.monotonic()
            hearing = self.hearing()
            try:
                for upload in [] if hearing is None else await asyncio.to_thread(self._growing, hearing):
                    if not await self._attempt_if_due(upload.key, self._grow):
                        break
            except StorageError as error:
                log.error("uploads_wait", why=error.message)
            await asyncio.sleep(max(GROW_S - (self.monotonic() - started), 0.1))

    def _growing(self, hearing: str) -> list[Upload]:
        folder = self.layout.hearing(hearing)
        found: list[Upload] = []
        for path in sorted(folder.glob("*/*.mp4")) if folder.is_dir() else []:
            if not path.stem.isdigit():
                continue
            key_of = Upload.growing(hearing, path.parent.name, int(path.stem), f"{path.parent.name}/{path.name}")
            known = self.store.get(key_of.key) or self.store.begin(key_of)
            if known.sha256 is None:
                found.append(known)
        return found

    async def _grow(self, key: str) -> None:
        async with self._locks[key]:
            upload = self.store.get(key)
            if upload is None or upload.sha256 is not None:
                return
            growth = self._growth.setdefault(key, _Growth())
            path = self._path(upload)
            index = await asyncio.to_thread(index_file, path, growth.whole_bytes, growth.init, salvage=True)
            growth.init, growth.whole_bytes = index.init, max(index.end, growth.whole_bytes)
            if not growth.whole_bytes or growth.offset == growth.whole_bytes:
                return
            name, offset = await self._resume(upload)
            if offset > growth.whole_bytes:
                return  # what the disk lost after a power cut; the checksum at the end decides
            growth.offset = await self._send(upload, name, offset, growth.whole_bytes)

    # What both need.

    async def _resume(self, upload: Upload) -> tuple[str, int]:
        """The id at the center and the offset from which to go on."""
        if upload.upload is not None:
            growth = self._growth.get(upload.key)
            if growth is not None and growth.offset is not None:
                return upload.upload, growth.offset
            return upload.upload, await self.tus.offset(upload.upload)
        name = await self.tus.create(
            {
                "room": self.room,
                "hearing": upload.hearing,
                "kind": upload.kind,
                "track": upload.track,
                "index": str(upload.index),
                "name": upload.file,
                "filetype": upload.media_type,
            }
        )
        await asyncio.to_thread(self.store.set_upload, upload.key, name)
        return name, 0

    async def _send(self, upload: Upload, name: str, offset: int, until: int, *, length: int | None = None) -> int:
        path = self._path(upload)
        while True:
            data = await asyncio.to_thread(_read, path, offset, min(PIECE_BYTES, until - offset))
            if not data and until > offset:
                raise StorageError(f"{path.name} is shorter than the room's log says; its bytes are gone from the disk")
            await self.pace.take(len(data))
            last = offset + len(data) >= until
            offset = await self.tus.append(name, offset, data, length=length if last else None)
            growth = self._growth.get(upload.key)
            if growth is not None:
                growth.offset = offset
            if last:
                return offset

    async def _attempt_if_due(self, key: str, work: Callable[[str], Coroutine[Any, Any, None]]) -> bool:
        """Do one file's work unless it rests; False when the center is away, which is no file's fault."""
        retry = self._retries.get(key)
        return (retry is not None and retry.at > self.monotonic()) or await self._attempt(key, work)

    async def _attempt(self, key: str, work: Callable[[str], Coroutine[Any, Any, None]]) -> bool:
        retry = self._retries[key]
        try:
            await work(key)
            self._well()
            self._retries.pop(key, None)
            self.refused = ""
            return True
        except (UploadGoneError, ChecksumError) as error:
            log.warning("upload_restarted", key=key, why=error.message)
            self.refused = error.message
            await asyncio.to_thread(self.store.set_upload, key, None)
        except OffsetError as error:
            log.info("upload_resumed", key=key, why=error.message)
        except (StorageError, MediaError, OSError) as error:
            log.error("upload_impossible", key=key, why=str(error))
            self.refused = str(error)
        except CenterError as error:
            if error.code == "token":
                self.refused = error.message
                self._unwell(error)
                return False
            log.warning("upload_refused", key=key, why=error.message)
            self.refused = error.message
        except httpx.HTTPError as error:
            self._unwell(error)
            self._growth.pop(key, None)
            return False
        self._growth.pop(key, None)  # ask the center for the offset
        retry.later(self.monotonic())
        return True

    def _well(self) -> None:
        if not self.reachable:
            log.info("center_reachable")
        self.reachable, self._complaint = True, ""

    def _unwell(self, error: Exception) -> None:
        why = str(error) or type(error).__name__
        if why != self._complaint:
            log.warning("center_unreachable", why=why, next="the record waits on the room's disk; trying again")
        self.reachable, self._complaint = False, why

    def _path(self, upload: Upload) -> Path:
        folder = self.layout.hearing(upload.hearing)
        path = folder / upload.file
        if not path.resolve().is_relative_to(folder.resolve()):
            raise StorageError(f"{upload.file} lies outside of its hearing's folder; it is not sent")
        return path


def _read(path: Path, offset: int, count: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(count)
