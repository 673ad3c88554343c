"""Courts and people of a center without the center: its store on a database of the test, followed by one process."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from server.access.shared_rights import SharedRights
from server.people.acting import CENTER
from server.people.court_store import CourtStore
from server.people.court_tree import Court
from server.people.first_administrator import FirstAdministrator
from server.people.known_people import KnownPeople
from server.people.people_store import PeopleStore
from server.people.person import Person, PersonForm, Post
from server.store.database import open_database


class PeopleAt:
    """The people of one process."""

    def __init__(self, url: str, data: Path) -> None:
        self.database = open_database(url)
        self.rights = SharedRights(self.database)
        self.known = KnownPeople(self.rights)
        self.store = PeopleStore(self.database, self.known, self.rights)
        self.courts = CourtStore(self.database, self.known, self.rights)
        self.first = FirstAdministrator(
            self.database, self.store, self.known, self.rights, data=data, center_name="中心"
        )

    async def court(self, slug: str, parent: str | None = None) -> Court:
        """A court by this slug."""
        return await self.courts.add(Court(slug, slug, "", parent), CENTER)

    async def person(self, name: str, *posts: str) -> Person:
        """Somebody whose posts are written `role@court`; they belong to the first of these courts."""
        held = tuple(Post(*post.split("@")) for post in posts)
        return await self.store.add(PersonForm(f"login-{name}".replace(" ", ""), name, held[0].court, held), CENTER)


@contextlib.asynccontextmanager
async def people_at(url: str, data: Path) -> AsyncIterator[PeopleAt]:
    """Followed while the block runs."""
    here = PeopleAt(url, data)
    await here.rights.start()
    try:
        yield here
    finally:
        await here.rights.stop()
        here.database.close()
