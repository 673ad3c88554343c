"""The clerk's acts upon parts of the hearing, over HTTP (docs/protocol.md)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import Field

from edge.api.body import EdgeBody
from edge.hearing.sealing import SealingCommands
from sync.http.rights.rules import allow
from sync.record.bodies.limits import Name
from sync.text.fields import LINE

MOST_BACK_S = 24 * 3600.0


class StretchToSeal(EdgeBody):
    """Which part of the hearing is sealed: the last seconds, and what comes from now on, or both."""

    back_s: Annotated[float, Field(ge=0, le=MOST_BACK_S, allow_inf_nan=False)] = 0.0
    goes_on: bool = False
    reason: Annotated[str, LINE, Field(min_length=1, max_length=200)]


def add_sealing(app: FastAPI, sealing: SealingCommands) -> None:
    """Put the routes on `app`."""

    @app.post("/api/hearing/sealed-parts")
    @allow("clerk")
    async def seal(body: StretchToSeal) -> dict[str, Any]:
        return (await sealing.seal(body.back_s, body.reason, goes_on=body.goes_on)).to_json()

    @app.post("/api/hearing/sealed-parts/{part}/end")
    @allow("clerk")
    async def end(part: Name) -> dict[str, Any]:
        return (await sealing.end(part)).to_json()
