"""The panel's doors for clerks: full sign-in by the center, quick PIN, lock and take-over, and their own sessions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from pydantic import Field
from typing_extensions import TypedDict

from edge.api.body import WordsBody
from edge.clerks.panel_entry import ROLE, PanelEntry
from sync.errors import AccessError
from sync.http.rights.access import Access
from sync.http.rights.people import Session
from sync.http.rights.rules import allow, public
from sync.http.rights.session_bodies import said_of

Pin = Annotated[str, Field(max_length=16)]


class ClerkCredentials(WordsBody):
    """The day's first sign-in; `totp` is a code of the app or a recovery code, asked for when it is needed."""

    login: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=256)]
    totp: Annotated[str, Field(max_length=40)] = ""


class PinEntry(WordsBody):
    """Who comes in by a PIN."""

    person: Annotated[str, Field(max_length=64)]
    pin: Pin


class NewPin(WordsBody):
    """A PIN of who is in."""

    pin: Pin


class PanelSession(TypedDict):
    """A session of who is in."""

    id: str
    since_utc_ms: int
    used_utc_ms: int
    until_utc_ms: int | None
    mine: bool
    """Whether it is the one that asks."""


def add_clerks(app: FastAPI, entry: PanelEntry, access: Access) -> None:
    """Put the routes on `app`."""

    @app.get("/api/panel")
    @public()
    async def shown(request: Request) -> Any:
        return entry.shown(request)

    @app.post("/api/panel/sign-in")
    @public()
    async def sign_in(body: ClerkCredentials, request: Request, response: Response) -> dict[str, str]:
        return said_of(await entry.sign_in(request, response, body.login.strip(), body.password, body.totp.strip()))

    @app.post("/api/panel/pin")
    @public()
    async def by_pin(body: PinEntry, request: Request, response: Response) -> dict[str, str]:
        return said_of(await entry.by_pin(request, response, body.person, body.pin))

    @app.put("/api/panel/pin")
    @allow(ROLE)
    async def set_pin(body: NewPin, request: Request) -> dict[str, str]:
        await entry.set_pin(access.session(request), body.pin)
        return {}

    @app.post("/api/panel/lock")
    @allow(ROLE, while_locked=True)
    async def lock(request: Request) -> dict[str, str]:
        await entry.lock(request)
        return {}

    @app.get("/api/panel/sessions")
    @allow(ROLE)
    async def sessions(request: Request) -> list[PanelSession]:
        mine = access.session(request)
        return [_shown(one, mine) for one in access.sessions_of(mine.person)]

    @app.delete("/api/panel/sessions/{session}")
    @allow(ROLE)
    async def end(session: str, request: Request) -> dict[str, str]:
        person = access.session(request).person
        if not person or not await access.end_person(person, only=session):
            raise AccessError("没有这个登录 (there is no such session of yours)", code="not-found")
        return {}


def _shown(one: Session, mine: Session) -> PanelSession:
    return {
        "id": one.id,
        "since_utc_ms": int(one.since_s * 1000),
        "used_utc_ms": int(one.used_s * 1000),
        "until_utc_ms": None if one.until_s is None else int(one.until_s * 1000),
        "mine": one is mine,
    }
