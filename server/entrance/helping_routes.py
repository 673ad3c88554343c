"""What an administrator does for people who cannot come in, or must not any more.

Reached are people of the administrator's own court and of those below it. A one-time code for somebody who has never
signed in is given by one administrator; whatever takes somebody's factors, or the person, away needs two
(`server.entrance.acts`).
"""

from __future__ import annotations

from typing import Annotated, NotRequired

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from typing_extensions import TypedDict

from server.access.audit import address_of
from server.entrance.account.account_bodies import Ended, ShownSessions, SignUpCode
from server.entrance.account.own_account import OwnAccount
from server.entrance.acts import ActKind, Acts, TwoPersonAct
from server.entrance.credential_rows import credentials_of
from server.entrance.sign_up import new_sign_up_code
from server.entrance.way_in import LOCAL, Factors
from server.people.acting import ActingPerson
from server.people.person import Person
from sync.errors import AccessError, HearingError, WutongError
from sync.http.rights.roles import ADMINISTRATOR
from sync.http.rights.rules import allow
from sync.runtime.units import NS_PER_MS
from sync.text.fields import WORDS


class NewAct(BaseModel):
    """Body of `POST /api/admin/acts`."""

    model_config = ConfigDict(extra="forbid")

    kind: ActKind
    person: str = Field(pattern=r"^[0-9a-f]{16}$")
    why: Annotated[str, WORDS, Field(min_length=1, max_length=500)]


class ShownAct(TypedDict):
    """An act of two persons."""

    id: str
    kind: str
    person: str
    person_name: str
    court_name: str
    why: str
    state: str
    by: str
    by_name: str
    made_utc_ms: int
    until_utc_ms: int
    confirmed_by_name: str | None
    """Who confirmed or refused it."""
    mine: bool
    """Whether who looks has asked for it, and so cannot confirm it."""
    code: NotRequired[str]
    """The one-time code that the person needs now, shown this once."""
    code_until_utc_ms: NotRequired[int]


class ShownActs(TypedDict):
    """The newest first."""

    total: int
    rows: list[ShownAct]


class HelpingRoutes:
    """For administrators alone."""

    def __init__(self, factors: Factors, account: OwnAccount, acts: Acts) -> None:
        self._f = factors
        self._account = account
        self._acts = acts

    def install(self, app: FastAPI) -> None:
        """Add the routes."""
        router = APIRouter(prefix="/api/admin")
        self._add_people(router)
        self._add_acts(router)
        self._f.access.include(app, router)

    def _add_people(self, router: APIRouter) -> None:
        f, account = self._f, self._account

        @router.get("/people/{person}/sessions")
        @allow(ADMINISTRATOR)
        async def sessions(person: str, request: Request) -> ShownSessions:
            return {"sessions": account.sessions(self._reached(request, person).id)}

        @router.delete("/people/{person}/sessions")
        @allow(ADMINISTRATOR)
        async def end_all(person: str, request: Request) -> Ended:
            return {"ended": await f.people.sessions.end(self._reached(request, person).id)}

        @router.delete("/people/{person}/sessions/{session}")
        @allow(ADMINISTRATOR)
        async def end_one(person: str, session: str, request: Request) -> Ended:
            return {"ended": await f.people.sessions.end(self._reached(request, person).id, only=session)}

        @router.post("/people/{person}/sign-up-code")
        @allow(ADMINISTRATOR)
        async def code(person: str, request: Request) -> SignUpCode:
            """Only for whom no factor is known yet; else two have to reset them."""
            known, by = self._reached(request, person), self._by(request)
            if known.source != LOCAL:
                raise HearingError(
                    "此人由统一身份认证或目录服务登录，不需要启用码 (they sign in by the provider or the directory)",
                    code="elsewhere",
                )
            now_ns = f.tickets.now_ns()

            def work(connection: Connection) -> tuple[str, int]:
                if credentials_of(connection, known.id):
                    raise HearingError(
                        "此人已有登录方式；遗失时请发起双人重置 "
                        "(this person can sign in already; if something was lost, ask for a reset by two)",
                        code="has-factors",
                    )
                by.note(connection, "sign-up-code", {"of": known.id})
                return new_sign_up_code(connection, known.id, "sign-up", by.person, now_ns)

            made, until_ns = await f.database.write(work)
            return {"code": made, "until_utc_ms": until_ns // NS_PER_MS}

    def _add_acts(self, router: APIRouter) -> None:
        acts = self._acts

        @router.get("/acts")
        @allow(ADMINISTRATOR)
        async def listed(request: Request) -> ShownActs:
            by = self._by(request)
            rows = [self._shown(act, by.person) for act in await acts.of_reach(by)]
            return {"total": len(rows), "rows": rows}

        @router.post("/acts")
        @allow(ADMINISTRATOR)
        async def ask(body: NewAct, request: Request) -> ShownAct:
            by = self._by(request)
            return self._shown(await acts.ask(body.kind, body.person, body.why, by), by.person)

        @router.post("/acts/{act}/confirm")
        @allow(ADMINISTRATOR)
        async def confirm(act: str, request: Request) -> ShownAct:
            by = self._by(request)
            done, code, until_ns = await acts.confirm(act, by)
            shown = self._shown(done, by.person)
            if code:
                shown["code"], shown["code_until_utc_ms"] = code, until_ns // NS_PER_MS
            return {**shown, "state": "done", "confirmed_by_name": self._name(by.person)}

        @router.post("/acts/{act}/refuse")
        @allow(ADMINISTRATOR)
        async def refuse(act: str, request: Request) -> ShownAct:
            by = self._by(request)
            shown = self._shown(await acts.refuse(act, by), by.person)
            return {**shown, "state": "refused", "confirmed_by_name": self._name(by.person)}

    def _by(self, request: Request) -> ActingPerson:
        session = self._f.access.session(request)
        if not session.person:
            raise AccessError("请以个人账户登录 (sign in by an account of your own)", code="no-account")
        return ActingPerson(session.person, session.role, address_of(request), session.court)

    def _reached(self, request: Request, person: str) -> Person:
        known = self._f.people.known
        found = known.person(person)
        if found is None or found.court not in self._by(request).reach(known.tree):
            raise WutongError("没有这名人员 (there is no such person)", code="not-found")
        return found

    def _shown(self, act: TwoPersonAct, looks: str) -> ShownAct:
        return {
            "id": act.id,
            "kind": act.kind,
            "person": act.person,
            "person_name": self._name(act.person),
            "court_name": self._account.court_name(act.court),
            "why": act.why,
            "state": act.state,
            "by": act.asked_by,
            "by_name": self._name(act.asked_by),
            "made_utc_ms": act.asked_utc_ns // NS_PER_MS,
            "until_utc_ms": act.until_utc_ns // NS_PER_MS,
            "confirmed_by_name": None if act.decided_by is None else self._name(act.decided_by),
            "mine": act.asked_by == looks,
        }

    def _name(self, person: str) -> str:
        known = self._f.people.known.person(person)
        return "" if known is None else known.name
