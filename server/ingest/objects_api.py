"""How the rooms' files come in: pieces, tus uploads, and `POST /api/objects`, which turns one into a stored object.

The answer to `/api/objects` is a promise that the room may stop sending: it is given only after the bytes were
hashed, synced, moved to their name and noted in the database, and the center signs it.

Nothing becomes part of the record that the room's enrolled device did not claim by its signature: who only has the
room's token can send bytes, and they stay an upload that nobody asked for. A self-test is no part of the record.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from server.ingest.contents import look
from server.ingest.room_tokens import Tokens, room_by
from server.ingest.selftest_objects import SelfTestObjects
from server.ingest.signing_rooms import SigningRooms
from server.ingest.uploads import pieces_api
from server.ingest.uploads.partial import Metadata, Partial
from server.ingest.uploads.pieces_api import PieceDoor
from server.ingest.uploads.tus_folder import UploadFolder
from server.ingest.uploads.upload_gate import UploadGate, upload_routes
from server.rooms import Rooms
from server.store.files import FileEntry
from server.store.media_indexes import MediaIndexes
from server.store.objects import ObjectStore
from server.store.reader import RecordReader
from server.store.writer import RecordWriter
from sync.errors import AccessError, CenterError, LedgerError, WutongError
from sync.http.rights.access import Access
from sync.http.rights.rules import machine
from sync.ledger.messages.object_claim import check_claim, sign_stored
from sync.ledger.messages.signed_message import MAX_NOTE_CHARACTERS
from sync.ledger.note import Verifier
from sync.ledger.signing_key import SigningKey
from sync.record.bodies.limits import Name, Sha256
from sync.runtime.logs.log_ids import file_id, upload_id

log = structlog.get_logger(__name__)

KINDS = frozenset({"segment", "exhibit", "page", "document", "selftest"})
"""What a center takes."""
AT_ONCE = 3
"""Files that are hashed and looked through beside each other."""


class Claim(BaseModel):
    """Body of `POST /api/objects`: what an upload is said to be."""

    upload: str = Field(max_length=64, pattern=r"^[A-Za-z0-9]*$")
    sha256: Sha256
    bytes: int = Field(ge=0, le=2**62)
    room: str = Field(max_length=64)
    hearing: Name
    kind: str = Field(pattern=f"^({'|'.join(sorted(KINDS))})$")
    track: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9._-]*$")
    index: int = Field(0, ge=0, le=10_000_000)
    note: str = Field("", max_length=MAX_NOTE_CHARACTERS)
    """The device's signed note over the fields above but `upload` (`sync.ledger.messages.object_claim`)."""


class ClaimJudge:
    """Whether the device of a room has signed what is claimed in its name."""

    def __init__(
        self,
        keys: Callable[[str], Sequence[Verifier]],
        *,
        accept_unsigned: Callable[[], bool] = lambda: False,
        signing: SigningRooms | None = None,
    ) -> None:
        """`keys(room)`: who may sign for it now. `accept_unsigned()`: whether rooms of before may still claim.
        `signing`: which have signed already, and so are none of those."""
        self._keys = keys
        self._accept_unsigned = accept_unsigned
        self._signing = signing or SigningRooms()

    def check(self, room: str, claim: Claim) -> None:
        """`AccessError` "not-enrolled", "unsigned" or "signature" for what is not."""
        if claim.kind == "selftest":
            return
        if not claim.note:
            if room not in self._signing and self._accept_unsigned():
                return
            raise AccessError("this claim is not signed; update and enroll the room's device", code="unsigned")
        keys = self._keys(room)
        if not keys:
            raise AccessError("this room's device is not enrolled; enroll it, the file waits", code="not-enrolled")
        try:
            check_claim(claim.model_dump(), claim.note, keys)
        except LedgerError as error:
            raise AccessError("this claim is not signed by the room's enrolled device", code="signature") from error
        self._signing.has_signed(room)


class Receiver:
    """Turns uploads into objects, one upload of a room at a time."""

    def __init__(
        self,
        uploads: UploadFolder,
        store: ObjectStore,
        record: RecordWriter,
        archive: RecordReader,
        tests: SelfTestObjects,
        judge: ClaimJudge,
        indexes: MediaIndexes,
        rooms: Rooms,
    ) -> None:
        self._judge = judge
        self._uploads = uploads
        self._indexes = indexes
        self._rooms = rooms
        self._tests = tests
        self._store = store
        self._record = record
        self._archive = archive
        self._hashing = asyncio.Semaphore(AT_ONCE)
        self._turns: dict[str, asyncio.Lock] = {}

    async def claim(self, room: str, claim: Claim) -> tuple[int, bool]:
        """(UTC in ns since when it is stored, whether it is new); `CenterError` "checksum", `WutongError`."""
        owner = await self._archive.owner(claim.hearing)
        if claim.room != room or owner not in (None, room):
            raise AccessError("a room may store only what belongs to its own hearings", code="forbidden")
        self._judge.check(room, claim)
        partial = self._uploads.partial(claim.upload)
        if partial is not None and partial.metadata.room != room:
            raise AccessError("this upload belongs to another room", code="forbidden")
        if claim.kind == "selftest":
            return await self._claim_test(room, claim, partial)
        entry = FileEntry(room, claim.hearing, claim.kind, claim.track, claim.index, claim.sha256)
        if partial is not None and not _is_of(partial.metadata, claim):
            raise AccessError("this upload was begun as another file; start a new one", code="forbidden")
        # One of a room after the other: files that take long, or whose bytes are still coming, hold up their own room
        # and leave a place for the others.
        async with self._turn(room, partial), self._hashing:
            if partial is not None:
                partial = self._uploads.partial(claim.upload)  # the same claim may have had its turn before
            # Who says a hash has not shown that they have the bytes: nothing is given for it, whoever else sent them.
            # Without an upload a claim is the repetition of one whose answer was lost, or it is refused.
            if partial is None:
                known = await self._archive.has_file(entry)
                if not known or not await asyncio.to_thread(self._store.has, claim.sha256, claim.bytes):
                    raise WutongError("this upload is unknown; start a new one", code="not-found")
            else:
                try:
                    fault = await asyncio.to_thread(self._take, partial, claim)
                except FileNotFoundError:
                    self._uploads.forget(claim.upload)
                    raise WutongError("this upload is gone; start a new one", code="not-found") from None
                except WutongError as error:
                    if error.code in ("checksum", "invalid"):
                        await asyncio.to_thread(self._uploads.forget, claim.upload)
                    raise
                if fault:
                    entry = replace(entry, fault=fault)
                    self._say_unreadable(room, claim, fault)
            result = await self._record.store_object(entry, claim.bytes)
            # Only now: until the database knows the object, playback finds the growing file by its upload.
            done = {claim.upload} if partial is not None else set()
            if claim.kind == "segment":
                # Earlier attempts at the same segment, of which the room has lost the id.
                others = self._uploads.of_track(room, claim.hearing, claim.track)
                done |= {other.uid for other in others if other.metadata.index == claim.index}
            await asyncio.to_thread(self._forget, done)
            return result

    @contextlib.asynccontextmanager
    async def _turn(self, room: str, partial: Partial | None) -> AsyncIterator[None]:
        """Of a room, and of the upload that it claims, where there is one."""
        known = contextlib.nullcontext() if partial is None else self._uploads.lock(partial.uid)
        async with self._turns.setdefault(room, asyncio.Lock()), known:
            yield

    def _forget(self, uids: Iterable[str]) -> None:
        for uid in uids:
            self._uploads.forget(uid)

    def _take(self, partial: Partial, claim: Claim) -> str:
        """Look through an upload and move it into the store; its fault. `CenterError` "checksum", `WutongError`
        "invalid". Blocks."""
        # What is not what the room has is neither looked at nor kept, but sent again.
        sent = partial.path.stat().st_size == claim.bytes and self._uploads.digest(partial) == claim.sha256
        fault, index = look(claim.kind, partial.path) if sent else ("", None)
        if not sent or not self._store.take(partial.path, claim.sha256, claim.bytes, claim.sha256):
            raise CenterError("the bytes differ from what was claimed; send them again", code="checksum")
        if index is not None:
            self._indexes.save(claim.sha256, index)
        return fault

    def _say_unreadable(self, room: str, claim: Claim, fault: str) -> None:
        about = {**_named(claim), "kind": claim.kind, "track": claim.track, "index": claim.index}
        log.error("object_unreadable", **about, room=room, hearing=claim.hearing, fault=fault)
        what = f"{claim.kind} {claim.track} {claim.index}" if claim.kind == "segment" else claim.kind
        self._rooms.alarm(
            room,
            "unreadable",
            f"庭审 {claim.hearing} 的文件已存档，但无法显示：{what}（{fault}）(a stored file cannot be shown: {fault})",
        )

    async def _claim_test(self, room: str, claim: Claim, partial: Partial | None) -> tuple[int, bool]:
        if partial is None or (partial.metadata.kind, partial.metadata.hearing) != ("selftest", claim.hearing):
            raise WutongError("this upload is unknown; start a new one", code="not-found")
        async with self._turn(room, partial), self._hashing:
            if self._uploads.partial(claim.upload) is None:  # the same claim had its turn before
                raise WutongError("this upload is unknown; start a new one", code="not-found")
            taken = await asyncio.to_thread(
                self._tests.take, room, claim.hearing, partial.path, claim.sha256, claim.bytes
            )
            await asyncio.to_thread(self._uploads.forget, claim.upload)
        if not taken:
            raise CenterError("the bytes differ from what was claimed; send them again", code="checksum")
        return time.time_ns(), True


def _named(claim: Claim) -> dict[str, str]:
    """A claim as the logs of room and center name it."""
    return {"id": file_id(claim.sha256), "upload": upload_id(claim.upload)}


def _is_of(metadata: Metadata, claim: Claim) -> bool:
    """Whether an upload was begun as what it is claimed to be."""
    if (metadata.hearing, metadata.kind) != (claim.hearing, claim.kind):
        return False
    return claim.kind != "segment" or (metadata.track, metadata.index) == (claim.track, claim.index)


def install(
    app: FastAPI,
    access: Access,
    tokens: Tokens,
    receiver: Receiver,
    gate: UploadGate,
    folder: UploadFolder,
    max_bytes: int,
    key: SigningKey,
) -> None:
    """Add `/api/pieces`, `/api/uploads` and `/api/objects`; `key` is the center's, which signs what is stored."""
    pieces_api.install(app, PieceDoor(tokens, folder, kinds=KINDS, max_bytes=max_bytes))
    access.include(app, upload_routes(gate, folder, max_bytes))

    known_room = room_by(tokens)

    @app.post("/api/objects")
    @machine(known_room)
    async def objects(claim: Claim, request: Request) -> Response:
        room = request.scope["wutong_room"]
        try:
            stored_utc_ns, fresh = await receiver.claim(room, claim)
        except WutongError as error:
            log.warning("claim_refused", **_named(claim), room=room, code=error.code)
            raise
        log.info("object_stored", **_named(claim), room=room, kind=claim.kind, bytes=claim.bytes, fresh=fresh)
        note = sign_stored(claim.model_dump(), stored_utc_ns, key)
        body = {"sha256": claim.sha256, "stored_utc_ns": stored_utc_ns, "note": note}
        return JSONResponse(body, 201 if fresh else 200)
