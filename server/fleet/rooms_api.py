"""Rooms at the administrator's page: listed, added, named, given a code, moved to another machine, retired, taken back.

Whoever manages rooms sees none of their hearings. A room of a court that lies outside the administrator's reach is told
to be none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from server.access.audit import address_of
from server.config import Slug
from server.fleet.room_acts import RoomActor, RoomActs
from server.fleet.room_codes import IssuedCode, RoomCodes
from server.fleet.room_list import (
    MOST_A_PAGE,
    DevicesListed,
    RoomFilter,
    RoomListed,
    RoomsListed,
    device_listed,
    devices_page,
    listed,
    one_room,
    rooms_page,
)
from server.people.known_people import KnownPeople
from server.rooms import Rooms
from server.store.database import Database
from sync.errors import AccessError, WutongError
from sync.http.rights.access import Access
from sync.http.rights.rules import allow
from sync.runtime.units import NS_PER_MS
from sync.text.fields import LINE

ADMINISTRATOR = "administrator"
Words = Annotated[str, Query(max_length=200)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Most = Annotated[int, Query(ge=1, le=MOST_A_PAGE)]
PAGE = 50
DeviceNumber = Annotated[int, Path(ge=1, le=2**53)]
_Line = Annotated[str, StringConstraints(min_length=1, max_length=200), LINE]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewRoom(_Body):
    """Body of `POST /api/admin/rooms`; without `room` the center makes a short name."""

    court: Slug
    room: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,30})?$")] = ""
    room_name: _Line


class RenamedRoom(_Body):
    """Body of `PATCH /api/admin/rooms/{court}/{room}`."""

    room_name: _Line


class ForcedAct(_Body):
    """Body of an act that may cut a machine off from what it still holds."""

    force: bool = False


class RevokedDevice(_Body):
    """Body of `POST /api/admin/devices/{id}/revoke`."""

    why: _Line


class RoomRoutes:
    """The routes of rooms and their machines."""

    def __init__(
        self,
        *,
        access: Access,
        database: Database,
        rooms: Rooms,
        acts: RoomActs,
        codes: RoomCodes,
        people: KnownPeople,
        visited: Callable[[], object],
        utc_ns: Callable[[], int],
    ) -> None:
        """`visited()`: somebody asks how rooms are, of which this process may hear nothing yet."""
        self._access = access
        self._db = database
        self._rooms = rooms
        self._acts = acts
        self._codes = codes
        self._people = people
        self._visited = visited
        self._utc_ns = utc_ns

    def install(self, app: FastAPI) -> None:
        """Add all routes."""
        self._install_lists(app)
        self._install_changes(app)
        self._install_machines(app)

    def _install_lists(self, app: FastAPI) -> None:
        @app.get("/api/admin/rooms")
        @allow(ADMINISTRATOR)
        async def rooms(
            request: Request,
            q: Words = "",
            court: Words = "",
            state: Literal["", "planned", "enrolled", "retired"] = "",
            sort: Literal["name", "-name", "address", "-address", "state", "-state", "made", "-made"] = "name",
            offset: Offset = 0,
            limit: Most = PAGE,
        ) -> RoomsListed:
            self._visited()
            wanted = RoomFilter(self._courts(request), q, court, state)
            now = self._utc_ns()
            total, rows = await self._db.read(lambda c: rooms_page(c, wanted, sort, offset, limit, now))
            return {"total": total, "rows": [listed(row, self._rooms.current.get(row.address)) for row in rows]}

        @app.get("/api/admin/rooms/{court}/{room}")
        @allow(ADMINISTRATOR)
        async def room(court: Slug, room: Slug, request: Request) -> RoomListed:
            self._visited()
            return await self._one(self._address(request, court, room))

        @app.get("/api/admin/devices")
        @allow(ADMINISTRATOR)
        async def devices(
            request: Request,
            q: Words = "",
            court: Words = "",
            current: bool = False,
            offset: Offset = 0,
            limit: Most = PAGE,
        ) -> DevicesListed:
            wanted = RoomFilter(self._courts(request), q, court)
            total, rows = await self._db.read(lambda c: devices_page(c, wanted, offset, limit, current=current))
            return {"total": total, "rows": [device_listed(row) for row in rows]}

    def _install_changes(self, app: FastAPI) -> None:
        @app.post("/api/admin/rooms")
        @allow(ADMINISTRATOR)
        async def add(body: NewRoom, request: Request) -> RoomListed:
            session = self._access.session(request)
            self._check_reach(request, body.court)
            court = self._people.tree.courts.get(body.court)
            name = "" if court is None else court.name
            address = await self._acts.add(_actor(session, request), body.court, body.room, name, body.room_name)
            return await self._one(address)

        @app.patch("/api/admin/rooms/{court}/{room}")
        @allow(ADMINISTRATOR)
        async def rename(court: Slug, room: Slug, body: RenamedRoom, request: Request) -> RoomListed:
            address = self._address(request, court, room)
            await self._acts.rename(_actor(self._access.session(request), request), address, body.room_name)
            return await self._one(address)

        @app.post("/api/admin/rooms/{court}/{room}/retire")
        @allow(ADMINISTRATOR)
        async def retire(court: Slug, room: Slug, body: ForcedAct, request: Request) -> RoomListed:
            address = self._address(request, court, room)
            await self._acts.retire(_actor(self._access.session(request), request), address, force=body.force)
            return await self._one(address)

        @app.post("/api/admin/rooms/{court}/{room}/return")
        @allow(ADMINISTRATOR)
        async def take_back(court: Slug, room: Slug, request: Request) -> RoomListed:
            address = self._address(request, court, room)
            await self._acts.take_back(_actor(self._access.session(request), request), address)
            return await self._one(address)

    def _install_machines(self, app: FastAPI) -> None:
        @app.post("/api/admin/rooms/{court}/{room}/code")
        @allow(ADMINISTRATOR)
        async def code(court: Slug, room: Slug, request: Request) -> IssuedCode:
            address = self._address(request, court, room)
            await self._acts.code_made(_actor(self._access.session(request), request), address)
            return await self._code(address, request)

        @app.post("/api/admin/rooms/{court}/{room}/move")
        @allow(ADMINISTRATOR)
        async def move(court: Slug, room: Slug, body: ForcedAct, request: Request) -> IssuedCode:
            address = self._address(request, court, room)
            self._visited()
            await self._acts.move(_actor(self._access.session(request), request), address, force=body.force)
            return await self._code(address, request)

        @app.delete("/api/admin/rooms/{court}/{room}/move")
        @allow(ADMINISTRATOR)
        async def stay(court: Slug, room: Slug, request: Request) -> RoomListed:
            address = self._address(request, court, room)
            await self._acts.stay(_actor(self._access.session(request), request), address)
            return await self._one(address)

        @app.post("/api/admin/devices/{device}/revoke")
        @allow(ADMINISTRATOR)
        async def revoke(device: DeviceNumber, body: RevokedDevice, request: Request) -> dict[str, str]:
            address = await self._acts.room_of(device)
            self._address(request, *address.split("/"))
            await self._acts.revoke(_actor(self._access.session(request), request), device, address, body.why)
            return {}

    async def _code(self, address: str, request: Request) -> IssuedCode:
        return await self._codes.make(address, self._utc_ns() / NS_PER_MS, request.url.port or 0)

    async def _one(self, address: str) -> RoomListed:
        row = await self._db.read(lambda connection: one_room(connection, address, self._utc_ns()))
        if row is None:
            raise WutongError("没有这个法庭 (there is no such room)", code="not-found")
        return listed(row, self._rooms.current.get(address))

    def _courts(self, request: Request) -> frozenset[str] | None:
        return self._people.reach(self._access.session(request))

    def _check_reach(self, request: Request, court: str) -> None:
        courts = self._courts(request)
        if courts is not None and court not in courts:
            raise AccessError("该法院不在您的管辖范围 (this court is not in your reach)", code="reach")

    def _address(self, request: Request, court: str, room: str) -> str:
        courts = self._courts(request)
        if courts is not None and court not in courts:
            raise WutongError("没有这个法庭 (there is no such room)", code="not-found")
        return f"{court}/{room}"


def _actor(session: Any, request: Request) -> RoomActor:
    return RoomActor(session.role, session.name, address_of(request), session.person)
