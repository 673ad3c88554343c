"""The rooms that a court runs itself, put together: their acts, their codes and their routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import FastAPI, Request

from server.config import Config
from server.fleet.fleet_api import FleetRoutes
from server.fleet.room_acts import RoomActs
from server.fleet.room_codes import CenterPlaces, RoomCodes
from server.fleet.room_register import RoomRegister
from server.fleet.rooms_api import RoomRoutes
from server.fleet.told_profiles import ToldProfiles
from server.integrity.enrollment import Enrollment
from server.people.known_people import KnownPeople
from server.rooms import Rooms
from server.store.database import Database
from sync.http.rights.access import Access


@dataclass(frozen=True, slots=True)
class FleetParts:
    """What they need of the center."""

    access: Access
    database: Database
    rooms: Rooms
    register: RoomRegister
    enrollment: Enrollment
    revoked: Callable[[], object]
    people: KnownPeople
    visited: Callable[[], object]

    def install(
        self, app: FastAPI, config: Config, fingerprint: str, by_room: Callable[[Request], Awaitable[None]]
    ) -> None:
        """Add their routes."""
        places = CenterPlaces.of(config)
        self.enrollment.brokers = places.brokers
        utc_ns = self.register.utc_ns
        acts = RoomActs(self.register, self.rooms, self.enrollment, retired=self.revoked)
        RoomRoutes(
            access=self.access,
            database=self.database,
            rooms=self.rooms,
            acts=acts,
            codes=RoomCodes(self.enrollment, places, fingerprint),
            people=self.people,
            visited=self.visited,
            utc_ns=utc_ns,
        ).install(app)
        FleetRoutes(
            access=self.access,
            database=self.database,
            rooms=self.rooms,
            people=self.people,
            visited=self.visited,
            utc_ns=utc_ns,
        ).install(app)
        ToldProfiles(self.database, utc_ns).install(app, by_room)
