"""Sends pieces of many files in one request, and reads what the center has of each. It holds no state."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import structlog
from pydantic import ValidationError

from sync.errors import CenterError
from sync.runtime.logs.log_ids import upload_id
from sync.text.strict_json import UnreadableError, read_strict
from sync.uplink.files.pieces import MAGIC, MEDIA_TYPE, PieceAnswer, PieceAnswers, PieceHeader, pack_pieces
from sync.uplink.files.tus import expect

log = structlog.get_logger(__name__)

_MAX_ANSWER_BYTES = 256 * 1024
_HEADERS = {"Content-Type": MEDIA_TYPE}


class NoPiecesError(CenterError):
    """The center is of before: files go to it by tus, one by one."""

    code = "no-pieces"


class PieceClient:
    """Talks to `/api/pieces` of one center. Raises `CenterError`s and `httpx.HTTPError`s."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """`http` has the center's base address, and the room's certificate or bearer token."""
        self._http = http

    async def is_offered(self) -> bool:
        """Whether the center takes pieces; asked without any."""
        try:
            await self._ask(MAGIC, 0)
        except NoPiecesError:
            return False
        return True

    async def send(self, pieces: Sequence[tuple[PieceHeader, bytes]]) -> list[PieceAnswer]:
        """What the center has of the file of each piece, in their order."""
        return await self._ask(pack_pieces(pieces), len(pieces))

    async def _ask(self, body: bytes, count: int) -> list[PieceAnswer]:
        answer = await self._http.post("/api/pieces", content=body, headers=_HEADERS)
        if answer.status_code in (404, 405):
            raise NoPiecesError("the center takes no pieces")
        if answer.status_code == 507:
            raise CenterError("the center's disk, or what this room may have there, is full; it is tried again")
        expect(answer, 200)
        try:
            said = PieceAnswers.model_validate(read_strict(answer.content, limit=_MAX_ANSWER_BYTES))
        except (UnreadableError, ValidationError) as error:
            raise CenterError("the center's answer to pieces cannot be read; it will be asked again") from error
        if len(said.pieces) != count:
            raise CenterError("the center did not answer for each piece; it will be asked again")
        for piece in said.pieces:
            log.debug("upload_request_answered", id=upload_id(piece.upload), offset=piece.offset, code=piece.code)
        return said.pieces
