"""The entrance of a center without the center: its routes on a database of the test, asked by browsers of the test."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI, Request

from server.access.center_people import open_people
from server.access.shared_rights import SharedRights
from server.config import Config, StoreSettings
from server.entrance.opened import EntranceNames, install_entrance
from server.factors import passwords
from server.factors.totp import STEP_S, totp_code
from server.people.acting import CENTER
from server.people.court_tree import Court
from server.people.parts import PeopleParts, open_parts
from server.people.person import Person, PersonForm, Post
from server.people_settings import PeopleSettings
from server.rooms import Rooms
from server.store.database import open_database
from sync.errors import AccessError
from sync.http.rights.origins import Origins
from sync.http.serve import new_app
from tests.support.files.migrated import new_store

ORIGIN = "https://center.court.example"
PASSWORD = "correct horse battery"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ROOM = "city/c03"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""A hash that a thief would have to pay for is paid at each sign-in of a test."""


@dataclass
class EntranceHere:
    """The routes, and the people behind them."""

    app: FastAPI
    people: PeopleParts
    notes: list[tuple[str, ...]]
    now_s: float = field(default_factory=time.time)
    secrets: dict[str, str] = field(default_factory=dict)
    """Secrets of the apps of those who have signed up here, by login."""

    def browser(self, origin: str = ORIGIN) -> Browser:
        """Another one, which knows nothing."""
        return Browser(self, origin)

    async def court(self, slug: str, parent: str | None = None) -> Court:
        """A court by this slug, below the one at the top."""
        above = parent or self.people.known.tree.tops[0].slug
        return await self.people.courts.add(Court(slug, f"{slug}法院", "", above), CENTER)

    async def person(self, login: str, *posts: str, source: str = "local", subject: str = "") -> Person:
        """Somebody whose posts are written `role@court`; they belong to the first of these courts."""
        held = tuple(Post(*post.split("@")) for post in posts)
        form = PersonForm(login, login, held[0].court, held, source, subject)
        return await self.people.store.add(form, CENTER)

    def code(self, login: str) -> str:
        """What the app of somebody shows now; the clock goes on, so that the next is another."""
        self.now_s += STEP_S
        return totp_code(self.secrets[login], self.now_s)


class Browser:
    """One browser, with its cookies; it says where its page is."""

    def __init__(self, here: EntranceHere, origin: str) -> None:
        self._here = here
        self.origin = origin
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(here.app), base_url=origin, headers={"X-Wutong": "1", "Origin": origin}
        )

    def show_room(self) -> None:
        """From now on what asks is the room `ROOM`."""
        self._http.headers["Authorization"] = "Bearer of the room"

    def change_cookies(self, part: str) -> None:
        """Another letter in the middle of the cookies whose name has this part."""
        for cookie in self._http.cookies.jar:
            if part in cookie.name and cookie.value:
                middle = len(cookie.value) // 2
                other = "A" if cookie.value[middle] != "A" else "B"
                cookie.value = cookie.value[:middle] + other + cookie.value[middle + 1 :]

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        answer = await self._http.request(method, path, json=body)
        return answer.status_code, answer.json()

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        """What comes of it, or the refusal."""
        return (await self.ask("POST", path, body))[1]

    async def get(self, path: str) -> dict[str, Any]:
        return (await self.ask("GET", path))[1]

    async def signs_up(self, login: str, code: str, password: str = PASSWORD) -> dict[str, Any]:
        """The first time, by a one-time code."""
        await self.post("/api/sign-in", login=login, password=code)
        step = await self.post("/api/sign-in/new-password", password=password)
        self._here.secrets[login] = step["totp"]["secret"]
        return await self.post("/api/sign-in/enroll/totp", code=self._here.code(login))

    async def signs_in(self, login: str, password: str = PASSWORD) -> dict[str, Any]:
        """Every other time."""
        await self.post("/api/sign-in", login=login, password=password)
        return await self.post("/api/sign-in/totp", code=self._here.code(login))


async def an_administrator(here: EntranceHere) -> Browser:
    """A browser in which the first administrator, `admin`, is signed in."""
    browser = here.browser()
    code = here.people.first.code.keep(wanted=True)
    step = await browser.post("/api/sign-in/first", code=code, login="admin", name="admin", password=PASSWORD)
    here.secrets["admin"] = step["totp"]["secret"]
    await browser.post("/api/sign-in/enroll/totp", code=here.code("admin"))
    return browser


async def somebody(here: EntranceHere, admin: Browser, login: str, *posts: str) -> tuple[Person, Browser]:
    """Somebody with these posts, who has signed up by a code of this administrator."""
    person = await here.person(login, *posts)
    code = (await admin.post(f"/api/admin/people/{person.id}/sign-up-code"))["code"]
    browser = here.browser()
    await browser.signs_up(login, code)
    return person, browser


@contextlib.asynccontextmanager
async def entrance_here(
    folder: Path, settings: PeopleSettings | None = None, *, https: bool = True
) -> AsyncIterator[EntranceHere]:
    """Served in this process while the block runs; without `https` for browsers at `localhost`."""
    database = open_database(f"sqlite:///{new_store(folder / 'center.db')}")
    rights = SharedRights(database)
    settings = settings or PeopleSettings()
    config = Config(storage=StoreSettings(data=folder), people=settings)
    access, _ = open_people(folder, config, database, rights)
    people = open_parts(folder, "五同", settings, database, rights, access, Rooms([]))
    people.first.code._hasher = QUICK
    app = new_app("五同")
    notes: list[tuple[str, ...]] = []

    def noted(what: str, role: str, address: str, detail: str, person: str = "") -> None:
        notes.append((what, role, detail, person))

    origins = Origins(names=[urlsplit(ORIGIN).hostname or ""])
    access.install(app, "center", https=https, audit=noted, origins=origins)
    here = EntranceHere(app, people, notes)

    async def by_room(request: Request) -> None:
        if request.headers.get("authorization") != "Bearer of the room":
            raise AccessError("no room", code="token")
        request.scope["wutong_room"] = ROOM

    install_entrance(
        app,
        EntranceNames("五同", "center"),
        settings,
        database,
        people,
        access,
        KEY,
        by_room,
        lambda: here.now_s,
        hashes=passwords.PasswordHashes(QUICK),
    )
    await rights.start()
    try:
        yield here
    finally:
        await rights.stop()
        database.close()
