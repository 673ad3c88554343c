"""`POST /api/rooms/clerk-sign-in` and `clerk-standing`: who takes a room's panel, as the room asks it of the center.

Promises: the room learns who it is only when password and second factor are right, by an answer that the center has
signed for this room and until a moment; guesses are counted by room and login, so nobody who plays with one panel keeps
a clerk out of another, or of the inspection pages. It opens no session at the center. Refused: whoever has no post of
clerk, judge or presiding judge at the court of this room, and who was never signed in before.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from server.access.audit import address_of
from server.entrance.steps import Login, Secret
from server.entrance.way_in import Factors, WayIn, ways_of
from server.people.person import Person
from sync.errors import AccessError
from sync.http.rights.people import SessionLimits
from sync.http.rights.rules import machine
from sync.ledger.keys import CENTER
from sync.ledger.messages.signed_message import sign_text
from sync.runtime.units import NS_PER_S

AT_THE_PANEL = ("clerk", "presiding", "judge")
"""Roles that may take a panel; of several posts the first counts."""
NS_PER_MS = 1_000_000


class ClerkSignIn(BaseModel):
    """Body of `POST /api/rooms/clerk-sign-in`; `totp` is a code of the app, or one of the recovery codes."""

    model_config = ConfigDict(extra="forbid")

    login: Login
    password: Secret
    totp: str = Field("", max_length=40)


class ClerksAsked(BaseModel):
    """Body of `POST /api/rooms/clerk-standing`: who is in at the room's panel."""

    model_config = ConfigDict(extra="forbid")

    persons: list[Annotated[str, Field(max_length=64)]] = Field(max_length=64)


class ClerksStanding(TypedDict):
    """Who of them may have no panel of this room any more."""

    gone: list[str]


class SignedClerk(TypedDict):
    """The same, as the center signs it: a note over `clerk`, which is JSON."""

    note: str
    clerk: str


class ClerkAnswer(TypedDict):
    """Who has the panel, and until when the room may believe it."""

    person: str
    login: str
    name: str
    role: str
    court: str
    until_utc_ms: int
    signed: SignedClerk


class ClerkDoor:
    """All methods belong to one event loop."""

    def __init__(
        self, factors: Factors, way_in: WayIn, key: Ed25519PrivateKey, limits: Mapping[str, SessionLimits]
    ) -> None:
        """`key` is the center's."""
        self._f = factors
        self._way_in = way_in
        self._key = key
        self._limits = limits

    def install(self, app: FastAPI, by_room: Callable[[Request], Awaitable[None]]) -> None:
        """Add the route; `by_room` puts the room that asks into the request."""

        @app.post("/api/rooms/clerk-sign-in")
        @machine(by_room)
        async def clerk_sign_in(body: ClerkSignIn, request: Request) -> ClerkAnswer:
            return await self.sign_in(request, str(request.scope["wutong_room"]), body)

        @app.post("/api/rooms/clerk-standing")
        @machine(by_room)
        async def clerk_standing(body: ClerksAsked, request: Request) -> ClerksStanding:
            return {"gone": self.gone(str(request.scope["wutong_room"]), body.persons)}

    def gone(self, room: str, persons: Sequence[str]) -> list[str]:
        """Who of these has left, is locked, or holds no post of the panel at the court of this room any more."""
        court = room.partition("/")[0]
        known = ((one, self._f.people.known.person(one)) for one in persons)
        return [one for one, person in known if person is None or not person.is_active or not _role_at(person, court)]

    async def sign_in(self, request: Request, room: str, body: ClerkSignIn) -> ClerkAnswer:
        """`AccessError` "password", "second-factor", "code", "first-time", "post", "throttled", "directory-away"."""
        person, mine = await self._way_in.recognized(request, body.login, body.password, by=f" at {room}")
        ways = ways_of(mine)
        if not ways or (person.source == "local" and all(one.kind != "password" for one in mine)):
            raise AccessError(
                "请先在督查页面完成首次登录 (sign in on the inspection pages for the first time, then here)",
                code="first-time",
            )
        role = _role_at(person, room.partition("/")[0])
        if role is None:
            self._f.access.note("refused", "", address_of(request), f"post clerk {room}", person.id)
            raise AccessError(
                "您在本院没有书记员或法官岗位 (you hold no post of clerk or judge at this court)", code="post"
            )
        if not body.totp:
            raise AccessError("请输入验证码 (enter the code of your app)", code="second-factor")
        if "totp" in ways and len("".join(body.totp.split())) <= 8:
            await self._way_in.prove_totp(request, person.id, body.totp)
        else:
            await self._way_in.prove_recovery(request, person.id, body.totp)
        self._f.access.note("sign-in", role, address_of(request), f"clerk {room}", person.id)
        return self._answer(person, role, room)

    def _answer(self, person: Person, role: str, room: str) -> ClerkAnswer:
        now_ns = self._f.tickets.now_ns()
        limits = self._limits.get(role, SessionLimits())
        until_ns = now_ns + int(limits.absolute_s) * NS_PER_S
        court = room.partition("/")[0]
        said = {
            "person": person.id,
            "login": person.login,
            "name": person.name,
            "role": role,
            "court": court,
            "room": room,
            "until_utc_ms": until_ns // NS_PER_MS,
        }
        text = json.dumps(said, ensure_ascii=False)
        note = sign_text("clerk", room, [now_ns, until_ns], text, CENTER, self._key)
        return {
            "person": person.id,
            "login": person.login,
            "name": person.name,
            "role": role,
            "court": court,
            "until_utc_ms": until_ns // NS_PER_MS,
            "signed": {"note": note, "clerk": text},
        }


def _role_at(person: Person, court: str) -> str | None:
    held = {post.role for post in person.posts if post.court == court}
    return next((role for role in AT_THE_PANEL if role in held), None)
