"""The gate in front of all routes: it finds the route, asks its rule, and tells what became of the request.

No route can forget to be denied, or to be noted: both are done here, before a body is read and when a status is
answered. What cannot be noted and must be is not answered, and what may not be seen any more when it leaves does not
leave: a route names the checks for that (`Access.judge_again`). No stack ever leaves the server.
"""

from __future__ import annotations

import re
from typing import Protocol

import structlog
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync.errors import AccessError, WutongError
from sync.http.answers import CODE, error_response
from sync.http.audit.outcomes import OPENED, Outcome
from sync.http.headers import add_headers
from sync.http.rights.people import Session
from sync.http.rights.request_scope import PARAMS, REFUSED, RULE, TEMPLATE, check_still
from sync.http.rights.rules import BODY_BYTES, Rule, check_declared, rule_of
from sync.http.wire.bodies import TAKEN, CountedBody, check_length, too_large

log = structlog.get_logger(__name__)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_ASKED = re.compile(rb"%(?:0[0-8bcef]|1[0-9a-f]|7f)|[\x00-\x1f\x7f]", re.IGNORECASE)
"""In a query, but for tabs and ends of lines, which people paste."""


class Doorman(Protocol):
    """Who says to the gate who may pass (`sync.http.rights.access.Access`)."""

    @property
    def secure(self) -> bool:
        """Whether people reach this server by https."""

    async def admit(self, rule: Rule | None, request: Request | WebSocket) -> Session | None:
        """Check one request against the rule of its route; `AccessError` to refuse."""

    async def tell(self, request: Request | WebSocket, status: int) -> Outcome | None:
        """Note what a request is about to be answered with; `StorageError` when it must not be answered so."""

    async def catch_up(self, request: Request) -> None:
        """Know of rights what is as new as what an answer was made of; `WutongError` where that cannot be known."""

    def closed(self, outcome: Outcome) -> None:
        """A WebSocket has ended."""


class AccessGate:
    """The middleware: finds the route, asks its rule, adds the headers, turns defects into a plain 500."""

    def __init__(self, app: ASGIApp, access: Doorman, routes_of: FastAPI) -> None:
        self._app = app
        self._access = access
        self._routes_of = routes_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            check_declared(self._routes_of)
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = cut = shows = False
        withheld: WutongError | None = None
        body = CountedBody(receive, BODY_BYTES)

        async def send_guarded(message: Message) -> None:
            nonlocal started, cut, shows, withheld
            if cut or withheld is not None or (body.exceeded and not started):
                return  # the route knows of a client that has gone; that one is told why below
            if message["type"] == "http.response.start":
                try:
                    await self._access.tell(request, message["status"])
                    shows = message["status"] < 400
                    if shows:
                        await self._access.catch_up(request)  # noting it has taken its time
                        check_still(scope)
                except WutongError as error:
                    withheld = error  # what nobody could tell afterwards, or may not be seen any more, is not shown
                    return
                started = True
                add_headers(message, secure=self._access.secure)
            elif shows:
                try:
                    check_still(scope)
                except WutongError as error:
                    cut = True  # an answer without its end: the server closes the connection
                    log.warning("answer_cut", path=request.url.path, why=error.code)
                    return
            await send(message)

        async def answer(response: Response, code: str) -> None:
            body.exceeded = False
            scope[CODE] = code
            await response(scope, receive, send_guarded)

        request, limit = Request(scope, receive), BODY_BYTES
        try:
            match, endpoint = self._find(scope)
            scope[RULE] = rule = rule_of(endpoint)
            if match is Match.NONE or _CONTROL.search(scope["path"]):
                raise WutongError("there is nothing at this address", code="not-found")
            if _CONTROL_ASKED.search(scope["query_string"]):
                text = "查询中有无法使用的控制字符 (the query holds control characters; leave them out)"
                raise WutongError(text, code="invalid")
            limit = scope[TAKEN] = BODY_BYTES if rule is None else rule.body_bytes
            if match is Match.FULL:  # a wrong method goes on and is answered with 405
                await self._access.admit(rule, request)
            check_length(request.headers, limit)
            body = CountedBody(receive, limit)
            await self._app(scope, body, send_guarded)
            if body.exceeded and not started:
                await answer(error_response(too_large(limit)), "too-large")
        except WutongError as error:
            scope[REFUSED] = isinstance(error, AccessError)
            if started:
                raise
            said = too_large(limit) if body.exceeded else error
            await answer(error_response(said), said.code)
        except Exception as error:  # the last edge: a person gets a sentence, the log gets the stack
            if body.exceeded and not started:
                await answer(error_response(too_large(limit)), "too-large")
                return
            if isinstance(error, ClientDisconnect):
                return  # who goes away in the middle of a body, or ends it as nobody may, is no defect of ours
            log.exception("internal_error", path=request.url.path)
            if started:
                raise
            plain = {"code": "internal", "message": "服务器内部错误，已记入日志 (internal error; it was logged)"}
            await answer(JSONResponse(plain, 500), "internal")
        if withheld is not None:
            refusal, withheld = withheld, None
            await answer(error_response(refusal), refusal.code)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        ws = WebSocket(scope, receive, send)
        match, endpoint = self._find(scope)
        scope[RULE] = rule = rule_of(endpoint)
        outcome: Outcome | None = None
        answered = False

        async def send_told(message: Message) -> None:
            nonlocal answered, outcome
            if not answered and message["type"] in ("websocket.accept", "websocket.close"):
                answered = True
                outcome = await self._access.tell(ws, OPENED if message["type"] == "websocket.accept" else 403)
            await send(message)

        try:
            if match is Match.NONE:
                raise WutongError("there is nothing at this address", code="not-found")
            await self._access.admit(rule, ws)
        except WutongError as error:
            scope[CODE], scope[REFUSED] = error.code, isinstance(error, AccessError)
            await receive()  # websocket.connect
            await send_told({"type": "websocket.close", "code": 4403})  # before accept: answered with HTTP 403
            return
        try:
            await self._app(scope, receive, send_told)
        finally:
            if outcome is not None and outcome.status == OPENED:
                self._access.closed(outcome)

    def _find(self, scope: Scope) -> tuple[Match, object]:
        partial: tuple[Match, object] = (Match.NONE, None)
        for route in self._routes_of.router.routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                scope[TEMPLATE], scope[PARAMS] = getattr(route, "path", "?"), child.get("path_params", {})
                return match, child.get("endpoint")
            if match is Match.PARTIAL:
                partial = (match, None)
        return partial
