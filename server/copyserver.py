"""`wutong copyserver`: a plain machine that keeps a second copy of rooms' records, over the rooms' upload protocol.

Promises: `<data>/<court>/<room>/<hearing>/…` as in the room; a file is receipted only after its bytes were synced, read
back and found to be what the room's log says. It refuses what no token of its list covers, names that would leave the
room's folder, and to overwrite or delete anything it has. It knows no hearing, shows nothing and needs no database.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import hashlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from server.ingest import pieces_api
from server.ingest.objects_api import Claim, room_by
from server.ingest.pieces_api import PieceDoor
from server.ingest.upload_gate import UploadGate, upload_routes
from server.ingest.uploads import Tokens, UploadFolder
from sync.errors import AccessError, CenterError, ConfigError, StorageError, WutongError
from sync.http.access import Access
from sync.http.rules import machine
from sync.http.serve import new_app, serving
from sync.runtime.durable_files import sync_folder
from sync.runtime.secrets import read_secret
from sync.runtime.service import Lifeline
from sync.tls.plain import PlainPolicy
from sync.tls.served import ServedTls

log = structlog.get_logger(__name__)

MAX_BYTES = 8 * 2**30
RESERVE_BYTES = 2**30
PIECE_BYTES = 1024 * 1024
KINDS = frozenset({"segment", "exhibit", "page", "document", "log"})
"""What is copied; a self-test is none of it."""


class CopyClaim(Claim):
    """Body of `POST /api/objects` at a machine that keeps copies."""

    kind: str = Field(pattern=f"^({'|'.join(sorted(KINDS))})$")


def read_tokens(path: Path) -> dict[str, str]:
    """`court/room TOKEN` a line -> SHA-256 of the token: room; `ConfigError` when it cannot be used."""
    rooms: dict[str, str] = {}
    for line in read_secret(path, "the list of tokens").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or words[0].count("/") != 1 or any(_unsafe(part) for part in words[0].split("/")):
            raise ConfigError(f"{path}: each line is 'court/room TOKEN'; this is not: {words[0]}")
        rooms[hashlib.sha256(words[1].encode()).hexdigest()] = words[0]
    if not rooms:
        raise ConfigError(f"{path} names no room; write 'court/room TOKEN', a line for each room")
    return rooms


def _unsafe(name: str) -> bool:
    return not name or name.startswith(".") or "/" in name


class CopyStore:
    """The folder of copies."""

    def __init__(self, data: Path, uploads: UploadFolder) -> None:
        self._data = data
        self._uploads = uploads

    async def claim(self, room: str, claim: CopyClaim) -> tuple[int, bool]:
        """(UTC in ns since when it is kept, whether it is new); errors as those of a center."""
        if claim.room != room:
            raise AccessError("a room may store only what is its own", code="forbidden")
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
            await asyncio.to_thread(_settle, partial.path, goal, self._data)
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


def _settle(source: Path, goal: Path, root: Path) -> None:
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        if goal.exists():  # damaged, or of another recorder's life: kept beside
            goal.rename(goal.with_name(f"{goal.name}.{time.time_ns()}.other"))
        source.rename(goal)
        goal.chmod(0o440)
        _sync_names(goal, root)
    except OSError as error:
        raise StorageError(f"the copy cannot be kept ({error.strerror}); look at this machine's disk") from error


def _sync_names(path: Path, root: Path) -> None:
    """The file's name, and those of the folders below `root` that lead to it, survive a power cut."""
    for folder in path.parents:
        if not folder.is_relative_to(root):
            return
        sync_folder(folder)


def build(data: Path, rooms: dict[str, str]) -> FastAPI:
    """The app; `rooms`: SHA-256 of a token -> `court/room`."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        uploads = UploadFolder(data / ".uploads", reserve_bytes=RESERVE_BYTES)
        access = Access.open(data / ".access.json", {})
    except OSError as error:
        raise ConfigError(f"the folder {data} cannot be used: {error.strerror}") from error
    tokens, keeper = Tokens(rooms), CopyStore(data, uploads)
    app = new_app("Wutong copies")
    access.install(app, "wutong_copies")
    pieces_api.install(app, PieceDoor(tokens, uploads, kinds=KINDS, max_bytes=MAX_BYTES))
    gate = UploadGate(tokens, uploads, kinds=KINDS, max_bytes=MAX_BYTES)
    access.include(app, upload_routes(gate, uploads, MAX_BYTES))

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
) -> AsyncIterator[int]:
    """Keep copies while the block runs; yields the port. `tls`: certificate and key for HTTPS.

    `ConfigError` for an address of a network without them: tokens and hearings would cross it in the clear. Before the
    day `plain_until` plain HTTP is served all the same.
    """
    own = ServedTls(host, tls, PlainPolicy(plain_until, setting="--plain-until"))
    app = build(data, read_tokens(token_file))
    async with serving(app, host, port, tls=own.context, plain=own.is_plain_open) as bound, own.followed():
        yield bound


async def serve(
    data: Path,
    token_file: Path,
    host: str,
    port: int,
    tls: tuple[Path, Path] | None,
    plain_until: dt.date | None,
    lifeline: Lifeline,
) -> None:
    """Until canceled."""
    async with running(data, token_file, host, port, tls, plain_until) as bound:
        log.info("keeping_copies", host=host, port=bound, data=str(data))
        lifeline.ready()
        await asyncio.Event().wait()
