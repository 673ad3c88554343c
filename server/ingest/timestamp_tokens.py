"""`POST /api/tokens`: the time-stamp token over a seal's checkpoint, so that the center's export holds it too."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from sqlalchemy import select, update

from server.store import tables as t
from server.store.database import Database
from sync.errors import CenterError, LedgerError
from sync.http.rules import machine
from sync.ledger.note import read_note
from sync.ledger.token import MAX_TOKEN_BYTES, check_reply
from sync.record.bodies.limits import Name


class Stamp(BaseModel):
    """A token (base64 of the whole TimeStampResp) over the checkpoint of `size` leaves."""

    hearing: Name
    size: int = Field(ge=1, le=2**62)
    token: str = Field(max_length=MAX_TOKEN_BYTES * 4 // 3 + 4)


async def take(database: Database, room: str, stamp: Stamp) -> None:
    """Keep a token; `CenterError` "not-found" for a checkpoint not witnessed here, "invalid" for a token not of it."""
    c = t.checkpoints.c
    wanted = (c.hearing == stamp.hearing) & (c.size == stamp.size) & (c.room == room) & (c.refused == "")
    text = await database.read(lambda connection: connection.execute(select(c.note).where(wanted)).scalar())
    if text is None:
        raise CenterError("this checkpoint was not witnessed here", code="not-found")
    try:
        token = base64.b64decode(stamp.token, validate=True)
        check_reply(token, read_note(text).text)
    except (binascii.Error, LedgerError) as error:
        raise CenterError(f"this is no token over that checkpoint: {error}", code="invalid") from error
    await database.write(lambda connection: connection.execute(update(t.checkpoints).where(wanted).values(token=token)))


def install(app: FastAPI, database: Database, known_room: Callable[[Request], Awaitable[None]]) -> None:
    """Add the route; `known_room` puts the room into the request."""

    @app.post("/api/tokens")
    @machine(known_room, body_bytes=2 * MAX_TOKEN_BYTES)
    async def tokens(stamp: Stamp, request: Request) -> dict[str, bool]:
        await take(database, request.scope["wutong_room"], stamp)
        return {"stored": True}
