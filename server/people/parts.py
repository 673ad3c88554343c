"""All that a center has of its people, by name, and what is done of it at start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from server.access.shared_rights import SharedRights
from server.people.court_store import CourtStore
from server.people.first_administrator import FirstAdministrator
from server.people.known_people import KnownPeople
from server.people.people_store import PeopleStore
from server.people.person_sessions import PersonSessions
from server.people.reaches import Reaches
from server.people_settings import PeopleSettings
from server.rooms import Rooms
from server.store.database import Database
from sync.http.rights.access import Access


@dataclass(frozen=True, slots=True)
class PeopleParts:
    """What `server.service` builds, and routes are given."""

    known: KnownPeople
    store: PeopleStore
    courts: CourtStore
    sessions: PersonSessions
    first: FirstAdministrator
    reaches: Reaches

    async def start(self, courts: Iterable[tuple[str, str]]) -> None:
        """Know the courts (slug, name) of the configured rooms, and have a code for the first administrator while there
        is none. After rights are followed, before anybody can ask."""
        await self.courts.adopt(courts)
        await self.keep_first_code()

    async def keep_first_code(self) -> None:
        """Have that code while nobody administers the top, and none otherwise."""
        wanted = not await self.first.is_known()
        await asyncio.to_thread(self.first.code.keep, wanted=wanted)


def open_parts(
    data: Path,
    name: str,
    settings: PeopleSettings,
    database: Database,
    rights: SharedRights,
    access: Access,
    rooms: Rooms,
) -> PeopleParts:
    """The people of the center that is called `name`; nothing is read yet."""
    known = KnownPeople(rights)
    store = PeopleStore(database, known, rights)
    reaches = Reaches(known, database, rooms)
    return PeopleParts(
        known,
        store,
        CourtStore(database, known, rights),
        PersonSessions(access, known, store, reaches, settings.limits()),
        FirstAdministrator(database, store, known, rights, data=data, center_name=name),
        reaches,
    )
