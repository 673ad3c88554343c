"""Uploads: segments while they grow, what remains of them when they close, and exhibits; retried for ever.

Promises: a file counts as sent only when the other end has confirmed that its hash was checked and that it is stored;
after any break, restart or loss of `upload.db` the way is taken up again from what the center holds. Refuses nothing:
a file that cannot be sent (the center is away, the disk lost it) waits with a growing pause and holds up no other.
The files of the hearing that is open go before those that wait from earlier ones.

What has grown goes together, as pieces of many files in one request; to a center of before, which takes none, by tus,
file by file. Which of the two it is, is asked whenever the center is met again.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import structlog

from sync.errors import CenterError, MediaError, StorageError
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.files.piece_client import NoPiecesError, PieceClient
from sync.uplink.files.piece_exchange import Exchanged, Forward, PieceExchange
from sync.uplink.files.segment_growth import SegmentGrowth
from sync.uplink.files.tus import ChecksumError, OffsetError, TusClient, UploadGoneError
from sync.uplink.files.tus_way import TusWay
from sync.uplink.files.upload_store import Upload, UploadStore
from sync.uplink.token_bucket import TokenBucket

log = structlog.get_logger(__name__)

GROW_S = 4.0
PIECE_BYTES = 1024 * 1024
ATTEMPTS = 256
MAX_PAUSE_S = 60.0
QUIET_S = 5.0
"""A center that has said nothing for so long is asked whether it is there, when nothing is to be sent."""


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
    _held: dict[str, int] = field(default_factory=dict)
    """Bytes of a file that the center has, as it said last; what is not here is asked."""
    _retries: defaultdict[str, _Retry] = field(default_factory=lambda: defaultdict(_Retry))
    _complaint: str = ""
    _heard_s: float = -math.inf
    """When the center answered last."""
    _takes_pieces: bool | None = None
    """None: to be asked."""
    _said_plain: bool = False
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _exchanging: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._client = PieceClient(self.tus.http)
        self._exchange = PieceExchange(self._client, self.store, self.pace, self._path)
        self._growth = SegmentGrowth(self.layout, self.store, self._path)
        self._tus_way = TusWay(self.room, self.tus, self.store, self.pace, self._path, self._held)

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
                if waiting:
                    await self._send_finished(waiting)
                wait_s = 1.0 if waiting else QUIET_S
                # Files that cannot be read say nothing of the center; whatever it answers says that it is there.
                is_quiet = not waiting and self.monotonic() - self._heard_s >= QUIET_S
                if is_quiet or not self.reachable:
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

    async def _send_finished(self, waiting: list[Upload]) -> None:
        """Bring each to the center and have it confirmed, until nobody answers or something newer may be there."""
        due = [upload for upload in waiting if self._is_due(upload.key)]
        if not due:
            return
        if await self._by_pieces():
            await self._finish_together(due)
        elif self._takes_pieces is False:
            for upload in due:
                if not await self._attempt(upload.key, self._finish):
                    return  # nobody answers: the others would only wait for the same silence
                if self._kick.is_set():
                    return  # perhaps of the hearing that is open, which goes before a backlog

    async def _finish_together(self, due: list[Upload]) -> None:
        files = [Forward(upload, upload.bytes or 0, upload.bytes) for upload in due]
        gone: set[str] = set()
        while files:
            # What is gone is perhaps stored already and the answer was lost: the confirmation tells.
            whole = [one for one in files if one.upload.key in gone or self._held.get(one.upload.key) == one.until]
            for one in whole:
                if not await self._attempt(one.upload.key, self._confirm):
                    return
            files = [one for one in files if one not in whole]
            if self._kick.is_set() or not files:
                return
            done = await self._forward(files)
            if done is None or not done.told:
                return
            for one in files:
                if self._held.get(one.upload.key, 0) > one.until:
                    self._rest(one.upload.key, "the center holds more than the file has; it is asked again")
            gone = done.gone
            files = [one for one in files if one.upload.key in gone or self._is_due(one.upload.key)]

    async def _finish(self, key: str) -> None:
        """By tus."""
        async with self._locks[key]:
            upload = await asyncio.to_thread(self.store.get, key)
            if upload is None or upload.bytes is None or upload.stored_utc_ns is not None:
                return
            await self._tus_way.complete(upload, upload.bytes, PIECE_BYTES)
        await self._confirm(key)

    async def _confirm(self, key: str) -> None:
        """Have the other end say that it has a file that is there whole."""
        async with self._locks[key]:
            upload = await asyncio.to_thread(self.store.get, key)
            if upload is None or upload.sha256 is None or upload.bytes is None or upload.stored_utc_ns is not None:
                return
            size = upload.bytes
            claim = {"upload": upload.upload, "sha256": upload.sha256, "bytes": size, "room": self.room}
            claim |= {"hearing": upload.hearing, "kind": upload.kind, "track": upload.track, "index": upload.index}
            stored_utc_ns = await self.confirm(claim)
            await asyncio.to_thread(self.store.set_stored, key, stored_utc_ns)
            self.last_receipt_utc_ns = stored_utc_ns
            self.pending_bytes = max(self.pending_bytes - size, 0)
            self._growth.forget(key)
            self._held.pop(key, None)
            self._retries.pop(key, None)
        self._locks.pop(key, None)

    # Segments that still grow.

    async def _grow_all(self) -> None:
        while True:
            started = self.monotonic()
            hearing = self.hearing()
            try:
                growing = [] if hearing is None else await asyncio.to_thread(self._growth.segments, hearing)
                due = [upload for upload in growing if self._is_due(upload.key)]
                if due and await self._by_pieces():
                    await self._grow_together(due)
                elif due and self._takes_pieces is False:
                    for upload in due:
                        if not await self._attempt(upload.key, self._grow):
                            break
            except StorageError as error:
                log.error("uploads_wait", why=error.message)
            await asyncio.sleep(max(GROW_S - (self.monotonic() - started), 0.1))

    async def _grow_together(self, due: list[Upload]) -> None:
        files = await asyncio.to_thread(self._grown, due)
        while files:
            done = await self._forward(files, growing=True)
            if done is None or not done.told:
                return
            for key in done.gone:
                log.warning("upload_restarted", key=key, why="the center does not know this upload")
                await asyncio.to_thread(self.store.set_upload, key, None)
            over = done.gone | set(done.failed)
            files = [
                one for one in files if one.upload.key not in over and self._held.get(one.upload.key, -1) < one.until
            ]

    def _grown(self, uploads: list[Upload]) -> list[Forward]:
        """How far each has whole fragments that the center does not have. Blocks."""
        found = []
        for upload in uploads:
            try:
                whole_bytes = self._growth.whole_bytes(upload)
            except (StorageError, MediaError, OSError) as error:
                self._growth.forget(upload.key)
                self._rest(upload.key, str(error))
                continue
            if whole_bytes and self._held.get(upload.key, 0) < whole_bytes:
                found.append(Forward(upload, whole_bytes, None))
        return found

    async def _grow(self, key: str) -> None:
        """By tus."""
        async with self._locks[key]:
            upload = await asyncio.to_thread(self.store.get, key)
            if upload is None or upload.sha256 is not None:
                return
            whole_bytes = await asyncio.to_thread(self._growth.whole_bytes, upload)
            if whole_bytes:
                await self._tus_way.forward(upload, whole_bytes, PIECE_BYTES)

    # What both need.

    async def _by_pieces(self) -> bool:
        """Whether the center takes pieces; false also while it does not answer."""
        async with self._asking:
            if self._takes_pieces is None:
                try:
                    self._takes_pieces = await self._client.is_offered()
                except (CenterError, httpx.HTTPError) as error:
                    if isinstance(error, CenterError):
                        self.refused = error.message
                    self._unwell(error)
                    return False
                self._well()
            if self._takes_pieces is False and not self._said_plain:
                log.warning("center_takes_no_pieces", next="files go by tus, one by one; update the center")
            self._said_plain = self._takes_pieces is False
            return self._takes_pieces is True

    async def _forward(self, files: list[Forward], *, growing: bool = False) -> Exchanged | None:
        """One request of pieces; None when the center is away, or takes none any more."""
        async with self._exchanging:
            try:
                if growing:  # of what was finished meanwhile the other task sends the rest
                    files = await asyncio.to_thread(self._still_growing, files)
                done = await self._exchange.exchange(files, self._held, piece_bytes=PIECE_BYTES)
                if done.answered:
                    self._well()
            except NoPiecesError:
                self._takes_pieces = False
                return None
            except CenterError as error:
                self.refused = error.message
                if error.code == "token":
                    self._unwell(error)
                    return None
                done = Exchanged(failed={one.upload.key: error.message for one in files})
            except httpx.HTTPError as error:
                self._unwell(error)
                for one in files:
                    self._held.pop(one.upload.key, None)
                return None
        for key, why in done.failed.items():
            self._held.pop(key, None)
            self._rest(key, why)
        if growing:  # of finished ones the confirmation ends what was refused before
            for key in done.moved:
                self._retries.pop(key, None)
        if done.moved and not done.failed:
            self.refused = ""
        return done

    def _still_growing(self, files: list[Forward]) -> list[Forward]:
        known = {one.upload.key: self.store.get(one.upload.key) for one in files}
        return [one for one in files if (upload := known[one.upload.key]) is not None and upload.sha256 is None]

    def _is_due(self, key: str) -> bool:
        """Whether a file does not rest."""
        retry = self._retries.get(key)
        return retry is None or retry.at <= self.monotonic()

    def _rest(self, key: str, why: str) -> None:
        """A file did not get on: it is tried again later."""
        log.warning("upload_refused", key=key, why=why)
        self.refused = why
        self._retries[key].later(self.monotonic())

    async def _attempt(self, key: str, work: Callable[[str], Coroutine[Any, Any, None]]) -> bool:
        retry = self._retries[key]
        try:
            await work(key)
            self._well(asked=False)  # perhaps there was nothing to ask
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
            self._held.pop(key, None)
            return False
        self._growth.forget(key)
        self._held.pop(key, None)  # ask the center for the offset
        retry.later(self.monotonic())
        return True

    def _well(self, *, asked: bool = True) -> None:
        if not self.reachable:
            log.info("center_reachable")
        self.reachable, self._complaint = True, ""
        if asked:
            self._heard_s = self.monotonic()

    def _unwell(self, error: Exception) -> None:
        why = str(error) or type(error).__name__
        if why != self._complaint:
            log.warning("center_unreachable", why=why, next="the record waits on the room's disk; trying again")
        self.reachable, self._complaint = False, why
        self._takes_pieces = None  # whoever comes back may be another

    def _path(self, upload: Upload) -> Path:
        folder = self.layout.hearing(upload.hearing)
        path = folder / upload.file
        if not path.resolve().is_relative_to(folder.resolve()):
            raise StorageError(f"{upload.file} lies outside of its hearing's folder; it is not sent")
        return path
