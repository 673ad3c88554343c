"""`wutong copyserver`: a plain machine that keeps a second copy of rooms' records, over the rooms' upload protocol.

Promises: `<data>/<court>/<room>/<hearing>/…` as in the room; a file is receipted only after its bytes were synced, read
back and found to be what the room's log says. It refuses what no token of its list covers, of a room whose device's key
stands in the list what that device has not signed, names that would leave the room's folder, more than a room may have
sent and not finished, and to overwrite or delete anything it has; what it refuses is in its log. It knows no hearing,
shows nothing and needs no database.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import hashlib
import os
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from server.copy_metrics import CopyCounts, CopyMetrics
from server.ingest.objects_api import Claim, ClaimJudge
from server.ingest.room_tokens import Tokens, room_by
from server.ingest.uploads import pieces_api
from server.ingest.uploads.pieces_api import PieceDoor
from server.ingest.uploads.tus_folder import UploadFolder
from server.ingest.uploads.upload_gate import UploadGate, upload_routes
from sync.errors import AccessError, CenterError, ConfigError, LedgerError, StorageError, WutongError
from sync.http.monitoring.settings import NO_METRICS, MetricsSettings
from sync.http.rights.machine_door import MachineDoor
from sync.http.rights.rules import machine
from sync.http.serve import new_app, serving
from sync.ledger.keys import checked_key
from sync.ledger.note import Verifier
from sync.runtime.files.durable_files import sync_folder
from sync.runtime.files.secrets import read_secret
from sync.runtime.process.service import Lifeline, cancel_and_wait
from sync.tls.plain import PlainPolicy
from sync.tls.served import ServedTls

log = structlog.get_logger(__name__)

MAX_BYTES = 8 * 2**30
RESERVE_BYTES = 2**30
QUOTA_BYTES = 64 * 2**30
"""What one room may have sent and not finished, as at a center."""
EXPIRE_S = 3600.0
PIECE_BYTES = 1024 * 1024
KINDS = frozenset({"segment", "exhibit", "page", "document", "log"})
"""What is copied; a self-test is none of it."""


class CopyClaim(Claim):
    """Body of `POST /api/objects` at a machine that keeps copies."""

    kind: str = Field(pattern=f"^({'|'.join(sorted(KINDS))})$")


@dataclass(frozen=True, slots=True)
class CopiedRooms:
    """Whose copies are kept. `tokens`: SHA-256 of a token -> `court/room`; `devices`: `court/room` -> who signs for it,
    where that is known."""

    tokens: dict[str, str]
    devices: dict[str, Verifier]


def read_rooms(path: Path) -> CopiedRooms:
    """`court/room TOKEN` or `court/room TOKEN KEY` a line; `ConfigError` when it cannot be used."""
    tokens: dict[str, str] = {}
    devices: dict[str, Verifier] = {}
    for line in read_secret(path, "the list of tokens").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        room, *secrets = words
        if len(secrets) not in (1, 2) or room.count("/") != 1 or any(_unsafe(part) for part in room.split("/")):
            raise ConfigError(f"{path}: each line is 'court/room TOKEN' or 'court/room TOKEN KEY'; this is not: {room}")
        tokens[hashlib.sha256(secrets[0].encode()).hexdigest()] = room
        if len(secrets) == 2:
            devices[room] = _device(path, room, secrets[1])
    if not tokens:
        raise ConfigError(f"{path} names no room; write 'court/room TOKEN', a line for each room")
    return CopiedRooms(tokens, devices)


def _device(path: Path, room: str, key: str) -> Verifier:
    try:
        return Verifier(room, checked_key(Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))))
    except (ValueError, LedgerError) as error:
        raise ConfigError(
            f"{path}: what stands third after {room} is no device's key; `wutong room device-key` in the room prints it"
        ) from error


def _unsafe(name: str) -> bool:
    return not name or name.startswith(".") or "/" in name


class CopyStore:
    """The folder of copies."""

    def __init__(self, data: Path, uploads: UploadFolder, devices: Mapping[str, Verifier]) -> None:
        """`devices`: who signs what is claimed for a room; of those that are not there a token is enough."""
        self._data = data
        self._uploads = uploads
        self._devices = devices
        self._judge = ClaimJudge(lambda room: [devices[room]])
        self.counts = CopyCounts()

    async def claim(self, room: str, claim: CopyClaim) -> tuple[int, bool]:
        """(UTC in ns since when it is kept, whether it is new); errors as those of a center."""
        try:
            stored_utc_ns, fresh = await self._claim(room, claim)
        except WutongError as error:
            self.counts.refused[error.code] += 1
            raise
        self.counts.kept(room, claim.kind, claim.bytes, fresh=fresh)
        return stored_utc_ns, fresh

    async def _claim(self, room: str, claim: CopyClaim) -> tuple[int, bool]:
        if claim.room != room:
            raise AccessError("a room may store only what is its own", code="forbidden")
        if room in self._devices:
            self._judge.check(room, claim)
        partial = self._uploads.partial(claim.upload)
        if partial is not None and partial.metadata.room != room:
            raise AccessError("this upload belongs to another room", code="forbidden")
        goal = self._goal(room, claim)
        async with self._uploads.lock(claim.upload):
            if await asyncio.to_thread(_is, goal, claim.sha256, claim.bytes):
                await asyncio.to_thread(_sync_names, goal, self._data)  # whoever renamed it may have died before that
                if partial is not None:
                    await asyncio.to_thread(self._uploads.forget, claim.upload)
                return goal.stat().st_mtime_ns, False
            if partial is None or not partial.path.exists():
                raise WutongError("this upload is unknown; start a new one", code="not-found")
            if not await asyncio.to_thread(_is, partial.path, claim.sha256, claim.bytes):
                log.warning("checksum", room=room, upload=claim.upload, track=claim.track, index=claim.index)
                await asyncio.to_thread(self._uploads.forget, claim.upload)
                raise CenterError("the bytes differ from what was claimed; send them again", code="checksum")
            if await asyncio.to_thread(_settle, partial.path, goal, self._data):
                signed, file = room in self._devices, str(goal.relative_to(self._data))
                self.counts.replaced += 1
                log.error("copy_replaced", room=room, signed=signed, file=file, next="what was there lies beside it")
            await asyncio.to_thread(self._uploads.forget, claim.upload)
            return time.time_ns(), True

    def _goal(self, room: str, claim: CopyClaim) -> Path:
        """Where a file goes; built from what was checked, never from a name that the room sends."""
        folder = self._data / room / claim.hearing
        if _unsafe(claim.hearing) or (claim.kind == "segment" and _unsafe(claim.track)):
            raise WutongError("these are not the names of a hearing and a track", code="invalid")
        if claim.kind == "segment":
            return folder / claim.track / f"{claim.index:05d}.mp4"
        if claim.kind in ("exhibit", "page", "document"):
            return folder / f"{claim.kind}s" / claim.sha256
        return folder / f"log/{claim.index:08d}.jsonl"


def _is(path: Path, sha256: str, size: int) -> bool:
    """Whether the disk holds exactly these bytes under this name, synced."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        if os.fstat(fd).st_size != size:
            return False
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)  # what the disk has, not what memory still knows
        digest = hashlib.sha256()
        while piece := os.read(fd, PIECE_BYTES):
            digest.update(piece)
        return digest.hexdigest() == sha256
    finally:
        os.close(fd)


def _settle(source: Path, goal: Path, root: Path) -> bool:
    """Whether there was another file of this name."""
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        replaced = goal.exists()
        if replaced:  # damaged, or of another recorder's life: kept beside
            goal.rename(goal.with_name(f"{goal.name}.{time.time_ns()}.other"))
        source.rename(goal)
        goal.chmod(0o440)
        _sync_names(goal, root)
        return replaced
    except OSError as error:
        raise StorageError(f"the copy cannot be kept ({error.strerror}); look at this machine's disk") from error


def _sync_names(path: Path, root: Path) -> None:
    """The file's name, and those of the folders below `root` that lead to it, survive a power cut."""
    for folder in path.parents:
        if not folder.is_relative_to(root):
            return
        sync_folder(folder)


def open_uploads(data: Path) -> UploadFolder:
    """What is not a copy yet; `ConfigError` when the folder cannot be used."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        return UploadFolder(data / ".uploads", reserve_bytes=RESERVE_BYTES, quota_bytes=QUOTA_BYTES)
    except OSError as error:
        raise ConfigError(f"the folder {data} cannot be used: {error.strerror}") from error


def build(
    data: Path, uploads: UploadFolder, rooms: CopiedRooms, door: MachineDoor, keeper: CopyStore | None = None
) -> FastAPI:
    """The app. `keeper`: what keeps the copies, where its counts are wanted."""
    tokens, keeper = Tokens(rooms.tokens), keeper or CopyStore(data, uploads, rooms.devices)
    app = new_app("Wutong copies")
    door.install(app)
    pieces_api.install(app, PieceDoor(tokens, uploads, kinds=KINDS, max_bytes=MAX_BYTES))
    gate = UploadGate(tokens, uploads, kinds=KINDS, max_bytes=MAX_BYTES)
    door.include(app, upload_routes(gate, uploads, MAX_BYTES))

    known_room = room_by(tokens)

    @app.post("/api/objects")
    @machine(known_room)
    async def objects(claim: CopyClaim, request: Request) -> Response:
        stored_utc_ns, fresh = await keeper.claim(request.scope["wutong_room"], claim)
        return JSONResponse({"sha256": claim.sha256, "stored_utc_ns": stored_utc_ns}, 201 if fresh else 200)

    return app


@contextlib.asynccontextmanager
async def running(
    data: Path,
    token_file: Path,
    host: str,
    port: int,
    tls: tuple[Path, Path] | None = None,
    plain_until: dt.date | None = None,
    metrics: MetricsSettings = NO_METRICS,
) -> AsyncIterator[int]:
    """Keep copies while the block runs; yields the port. `tls`: certificate and key for HTTPS. `metrics`: who may read
    its metrics, health and readiness.

    `ConfigError` for an address of a network without them: tokens and hearings would cross it in the clear. Before the
    day `plain_until` plain HTTP is served all the same.
    """
    own = ServedTls(host, tls, PlainPolicy(plain_until, setting="--plain-until"))
    rooms, uploads = read_rooms(token_file), open_uploads(data)
    door = MachineDoor.at(host, own.hosts(), secure=own.is_secure, asks_for_token=True)
    keeper = CopyStore(data, uploads, rooms.devices)
    app = build(data, uploads, rooms, door, keeper)
    monitoring = CopyMetrics(
        data,
        uploads,
        rooms=frozenset(rooms.tokens.values()),
        kinds=KINDS,
        counts=keeper.counts,
        reserve_bytes=RESERVE_BYTES,
        certificates={} if tls is None else {"server": tls[0]},
    ).monitoring(metrics)
    monitoring.install(app)
    expiring = asyncio.create_task(_expire_for_ever(uploads))
    measuring = asyncio.create_task(monitoring.run())
    try:
        async with serving(app, host, port, tls=own.context, plain=own.is_plain_open) as bound, own.followed():
            yield bound
    finally:
        door.flush()
        await cancel_and_wait(measuring)
        await cancel_and_wait(expiring)


async def _expire_for_ever(uploads: UploadFolder) -> None:
    while True:
        try:
            await asyncio.to_thread(uploads.expire, time.time())
        except OSError as error:
            log.warning("uploads_not_expired", why=error.strerror)
        await asyncio.sleep(EXPIRE_S)


async def serve(
    data: Path,
    token_file: Path,
    host: str,
    port: int,
    tls: tuple[Path, Path] | None,
    plain_until: dt.date | None,
    metrics: MetricsSettings,
    lifeline: Lifeline,
) -> None:
    """Until canceled."""
    async with running(data, token_file, host, port, tls, plain_until, metrics) as bound:
        log.info("keeping_copies", host=host, port=bound, data=str(data))
        lifeline.ready()
        await asyncio.Event().wait()
