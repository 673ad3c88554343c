"""How all rooms are, and what each last said of its profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from fastapi import FastAPI, Request
from sqlalchemy import select
from typing_extensions import TypedDict

from server.config import Slug
from server.fleet.fleet_view import SORTS, Fleet, fleet_page, fleet_rows
from server.fleet.room_list import RoomFilter, in_ms
from server.fleet.rooms_api import ADMINISTRATOR, PAGE, Most, Offset, Words
from server.people.known_people import KnownPeople
from server.rooms import Rooms
from server.store import tables as t
from server.store.database import Database
from sync.errors import WutongError
from sync.http.rights.access import Access
from sync.http.rights.rules import allow
from sync.runtime.units import NS_PER_MS


class ToldProfile(TypedDict):
    """The profile of a room as it said it last."""

    profile_toml: str
    said_utc_ms: float | None


class FleetRoutes:
    """The routes of the fleet."""

    def __init__(
        self,
        *,
        access: Access,
        database: Database,
        rooms: Rooms,
        people: KnownPeople,
        visited: Callable[[], object],
        utc_ns: Callable[[], int],
    ) -> None:
        """`visited()`: somebody asks how rooms are, of which this process may hear nothing yet."""
        self._access = access
        self._db = database
        self._rooms = rooms
        self._people = people
        self._visited = visited
        self._utc_ns = utc_ns

    def install(self, app: FastAPI) -> None:
        """Add all routes."""

        @app.get("/api/admin/fleet")
        @allow(ADMINISTRATOR)
        async def fleet(
            request: Request,
            q: Words = "",
            court: Words = "",
            state: Literal["", "ok", "warning", "alarm", "offline", "planned"] = "",
            sort: Words = "worst",
            offset: Offset = 0,
            limit: Most = PAGE,
        ) -> Fleet:
            if sort.removeprefix("-") not in SORTS:
                raise WutongError(f"sort 只能是 {'、'.join(sorted(SORTS))} (no such order)", code="invalid")
            self._visited()
            wanted = RoomFilter(self._people.reach(self._access.session(request)), q, court)
            rows = await self._db.read(lambda connection: fleet_rows(connection, wanted))
            now_ms, known = self._utc_ns() / NS_PER_MS, self._rooms.current
            return fleet_page(rows, known, now_ms, state=state, sort=sort, offset=offset, most=limit)

        @app.get("/api/admin/rooms/{court}/{room}/profile")
        @allow(ADMINISTRATOR)
        async def profile(court: Slug, room: Slug, request: Request) -> ToldProfile:
            courts, e = self._people.reach(self._access.session(request)), t.room_entries.c
            query = select(e.profile, e.profile_utc_ns).where(e.address == f"{court}/{room}")
            row = await self._db.read(lambda connection: connection.execute(query).first())
            if row is None or (courts is not None and court not in courts):
                raise WutongError("没有这个法庭 (there is no such room)", code="not-found")
            return {"profile_toml": row.profile, "said_utc_ms": in_ms(row.profile_utc_ns)}
