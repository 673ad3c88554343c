"""`POST /api/tokens`: the time-stamp token over a seal's checkpoint, so that the center's export holds it too.

Promises: what is kept is what the room's enrolled device signed. Rooms of before sign no token: theirs is kept where
there is none yet, and a signed one takes its place; who only has a room's connection replaces nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from sqlalchemy import Connection, select, update

from server.store import tables as t
from server.store.database import Database
from sync.errors import AccessError, CenterError, LedgerError
from sync.http.rights.rules import machine
from sync.ledger.messages.object_claim import check_token_claim
from sync.ledger.messages.signed_message import MAX_NOTE_CHARACTERS
from sync.ledger.note import Verifier, read_note
from sync.ledger.token import MAX_TOKEN_BYTES, check_reply
from sync.record.bodies.limits import Name

log = structlog.get_logger(__name__)


class Stamp(BaseModel):
    """A token (base64 of the whole TimeStampResp) over the checkpoint of `size` leaves."""

    hearing: Name
    size: int = Field(ge=1, le=2**62)
    token: str = Field(max_length=MAX_TOKEN_BYTES * 4 // 3 + 4)
    note: str = Field("", max_length=MAX_NOTE_CHARACTERS)
    """The device's signed note over it (`sync.ledger.messages.object_claim`); rooms of before have none."""


class StampKeeper:
    """All methods belong to one event loop."""

    def __init__(self, database: Database, keys: Callable[[str], Sequence[Verifier]]) -> None:
        """`keys(room)`: who may sign for it now."""
        self._database = database
        self._keys = keys

    async def take(self, room: str, stamp: Stamp) -> None:
        """Keep a token; `CenterError` "not-found" for a checkpoint not witnessed here, "invalid" for a token not of it
        or one beside another that is kept; `AccessError` "signature" for a note that is not the device's."""
        c = t.checkpoints.c
        wanted = (c.hearing == stamp.hearing) & (c.size == stamp.size) & (c.room == room) & (c.refused == "")
        text = await self._database.read(lambda connection: connection.execute(select(c.note).where(wanted)).scalar())
        if text is None:
            raise CenterError("this checkpoint was not witnessed here", code="not-found")
        try:
            token = base64.b64decode(stamp.token, validate=True)
            check_reply(token, read_note(text).text)
        except (ValueError, LedgerError) as error:  # no base64, or none of ASCII; no token over it
            raise CenterError(f"this is no token over that checkpoint: {error}", code="invalid") from error
        signed = self._is_signed(room, stamp, token)

        def keep(connection: Connection) -> bytes | None:
            before = connection.execute(select(c.token).where(wanted)).scalar()
            if before is None or signed:
                connection.execute(update(t.checkpoints).where(wanted).values(token=token))
            return before

        before = await self._database.write(keep)
        if before is not None and before != token:
            log.warning("another_time_stamp", room=room, hearing=stamp.hearing, size=stamp.size, kept=_digest(before),
                        came=_digest(token), signed=signed)  # fmt: skip
            if not signed:
                raise CenterError(
                    "another token over this checkpoint is kept, and this one is not signed", code="invalid"
                )

    def _is_signed(self, room: str, stamp: Stamp, token: bytes) -> bool:
        if not stamp.note:
            return False
        try:
            check_token_claim(room, stamp.hearing, stamp.size, token, stamp.note, self._keys(room))
        except LedgerError as error:
            raise AccessError("this token is not signed by the room's enrolled device", code="signature") from error
        return True


def _digest(token: Any) -> str:
    return hashlib.sha256(token).hexdigest()


def install(
    app: FastAPI,
    database: Database,
    known_room: Callable[[Request], Awaitable[None]],
    keys: Callable[[str], Sequence[Verifier]],
) -> None:
    """Add the route; `known_room` puts the room into the request, `keys(room)` are who may sign for it now."""
    keeper = StampKeeper(database, keys)

    @app.post("/api/tokens")
    @machine(known_room, body_bytes=2 * MAX_TOKEN_BYTES)
    async def tokens(stamp: Stamp, request: Request) -> dict[str, bool]:
        await keeper.take(request.scope["wutong_room"], stamp)
        return {"stored": True}
