"""Sealing a part of a hearing (封存区段), ending one that goes on, and lifting one. Read docs/protocol.md."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from server.access.audit import address_of
from server.access.classification import ARCHIVIST
from server.access.heard_furthest import HeardFurthest
from server.access.sealing import Sealing
from server.api.archive import KEEPERS
from server.api.inspectors import MOST_MS
from server.api.recorded_hearing import part_to_screen
from server.store.reader import RecordReader
from sync.errors import WutongError
from sync.http.rights.access import Access
from sync.http.rights.rules import allow
from sync.record.bodies.limits import Name
from sync.record.bodies.session import PartLevel
from sync.runtime.units import NS_PER_MS
from sync.text.fields import LINE

PartName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
Moment = Annotated[float, Field(ge=-MOST_MS, le=MOST_MS, allow_inf_nan=False)]
Reason = Annotated[str, LINE, Field(min_length=1, max_length=200)]


class NewSealedPart(BaseModel):
    """Body of a sealing: times of the hearing in milliseconds; no end: until somebody says that it is over."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    from_ms: Moment
    to_ms: Moment | None
    level: PartLevel
    reason: Reason

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.to_ms is not None and self.to_ms <= self.from_ms:
            raise ValueError("封存区段的终点须晚于起点 (a part ends after it begins)")
        return self


class Lifting(BaseModel):
    """Body of a lifting: why is kept with it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    reason: Reason


class SealingRoutes:
    """What inspectors and the archivist do to parts of a hearing."""

    def __init__(self, access: Access, archive: RecordReader, sealing: Sealing, furthest: HeardFurthest) -> None:
        self._access = access
        self._archive = archive
        self._sealing = sealing
        self._furthest = furthest

    def install(self, app: FastAPI) -> None:
        """Add all routes."""

        @app.put("/api/hearings/{hearing}/sealed-parts")
        @allow(*KEEPERS)
        async def seal(hearing: Name, body: NewSealedPart, request: Request) -> list[dict[str, Any]]:
            await self._owner(hearing)
            to_ns = None if body.to_ms is None else round(body.to_ms * NS_PER_MS)
            await self._sealing.seal(
                self._access.session(request),
                address_of(request),
                hearing,
                round(body.from_ms * NS_PER_MS),
                to_ns,
                body.level,
                body.reason,
            )
            return self._parts(request, hearing)

        @app.post("/api/hearings/{hearing}/sealed-parts/{part}/end")
        @allow(*KEEPERS)
        async def end(hearing: Name, part: PartName, request: Request) -> list[dict[str, Any]]:
            room = await self._owner(hearing)
            self._sealing.check_goes_on(hearing, part)
            # The part is over when the hearing is as far as anything of it has ever been: said, or stored.
            heard_ns = await self._furthest.of(room, hearing)
            furthest_ns = max(heard_ns, await self._archive.newest_ns(hearing))
            session = self._access.session(request)
            await self._sealing.end(session, address_of(request), hearing, part, furthest_ns)
            return self._parts(request, hearing)

        @app.post("/api/hearings/{hearing}/sealed-parts/{part}/lift")
        @allow(ARCHIVIST)
        async def lift(hearing: Name, part: PartName, body: Lifting, request: Request) -> list[dict[str, Any]]:
            await self._owner(hearing)
            session = self._access.session(request)
            await self._sealing.lift(session, address_of(request), hearing, part, body.reason)
            return self._parts(request, hearing)

    async def _owner(self, hearing: str) -> str:
        room = await self._archive.owner(hearing)
        if room is None:
            raise WutongError("没有这次庭审 (there is no such hearing)", code="not-found")
        return room

    def _parts(self, request: Request, hearing: str) -> list[dict[str, Any]]:
        role = self._access.session(request).role
        return [part_to_screen(part, self._sealing.unseen(role, hearing)) for part in self._sealing.of(hearing)]
