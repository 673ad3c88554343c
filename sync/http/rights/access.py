"""Every route is denied unless it declares who may use it; what all answers of a Wutong web server have in common.

    access = Access.open(data / "access.json", {"clerk": "书记员"})
    access.install(app, "room_c03")

    @app.get("/api/state")
    @allow("clerk")                    # below the route decorator
    async def state(request: Request) -> ...: access.session(request).role

    @app.websocket("/api/live")
    @allow("clerk")
    async def live(ws: WebSocket) -> None:
        session = await access.websocket(ws)   # origin and role were checked before; this accepts

Routes are added to the app itself (an `APIRouter` by `access.include`), because the gate looks them up there before
any body is read. Refused: routes that declare nothing (also at start-up), changing requests without `X-Wutong: 1`,
requests and WebSockets of another origin. Errors are `{"code", "message"}`; no stack ever leaves the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response, WebSocket
from starlette.datastructures import Headers

from sync.errors import AccessError, WutongError
from sync.http import answers
from sync.http.audit.outcomes import Outcome
from sync.http.rights.cookies import cookie, set_cookie
from sync.http.rights.gate import AccessGate
from sync.http.rights.open_sockets import OpenSockets
from sync.http.rights.origins import Origins
from sync.http.rights.people import ABSOLUTE_S, People, Session, SessionLimits, key_of
from sync.http.rights.request_scope import ACTOR, ADDED, PARAMS, SESSION, STILL, Outcomes, outcome_of, refusal_of
from sync.http.rights.rules import SAFE_METHODS, Rule, check_unlocked, public
from sync.http.rights.session_bodies import SignIn, said_of
from sync.http.rights.sharing import AuditNote, ReachCheck, RightsKnown, SessionSharing, everything_reached
from sync.http.rights.sign_in_line import SignInLine
from sync.http.rights.who_acts import acts
from sync.http.wire.connection import neighborhood

_DEVICE = "_device"
"""After the name of a session's cookie: that of the cookie by which a browser is known that signed in before."""
_DEVICE_S = 180 * 24 * 3600


class Access:
    """The people of one server and the gate in front of its routes."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._cookie = ""
        self._secure = False
        self._audit: AuditNote | None = None
        self._outcomes: Outcomes | None = None
        self._origins = Origins()
        self._rights: RightsKnown | None = None
        self._sharing: SessionSharing | None = None
        self._sockets = OpenSockets()
        self._line = SignInLine()
        self._stands: Callable[[Session], bool] = lambda _: True
        self._reached: ReachCheck = everything_reached

    @classmethod
    def open(cls, path: Path, people: Mapping[str, str]) -> Access:
        """Codes and sessions from `path` (made at first start); `people` maps role to the name shown."""
        return cls(People.open(path, people))

    def share(self, rights: RightsKnown, sharing: SessionSharing) -> None:
        """Other processes serve the same people."""
        self._rights, self._sharing = rights, sharing

    def plain_codes(self) -> dict[str, str]:
        """role -> code, for the operator; empty once `codes.json` was deleted."""
        return self._people.plain_codes()

    def install(
        self,
        app: FastAPI,
        name: str,
        *,
        https: bool = False,
        audit: AuditNote | None = None,
        outcomes: Outcomes | None = None,
        origins: Origins | None = None,
        code_opens: Callable[[Request], Awaitable[str]] | None = None,
    ) -> None:
        """Put the gate before `app` and add `/api/session`.

        `name` tells this server's cookie from those of other servers on the same host (cookies ignore ports);
        `https` makes the cookie Secure and `__Host-`; `origins`: by which addresses people reach it besides its own;
        `code_opens`: raises `AccessError` where no code opens anything now, else says what is noted of it.
        """
        self._cookie = ("__Host-" if https else "") + f"wutong_{name}"
        self._secure = https
        self._audit = audit
        self._outcomes = outcomes
        self._origins = origins or Origins()
        answers.install(app)
        app.add_middleware(AccessGate, access=self, routes_of=app)

        @app.post("/api/session")
        @public()
        async def sign_in(body: SignIn, request: Request, response: Response) -> dict[str, str]:
            address = request.client.host if request.client else "?"
            try:
                said = "" if code_opens is None else await code_opens(request)
                token, session = await self._sign_in(body.code, request, address)
            except AccessError as error:
                self.note("refused", "", address, error.code)
                raise
            self._set_cookie(response, token)
            self.know_device(response, session.role)
            self.note("sign-in", session.role, address, said)
            return said_of(session)

        @app.get("/api/session")
        @public()
        async def who(request: Request) -> dict[str, str]:
            await self._rights_soon()
            session = self._of(request.headers)
            if session is None:
                raise AccessError("请先登录 (sign in first)", code="signed-out")
            return said_of(session)

        @app.delete("/api/session")
        @public()
        async def sign_out(request: Request, response: Response) -> dict[str, str]:
            session = await self.leave(request)
            response.delete_cookie(self._cookie, path="/", secure=self._secure, httponly=True, samesite="strict")
            if session is not None:
                address = request.client.host if request.client else "?"
                self.note("sign-out", session.role, address, "", session.person)
            return {}

    async def leave(self, request: Request) -> Session | None:
        """End the session of this browser, and what it has open; it, if there was one."""
        token = cookie(request.headers, self._cookie)
        await self._rights_soon()
        self._check_rights()
        session = self._people.session(token)
        await asyncio.to_thread(self._people.sign_out, token)
        if session is not None:
            if self._sharing is not None:
                await self._sharing.ended(key_of(token))
            await self._sockets.close(session)
        return session

    async def _sign_in(self, code: str, request: Request, address: str) -> tuple[str, Session]:
        """(token, session); guesses are counted by address, those from a device that is known by the device."""
        device = self.known_device(request)
        who = device or neighborhood(address)
        self._people.throttle.check(who)

        async def look() -> tuple[str, Session]:
            return await self._shared(*await asyncio.to_thread(self._people.sign_in, code, who))

        return await self._line.stand(who, look, known=bool(device))

    async def _shared(self, token: str, session: Session) -> tuple[str, Session]:
        """A session that was just opened, once all processes know it."""
        if self._sharing is not None:
            try:
                await self._sharing.opened(key_of(token), session)
            except WutongError:
                self._people.drop(key_of(token))
                raise
        return token, session

    def known_device(self, request: Request) -> str:
        """By what guesses of a browser are counted in which somebody signed in before; empty of any other."""
        return self._people.known_device(cookie(request.headers, self._cookie + _DEVICE))

    def know_device(self, response: Response, role: str) -> None:
        """Make this browser a `known_device`."""
        name, told = self._cookie + _DEVICE, self._people.device(role)
        set_cookie(response, name, told, age_s=_DEVICE_S, secure=self._secure)

    async def let_in(
        self, request: Request, response: Response, redeem: Callable[[], Awaitable[tuple[str, str, str, float]]]
    ) -> Session:
        """Open a session for a guest: `redeem` gives (role, name, grant, until in UTC seconds), or raises
        `AccessError`, which counts as a wrong code of this address."""
        address = request.client.host if request.client else "?"
        try:
            self._people.throttle.check(address)
            try:
                role, name, grant, until_s = await redeem()
            except AccessError:
                self._people.throttle.failed(address)
                raise
        except AccessError as error:
            self.note("refused", "", address, f"{error.code} {request.url.path}")
            raise
        self._people.throttle.succeeded(address)
        token, session = await self._shared(*await asyncio.to_thread(self._people.let_in, role, name, grant, until_s))
        self._set_cookie(response, token)
        return session

    async def end(self, grant: str) -> None:
        """End what was opened by `let_in` for this grant."""
        await asyncio.to_thread(self._people.end, grant)
        if self._sharing is not None:
            await self._sharing.ended_of(grant)

    def ended_elsewhere(self, session: Session) -> None:
        """A session was ended by another process: close what it has open. It gets nothing more in any case."""
        self.cut(lambda owner: owner is session)

    # Persons, whom another part of the server recognizes (`server.people`).

    def hold_persons(
        self,
        stands: Callable[[Session], bool],
        limits: Mapping[str, SessionLimits],
        reached: ReachCheck = everything_reached,
    ) -> None:
        """Sessions of persons are worth something only while `stands` says so, and last as their roles' `limits`. What
        the path of a route names is there for them only as `reached` says."""
        self._stands, self._reached = stands, reached
        self._people.limit(limits)

    async def open_person(
        self, response: Response, role: str, name: str, person: str, court: str, until_s: float | None = None
    ) -> Session:
        """Open a session for somebody who was recognized, in a post of theirs, and give their browser its cookie.
        `AccessError` "post" when they do not hold it any more."""
        token, session = await self._shared(
            *await asyncio.to_thread(self._people.open_person, role, name, person, court, until_s)
        )
        self._set_cookie(response, token)
        return session

    def session_of(self, request: Request) -> Session | None:
        """Who asks, also on routes that are public."""
        return self._of(request.headers)

    async def lock(self, session: Session, *, locked: bool) -> None:
        """Let a session use only what may be used while it is locked, or all again."""
        await asyncio.to_thread(lambda: self._people.lock(session, locked=locked))

    def sessions_of(self, person: str) -> list[Session]:
        """Sessions of a person that last."""
        return list(self._people.of_person(person).values())

    async def end_person(self, person: str, *, only: str = "", but: str = "") -> int:
        """End the sessions of a person in all processes and close what they have open; `only` and `but` are ids of
        sessions. How many were ended here."""
        known = self._people.of_person(person)
        keys = [key for key, one in known.items() if (not only or one.id == only) and one.id != but]
        for session in await asyncio.to_thread(self._people.end_keys, keys):
            self.ended_elsewhere(session)
        if self._sharing is not None:
            await (self._sharing.ended_keys(keys) if only or but else self._sharing.ended_of_person(person))
        return len(keys)

    def cut(self, which: Callable[[Session], bool]) -> None:
        """Close what these sessions have open; their browsers open it anew, and are judged anew."""
        self._sockets.cut(which)

    def _check_rights(self) -> None:
        if self._rights is not None:
            self._rights.check()

    async def _rights_soon(self) -> None:
        if self._rights is not None:
            await self._rights.soon()

    def _set_cookie(self, response: Response, token: str) -> None:
        set_cookie(response, self._cookie, token, age_s=ABSOLUTE_S, secure=self._secure)

    @property
    def secure(self) -> bool:
        """Whether people reach this server by https."""
        return self._secure

    def include(self, app: FastAPI, router: APIRouter) -> None:
        """Add a router's routes to the app itself, where the gate sees them."""
        app.router.routes.extend(router.routes)

    def session(self, request: Request | WebSocket) -> Session:
        """Who asks; only on routes that `allow` roles."""
        session = request.scope[SESSION]
        assert isinstance(session, Session)
        return session

    async def websocket(self, ws: WebSocket) -> Session:
        """Accept a WebSocket that the gate let through; it is closed with 4401 when its person signs out.

        Call `released(ws)` when it ends.
        """
        session = self.session(ws)
        await ws.accept()
        self._sockets.add(ws, session)
        return session

    def sockets_of(self, session: Session) -> int:
        """How many WebSockets a session has open."""
        return self._sockets.count(session)

    def released(self, ws: WebSocket) -> None:
        """A WebSocket of `websocket` has ended."""
        self._sockets.remove(ws)

    def alive(self, session: Session) -> bool:
        """Whether a session still lasts; long-lived sockets ask now and then, which counts as use."""
        return self._stands(session) and self._people.keep(session)

    @staticmethod
    def add(request: Request | WebSocket, **more: str | int) -> None:
        """Add to what is noted of this request; `hearing` where the path does not name it."""
        request.scope.setdefault(ADDED, {}).update(more)

    @staticmethod
    def judge_again(request: Request | WebSocket, check: Callable[[], object]) -> None:
        """Ask `check` once more when the answer leaves, and before each further piece of it: a right may be taken away
        while something is read, drawn, noted or sent slowly. It raises `WutongError` when nothing may leave any more.
        """
        request.scope.setdefault(STILL, []).append(check)

    async def tell(self, request: Request | WebSocket, status: int) -> Outcome | None:
        """Note what a request is about to be answered with; `StorageError` when it must not be answered so.

        What is refused to somebody who is not signed in is a line of its own, or counted, by their address.
        """
        refusal = refusal_of(request, status)
        if refusal is not None:
            self.note("refused", *refusal)
        outcome = outcome_of(request, status)
        if outcome is not None and self._outcomes is not None:
            await self._outcomes.took(outcome)
        return outcome

    async def catch_up(self, request: Request | WebSocket) -> None:
        """What an answer to somebody was made of may be newer than the rights by which it was judged: know them, before
        it is judged once more."""
        if self._rights is not None and SESSION in request.scope:
            await self._rights.catch_up()

    def closed(self, outcome: Outcome) -> None:
        """A WebSocket that was told as `OPENED` has ended."""
        if self._outcomes is not None:
            self._outcomes.closed(outcome)

    def note(self, what: str, role: str, address: str, detail: str, person: str = "") -> None:
        """Pass something to the audit log, if there is one."""
        if self._audit is not None:
            self._audit(what, role, address, detail, person)

    def _of(self, headers: Headers) -> Session | None:
        self._check_rights()
        session = self._people.session(cookie(headers, self._cookie))
        return session if session is not None and self._stands(session) else None

    async def admit(self, rule: Rule | None, request: Request | WebSocket) -> Session | None:
        """Check one request against the rule of its route; `AccessError` to refuse."""
        acts(None)
        if rule is None:
            raise AccessError("this address is not open to anybody", code="undeclared")
        if rule.machine is not None:
            assert isinstance(request, Request)
            await rule.machine(request)
            request.scope[ACTOR] = rule.acts_as
            return None
        websocket = not isinstance(request, Request)
        origin = request.headers.get("origin")
        host = request.headers.get("host")
        if not self._origins.serves(host):
            raise WutongError(self._origins.host_refusal(host), code="host")
        if origin is not None and not self._origins.has(origin, host):
            raise AccessError(self._origins.refusal(origin, host), code="origin")
        if websocket and origin is None:
            raise AccessError("a WebSocket must say its origin", code="origin")
        changing = isinstance(request, Request) and request.method not in SAFE_METHODS
        if changing and request.headers.get("x-wutong") != "1":
            raise AccessError("a changing request must carry the header X-Wutong: 1", code="header")
        if rule.public:
            return None
        await self._rights_soon()
        session = self._of(request.headers)
        if session is None:
            raise AccessError("请先登录 (sign in first)", code="signed-out")
        request.scope[SESSION] = session
        self.judge_again(request, lambda: self._check_still(session, rule))
        if session.role not in rule.roles:
            raise AccessError("您的角色无权进行此操作 (your role may not do this)", code="forbidden")
        if session.person:
            self.judge_again(request, await self._reached(session, request.scope.get(PARAMS, {}), not changing))
        check_unlocked(session, rule)
        acts(session)
        return session

    def _check_still(self, session: Session, rule: Rule) -> None:
        self._check_rights()
        check_unlocked(session, rule)
        if session.ended or not self._stands(session):
            raise AccessError("请先登录 (sign in first)", code="signed-out")
