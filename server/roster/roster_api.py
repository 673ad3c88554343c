"""Courts and people at the administrator's pages: listed, added, changed, locked.

Whoever manages people sees no hearing. What lies outside the reach of the post in which an administrator acts is told
to be none. A form that cannot be taken is answered with the faults of its fields, and nothing of it is kept.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import FastAPI, Query, Request, Response, UploadFile
from fastapi import Form as FormField
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from server.access.audit import address_of
from server.people.acting import ActingPerson
from server.people.court_tree import Court
from server.people.faults import FaultyFormError
from server.people.parts import PeopleParts
from server.people.people_store import NO_PERSON
from server.people.person import MOST_POSTS, Person, PersonForm, Post
from server.roster.people_import import ImportAnswer, PeopleImport, SaveWhat
from server.roster.people_list import (
    MOST_A_PAGE,
    CourtListed,
    CourtsListed,
    PeopleFilter,
    PeopleListed,
    PersonListed,
    court_listed,
    courts_of_reach,
    factors_of,
    people_by_court,
    people_page,
    person_listed,
)
from server.roster.people_table import MOST_BYTES, read_table, template
from server.store.database import Database
from sync.errors import AccessError, WutongError
from sync.http.answers import CODE
from sync.http.rights.access import Access
from sync.http.rights.roles import ADMINISTRATOR
from sync.http.rights.rules import allow
from sync.text.fields import LINE

Words = Annotated[str, Query(max_length=200)]
Name = Annotated[str, Query(max_length=64)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
PageSize = Annotated[int, Query(ge=1, le=MOST_A_PAGE)]
PAGE = 50
_Line = Annotated[str, LINE, Field(max_length=200)]
_Slug = Annotated[str, Field(max_length=64)]
_Level = Literal["supreme", "province", "city", "district", ""]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewCourt(_Form):
    """Body of `POST /api/admin/courts`."""

    slug: _Slug
    name: _Line
    level: _Level
    parent: _Slug | None


class ChangedCourt(_Form):
    """Body of `PATCH /api/admin/courts/{slug}`; what is null stays as it is."""

    name: _Line | None = None
    level: _Level | None = None
    parent: _Slug | None = None


class NewPost(_Form):
    """A role at a court."""

    role: Annotated[str, Field(max_length=32)]
    court: _Slug


class NewPerson(_Form):
    """Body of `POST /api/admin/people`."""

    login: _Line
    name: _Line
    court: _Slug
    posts: Annotated[list[NewPost], Field(max_length=MOST_POSTS)]


class ChangedPerson(_Form):
    """Body of `PATCH /api/admin/people/{id}`; what is null stays as it is."""

    name: _Line | None = None
    court: _Slug | None = None
    posts: Annotated[list[NewPost], Field(max_length=MOST_POSTS)] | None = None


class RosterRoutes:
    """The routes of courts and people."""

    def __init__(self, access: Access, database: Database, people: PeopleParts) -> None:
        self._access = access
        self._db = database
        self._people = people

    def install(self, app: FastAPI) -> None:
        """Add all routes, and the answer of forms that cannot be taken."""
        app.add_exception_handler(FaultyFormError, _faulty_form)
        self._install_courts(app)
        self._install_people(app)
        self._install_acts(app)
        self._install_import(app)

    def _install_courts(self, app: FastAPI) -> None:
        store = self._people.courts

        @app.get("/api/admin/courts")
        @allow(ADMINISTRATOR)
        async def courts(
            request: Request,
            q: Words = "",
            sort: Literal["tree", "-tree", "slug", "-slug", "name", "-name"] = "tree",
            offset: Offset = 0,
            limit: PageSize = PAGE,
        ) -> CourtsListed:
            tree = self._people.known.tree
            found = courts_of_reach(tree, self._by(request).reach(tree), q, sort)
            count = await self._db.read(people_by_court)
            rows = [court_listed(court, depth, count[court.slug]) for court, depth in found[offset : offset + limit]]
            return {"total": len(found), "rows": rows}

        @app.post("/api/admin/courts")
        @allow(ADMINISTRATOR)
        async def add_court(body: NewCourt, request: Request) -> CourtListed:
            court = Court(body.slug.strip(), body.name, body.level, body.parent)
            await store.add(court, self._by(request))
            return await self._court(court.slug, request)

        @app.patch("/api/admin/courts/{slug}")
        @allow(ADMINISTRATOR)
        async def change_court(slug: str, body: ChangedCourt, request: Request) -> CourtListed:
            await store.change(slug, self._by(request), name=body.name, level=body.level, parent=body.parent)
            return await self._court(slug, request)

        @app.delete("/api/admin/courts/{slug}")
        @allow(ADMINISTRATOR)
        async def remove_court(slug: str, request: Request) -> dict[str, str]:
            await store.remove(slug, self._by(request))
            return {}

    def _install_people(self, app: FastAPI) -> None:
        store = self._people.store

        @app.get("/api/admin/people")
        @allow(ADMINISTRATOR)
        async def people(
            request: Request,
            q: Words = "",
            court: Name = "",
            role: Name = "",
            state: Literal["", "active", "locked", "left"] = "",
            sort: Literal[
                "name", "-name", "login", "-login", "court", "-court", "state", "-state", "seen", "-seen"
            ] = "name",
            offset: Offset = 0,
            limit: PageSize = PAGE,
        ) -> PeopleListed:
            """`court`: of it and of those below it."""
            tree = self._people.known.tree
            reach = self._by(request).reach(tree)
            wanted = PeopleFilter(reach & tree.reach(court) if court else reach, q, role, state)
            total, found = await self._db.read(lambda c: people_page(c, wanted, sort, offset, limit))
            return {"total": total, "rows": await self._shown(*found)}

        @app.get("/api/admin/people/{person}")
        @allow(ADMINISTRATOR)
        async def one(person: str, request: Request) -> PersonListed:
            known = self._people.known
            found = known.person(person)
            if found is None or found.court not in self._by(request).reach(known.tree):
                raise WutongError(NO_PERSON, code="not-found")
            return (await self._shown(found))[0]

        @app.post("/api/admin/people")
        @allow(ADMINISTRATOR)
        async def add(body: NewPerson, request: Request) -> PersonListed:
            form = PersonForm(body.login, body.name, body.court, _posts(body.posts))
            return (await self._shown(await store.add(form, self._by(request))))[0]

        @app.patch("/api/admin/people/{person}")
        @allow(ADMINISTRATOR)
        async def change(person: str, body: ChangedPerson, request: Request) -> PersonListed:
            posts = None if body.posts is None else _posts(body.posts)
            changed = await store.change(person, self._by(request), name=body.name, court=body.court, posts=posts)
            return (await self._shown(changed))[0]

    def _install_acts(self, app: FastAPI) -> None:
        store = self._people.store

        @app.post("/api/admin/people/{person}/lock")
        @allow(ADMINISTRATOR)
        async def lock(person: str, request: Request) -> PersonListed:
            by = self._by(request)
            if person == by.person:
                raise AccessError(
                    "不能锁定自己，请另一位管理员操作 (nobody locks themself: ask another)", code="yourself"
                )
            return (await self._shown(await store.lock(person, by)))[0]

        @app.post("/api/admin/people/{person}/unlock")
        @allow(ADMINISTRATOR)
        async def unlock(person: str, request: Request) -> PersonListed:
            return (await self._shown(await store.unlock(person, self._by(request))))[0]

    def _install_import(self, app: FastAPI) -> None:
        tables = PeopleImport(self._people)

        @app.get("/api/admin/people/import/template.csv")
        @allow(ADMINISTRATOR)
        async def example() -> Response:
            headers = {"Content-Disposition": 'attachment; filename="people.csv"'}
            return Response(template(), media_type="text/csv; charset=utf-8", headers=headers)

        @app.post("/api/admin/people/import")
        @allow(ADMINISTRATOR, body_bytes=MOST_BYTES + 64 * 1024)
        async def take(request: Request, file: UploadFile, save: Annotated[SaveWhat, FormField()]) -> ImportAnswer:
            by = self._by(request)
            data = await file.read(MOST_BYTES + 1)
            return await tables.take(await asyncio.to_thread(read_table, data), save, by)

    def _by(self, request: Request) -> ActingPerson:
        session = self._access.session(request)
        if not session.person:
            raise AccessError("请以个人账户登录 (sign in by an account of your own)", code="no-account")
        return ActingPerson(session.person, session.role, address_of(request), session.court)

    async def _shown(self, *people: Person) -> list[PersonListed]:
        known = self._people.known
        factors = await self._db.read(lambda connection: factors_of(connection, [one.id for one in people]))
        return [
            person_listed(one, known.tree, factors.get(one.id, []), shares_name=known.shares_name(one))
            for one in people
        ]

    async def _court(self, slug: str, request: Request) -> CourtListed:
        tree = self._people.known.tree
        found = courts_of_reach(tree, self._by(request).reach(tree), "", "tree")
        count = await self._db.read(people_by_court)
        court, depth = next((court, depth) for court, depth in found if court.slug == slug)
        return court_listed(court, depth, count[slug])


def _posts(posts: list[NewPost]) -> tuple[Post, ...]:
    return tuple(Post(post.role, post.court) for post in posts)


async def _faulty_form(request: Request, error: Exception) -> Response:
    assert isinstance(error, FaultyFormError)
    request.scope[CODE] = error.code
    faults = [fault.said() for fault in error.faults]
    return JSONResponse({"code": error.code, "message": error.message, "faults": faults}, 422)
