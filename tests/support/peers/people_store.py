"""Courts and people of a center without the center: its store on a database of the test, followed by one process."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from fastapi import Response

from server.access.shared_rights import SharedRights
from server.people.acting import CENTER
from server.people.court_store import CourtStore
from server.people.court_tree import Court
from server.people.first_administrator import FirstAdministrator
from server.people.known_people import KnownPeople
from server.people.people_store import PeopleStore
from server.people.person import Person, PersonForm, Post
from server.store.database import open_database
from tests.support.peers.center_peers import Served
from tests.support.quick_tls import UNTRUSTING


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


@contextlib.asynccontextmanager
async def acting(served: Served, person: Person, post: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is signed in at a center of the test in one of their posts, `role@court`."""
    role, court = post.split("@")
    response = Response()
    await served.center.access.open_person(response, role, person.name, person.id, court)
    cookie = response.headers["set-cookie"].partition(";")[0]
    headers = {"X-Wutong": "1", "Cookie": cookie}
    async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=20, verify=UNTRUSTING) as http:
        yield http


async def person_at(served: Served, name: str, *posts: str) -> Person:
    """Somebody new at a center of the test, by their posts `role@court`; they belong to the first of these courts."""
    held = tuple(Post(*post.split("@")) for post in posts)
    login = f"{''.join(name.split())}-{held[0].role}-{held[0].court}"
    form = PersonForm(login, name, held[0].court, held)
    added: Person = await served.center.persons.store.add(form, CENTER)
    return added
