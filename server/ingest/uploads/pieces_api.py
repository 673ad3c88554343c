"""`POST /api/pieces`: what has grown of many files of a room, in one request (`sync.uplink.files.pieces`).

Promises: who asks, the disk's reserve and the room's quota are judged before a byte of the body is read, the kind of
each file before a byte of it is kept; memory holds `FLUSH_BYTES` of a room; what is told is synced; a body that breaks
off, is too slow or is overtaken by a newer one of its room counts as far as it came. Whether the device may still send
is asked again before each write. One request of a room at a time: a newer one ends the reading of the one before, which
may come over a line that nobody has cut.

Refused as a whole: 401 without a good certificate or token, 507 when disk or quota cannot take the body, 422 what is no
body of pieces.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from server.ingest.room_tokens import Tokens
from server.ingest.uploads.piece_writer import PieceWriter
from server.ingest.uploads.tus_folder import UploadFolder
from sync.errors import AccessError, WutongError
from sync.http.rights.rules import BODY_BYTES, machine
from sync.runtime.logs.log_ids import upload_id
from sync.uplink.files.pieces import MAX_BODY_BYTES, PieceAnswer, PieceHeader, PieceReader, PiecesError

log = structlog.get_logger(__name__)

FLUSH_BYTES = 2 * 1024 * 1024
"""So much of a body waits in memory before it is written."""
BODY_S = 120.0
"""So long a body is read. What a slow line has brought by then is written, and the room is told how far it is."""


class PieceDoor:
    """All methods belong to one event loop."""

    def __init__(self, tokens: Tokens, uploads: UploadFolder, *, kinds: frozenset[str], max_bytes: int) -> None:
        """`kinds`: what can be claimed here; `max_bytes`: of one file."""
        self._tokens = tokens
        self._uploads = uploads
        self._kinds = kinds
        self._max_bytes = max_bytes
        self._writer = PieceWriter(uploads, max_bytes=max_bytes)
        self._turns: dict[str, asyncio.Lock] = {}
        self._reading: dict[str, asyncio.Timeout] = {}
        self._newest: Counter[str] = Counter()

    async def admit(self, request: Request) -> None:
        """The check before the body: whose it is, and whether there is a place for it."""
        room = request.scope["wutong_room"] = self._tokens.room(request)
        said = request.headers.get("content-length", "0")
        # The gate refuses a length that is none, or beyond what this route takes.
        declared = int(said) if said.isdecimal() and len(said) < 12 else 0
        # What only asks how far the files are is answered on a full disk, too.
        if declared > BODY_BYTES:
            await self._uploads.look_at_disk()
            self._uploads.check_room(room, declared)

    async def take(self, request: Request) -> list[PieceAnswer]:
        """Read a body, write it, say of each piece what there is now. `AccessError`, `WutongError` "invalid"."""
        room: str = request.scope["wutong_room"]
        self._newest[room] += 1
        number = self._newest[room]
        if (older := self._reading.get(room)) is not None:
            older.reschedule(asyncio.get_running_loop().time())
        async with self._turns.setdefault(room, asyncio.Lock()):
            if number != self._newest[room]:
                raise WutongError("a newer request of this room is here", code="busy")
            reader = PieceReader(self._is_taken)
            answers: dict[int, PieceAnswer] = {}
            broken: ClientDisconnect | None = None
            try:
                async for chunk in self._chunks(room, number, request.stream()):
                    reader.feed(chunk)
                    if reader.held_bytes >= FLUSH_BYTES:
                        await self._write(request, room, reader, answers)
            except PiecesError as error:
                log.warning("pieces_malformed", room=room, why=str(error))
                raise WutongError(f"this is no body of pieces: {error}", code="invalid") from error
            except ClientDisconnect as error:
                broken = error  # what has come is worth keeping: a line that breaks often would never bring it all
            await self._write(request, room, reader, answers)
            if broken is not None:
                raise broken
        if reader.count == 0 and not reader.is_begun:
            raise WutongError("this is no body of pieces: it is empty", code="invalid")
        return [_said(number, answers, reader) for number in range(reader.count)]

    def _is_taken(self, header: PieceHeader) -> bool:
        return header.kind in self._kinds and (header.length is None or header.length <= self._max_bytes)

    async def _chunks(self, room: str, number: int, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The body as it comes, until it ends, its time is over, or a newer request of the room is here."""
        until = asyncio.get_running_loop().time() + BODY_S
        while number == self._newest[room]:
            try:
                async with asyncio.timeout_at(until) as reading:
                    self._reading[room] = reading
                    try:
                        chunk = await anext(stream, None)
                    finally:
                        del self._reading[room]
            except TimeoutError:
                break
            if chunk is None:
                return
            yield chunk
        log.warning("pieces_not_awaited", room=room, next="what came is kept, and the room goes on from there")

    async def _write(self, request: Request, room: str, reader: PieceReader, answers: dict[int, PieceAnswer]) -> None:
        stretches = reader.take()
        if not stretches:
            return
        if self._tokens.room(request) != room:
            raise AccessError("this room may not send any more", code="not-enrolled")
        for number, answer in (await self._writer.write(room, stretches)).items():
            answers[number] = answer
            said = {"id": upload_id(answer.upload), "room": room, "offset": answer.offset, "code": answer.code}
            log.debug("upload_answered", **said)
            if answer.code:
                reader.refuse([number])  # what would follow has no place in its file


def _said(number: int, answers: dict[int, PieceAnswer], reader: PieceReader) -> PieceAnswer:
    answer = answers.get(number)
    if answer is not None and number == reader.unfinished and not answer.code:
        return answer.model_copy(update={"code": "cut"})
    if answer is not None:
        return answer
    return PieceAnswer(upload="", offset=0, code="cut" if number == reader.unfinished else "refused")


def install(app: FastAPI, door: PieceDoor) -> None:
    """Add `POST /api/pieces`, for rooms alone."""

    @app.post("/api/pieces")
    @machine(door.admit, body_bytes=MAX_BODY_BYTES)
    async def pieces(request: Request) -> Response:
        answers = await door.take(request)
        return JSONResponse({"pieces": [answer.model_dump() for answer in answers]})
