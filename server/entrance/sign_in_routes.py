"""`/api/sign-in`: the steps of somebody who comes in, over HTTP."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, FastAPI, Request, Response

from server.entrance.first_time import FirstTime
from server.entrance.steps import (
    BackFromProvider,
    ChosenPost,
    LoginAndPassword,
    NewFirst,
    NewPassword,
    PasskeyAnswer,
    PasskeyOptions,
    ProviderAddress,
    ShortCode,
    SignInStep,
    SignInWays,
)
from server.entrance.way_in import Factors, WayIn
from server.factors.passkeys import PasskeyPlace
from server.factors.passwords import PasswordRules
from server.people.person import Post
from server.people_settings import PeopleSettings
from sync.errors import AccessError
from sync.http.rights.rules import public


class SignInRoutes:
    """Gives each step to who judges it."""

    def __init__(
        self,
        factors: Factors,
        way_in: WayIn,
        first_time: FirstTime,
        rules: PasswordRules,
        settings: PeopleSettings,
        utc_s: Callable[[], float],
    ) -> None:
        self._f = factors
        self._way_in = way_in
        self._first_time = first_time
        self._rules = rules
        self._settings = settings
        self._utc_s = utc_s

    def install(self, app: FastAPI) -> None:
        """Add the routes."""
        router = APIRouter(prefix="/api/sign-in")
        self._add_ways_in(router)
        self._add_second_factors(router)
        self._add_first_time(router)
        self._f.access.include(app, router)

    def _add_ways_in(self, router: APIRouter) -> None:
        way_in = self._way_in

        @router.get("/ways")
        @public()
        async def ways(request: Request) -> SignInWays:
            """`passkeys` says whether the address by which the page was opened can have them."""
            return {
                "passkeys": _has_passkeys(request, secure=self._f.access.secure),
                "provider": self._settings.oidc.name if self._settings.oidc.is_named else "",
                "directory": self._f.directory is not None,
                "codes": self._settings.codes_open(self._utc_s()),
                "first": not await self._f.people.first.is_known(),
                "least_chars": self._rules.least_chars,
            }

        @router.post("")
        @public()
        async def by_password(body: LoginAndPassword, request: Request, response: Response) -> SignInStep:
            return await way_in.by_password(request, response, body.login, body.password)

        @router.post("/provider")
        @public()
        async def provider(request: Request, response: Response) -> ProviderAddress:
            return await way_in.provider_begin(request, response)

        @router.post("/provider/back")
        @public()
        async def back(body: BackFromProvider, request: Request, response: Response) -> SignInStep:
            return await way_in.provider_finish(request, response, body.code, body.state, body.iss)

        @router.post("/post")
        @public()
        async def post(body: ChosenPost, request: Request, response: Response) -> SignInStep:
            return await way_in.choose_post(request, response, Post(body.role, body.court))

    def _add_second_factors(self, router: APIRouter) -> None:
        way_in = self._way_in

        @router.post("/totp")
        @public()
        async def totp(body: ShortCode, request: Request, response: Response) -> SignInStep:
            return await way_in.by_totp(request, response, body.code)

        @router.post("/recovery")
        @public()
        async def recovery(body: ShortCode, request: Request, response: Response) -> SignInStep:
            return await way_in.by_recovery(request, response, body.code)

        @router.post("/passkey/ask")
        @public()
        async def passkey_ask(request: Request, response: Response) -> PasskeyOptions:
            return await way_in.passkey_ask(request, response)

        @router.post("/passkey")
        @public()
        async def passkey(body: PasskeyAnswer, request: Request, response: Response) -> SignInStep:
            return await way_in.by_passkey(request, response, body.credential)

    def _add_first_time(self, router: APIRouter) -> None:
        first = self._first_time

        @router.post("/first")
        @public()
        async def administrator(body: NewFirst, request: Request, response: Response) -> SignInStep:
            return await first.first_administrator(request, response, body.code, body.login, body.name, body.password)

        @router.post("/new-password")
        @public()
        async def new_password(body: NewPassword, request: Request, response: Response) -> SignInStep:
            return await first.new_password(request, response, body.password)

        @router.post("/enroll")
        @public()
        async def enroll(request: Request, response: Response) -> SignInStep:
            return await first.enroll_again(request, response)

        @router.post("/enroll/totp")
        @public()
        async def enroll_totp(body: ShortCode, request: Request, response: Response) -> SignInStep:
            return await first.by_totp(request, response, body.code)

        @router.post("/enroll/passkey/ask")
        @public()
        async def enroll_ask(request: Request, response: Response) -> PasskeyOptions:
            return await first.passkey_ask(request, response)

        @router.post("/enroll/passkey")
        @public()
        async def enroll_passkey(body: PasskeyAnswer, request: Request, response: Response) -> SignInStep:
            return await first.by_passkey(request, response, body.credential, body.label)


def _has_passkeys(request: Request, *, secure: bool) -> bool:
    """Whether a page that was opened by this address can ask for passkeys."""
    host = request.headers.get("host", "")
    try:
        PasskeyPlace.of(f"{'https' if secure else request.url.scheme}://{host}")
    except (AccessError, ValueError):
        return False
    return True
