"""The administrators' routes of a center without the center: on a database of the test, asked by who is signed in."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI, Response

from server.access.center_people import open_people
from server.access.shared_rights import SharedRights
from server.config import Config, StoreSettings
from server.overview.overview_api import OverviewRoutes
from server.people.acting import CENTER
from server.people.court_tree import Court
from server.people.parts import PeopleParts, open_parts
from server.people.person import Person, PersonForm, Post
from server.people_settings import PeopleSettings
from server.rooms import Rooms
from server.roster.roster_api import RosterRoutes
from server.store.database import Database, open_database
from sync.http.rights.access import Access
from sync.http.rights.origins import Origins
from sync.http.serve import new_app

URL = "http://center.test"


@dataclass
class RosterHere:
    """The routes, and the people behind them."""

    app: FastAPI
    access: Access
    people: PeopleParts
    database: Database

    async def court(self, slug: str, parent: str | None = None) -> Court:
        """A court by this slug."""
        return await self.people.courts.add(Court(slug, f"{slug}法院", "", parent), CENTER)

    async def person(self, login: str, *posts: str, name: str = "") -> Person:
        """Somebody whose posts are written `role@court`; they belong to the first of these courts."""
        held = tuple(Post(*post.split("@")) for post in posts)
        return await self.people.store.add(PersonForm(login, name or login, held[0].court, held), CENTER)

    async def signed_in(self, person: Person) -> SignedIn:
        """A browser in which somebody acts in the first of their posts."""
        post, response = sorted(person.posts)[0], Response()
        await self.access.open_person(response, post.role, person.name, person.id, post.court)
        cookies = SimpleCookie(response.headers["set-cookie"])
        http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=URL,
            headers={"X-Wutong": "1", "Origin": URL},
            cookies={name: one.value for name, one in cookies.items()},
        )
        return SignedIn(http)


@dataclass
class SignedIn:
    """Somebody's browser."""

    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """What is answered to a request: its status and its body."""
        answer = await self.http.request(method, path, json=body, **more)
        return answer.status_code, answer.json()

    async def rows(self, path: str) -> list[Any]:
        """The rows of a list."""
        status, body = await self.ask("GET", path)
        assert status == 200, body
        return list(body["rows"])


@contextlib.asynccontextmanager
async def roster_here(folder: Path, url: str) -> AsyncIterator[RosterHere]:
    """Served in this process while the block runs."""
    database = open_database(url)
    rights = SharedRights(database)
    access, _ = open_people(folder, Config(storage=StoreSettings(data=folder)), database, rights)
    people = open_parts(folder, "五同", PeopleSettings(), database, rights, access, Rooms([]))
    app = new_app("五同")
    access.install(app, "center", https=False, audit=lambda *_: None, origins=Origins(names=["center.test"]))
    RosterRoutes(access, database, people).install(app)
    OverviewRoutes(access, database, people.known).install(app)
    await rights.start()
    try:
        yield RosterHere(app, access, people, database)
    finally:
        await rights.stop()
        database.close()
