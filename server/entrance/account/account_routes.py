"""`/api/account`: who is signed in sees and changes their own account, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter, BackgroundTasks, FastAPI, Request, Response

from server.entrance.account.account_bodies import (
    AddedTotp,
    ChangedPassword,
    Ended,
    OwnPassword,
    RecoveryCodes,
    ShownAccount,
    ShownSessions,
)
from server.entrance.account.own_account import OwnAccount
from server.entrance.steps import ChosenPost, NewTotp, PasskeyAnswer, PasskeyOptions, SignInStep
from server.people.person import Post
from sync.http.rights.access import Access
from sync.http.rights.roles import ROLES
from sync.http.rights.rules import allow


class AccountRoutes:
    """Every role of a person may use them, and sees itself alone."""

    def __init__(self, access: Access, account: OwnAccount) -> None:
        self._access = access
        self._account = account

    def install(self, app: FastAPI) -> None:
        """Add the routes."""
        router = APIRouter(prefix="/api/account")
        self._add_sessions(router)
        self._add_factors(router)
        self._access.include(app, router)

    def _add_sessions(self, router: APIRouter) -> None:
        access, account = self._access, self._account

        @router.get("")
        @allow(*ROLES)
        async def own(request: Request) -> ShownAccount:
            return await account.shown(access.session(request))

        @router.get("/sessions")
        @allow(*ROLES)
        async def sessions(request: Request) -> ShownSessions:
            session = access.session(request)
            return {"sessions": account.sessions(account.person(session).id, session.id)}

        @router.delete("/sessions")
        @allow(*ROLES)
        async def end_others(request: Request) -> Ended:
            return {"ended": await account.end_sessions(request, access.session(request))}

        @router.delete("/sessions/{session}")
        @allow(*ROLES)
        async def end_one(session: str, request: Request) -> Ended:
            return {"ended": await account.end_sessions(request, access.session(request), session)}

        @router.post("/post")
        @allow(*ROLES)
        async def post(
            body: ChosenPost, request: Request, response: Response, afterwards: BackgroundTasks
        ) -> SignInStep:
            session, chosen = access.session(request), Post(body.role, body.court)
            step = await account.other_post(request, response, session, chosen)
            afterwards.add_task(account.leave_post, session)
            return step

    def _add_factors(self, router: APIRouter) -> None:
        access, account = self._access, self._account

        @router.post("/password")
        @allow(*ROLES)
        async def password(body: ChangedPassword, request: Request) -> dict[str, str]:
            await account.change_password(request, access.session(request), body.password, body.new_password)
            return {}

        @router.post("/totp/ask")
        @allow(*ROLES)
        async def totp_ask(body: OwnPassword, request: Request, response: Response) -> NewTotp:
            return await account.totp_ask(request, response, access.session(request), body.password)

        @router.post("/totp")
        @allow(*ROLES)
        async def totp(body: AddedTotp, request: Request, response: Response) -> dict[str, str]:
            await account.add_totp(request, response, access.session(request), body.code, body.label)
            return {}

        @router.post("/passkey/ask")
        @allow(*ROLES)
        async def passkey_ask(body: OwnPassword, request: Request, response: Response) -> PasskeyOptions:
            return await account.passkey_ask(request, response, access.session(request), body.password)

        @router.post("/passkey")
        @allow(*ROLES)
        async def passkey(body: PasskeyAnswer, request: Request, response: Response) -> dict[str, str]:
            await account.add_passkey(request, response, access.session(request), body.credential, body.label)
            return {}

        @router.post("/factors/{factor}/remove")
        @allow(*ROLES)
        async def remove(factor: str, body: OwnPassword, request: Request) -> dict[str, str]:
            await account.remove_factor(request, access.session(request), factor, body.password)
            return {}

        @router.post("/recovery-codes")
        @allow(*ROLES)
        async def recovery(body: OwnPassword, request: Request) -> RecoveryCodes:
            return await account.new_recovery(request, access.session(request), body.password)
