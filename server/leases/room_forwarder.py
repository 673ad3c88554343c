"""Requests of rooms that reach a process which does not own the room: handed on to the owner as they come.

Promises: a room is known before anything of it is handed on, and who is not known is answered here. A request is handed
on once: what carries a pass (`server.leases.forward_pass`) is answered by whoever gets it, or refused with 503. Nothing
is kept in memory but what is under way, which is bounded (`server.leases.forward_bounds`). The owner judges the request
as its own: certificate, body, quota. Where the room has no owner just now the answer is 503 `busy`, and it asks again.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from ssl import SSLContext
from typing import Protocol

import httpx
import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.ingest.room_tokens import Tokens
from server.leases.forward_bounds import AGAIN, FULL, IN_ALL, NO_OWNER, UNREACHABLE, ForwardBounds
from server.leases.forward_pass import HEADER, MAX_PATH_CHARS, ForwardPass, PassSealer
from sync.errors import AccessError, WutongError
from sync.http.answers import error_response
from sync.http.wire.connection import PEER
from sync.tls.names import CENTER_HOST

log = structlog.get_logger(__name__)

OF_ROOMS = re.compile(r"/api/(pieces|objects|uploads|selftest)(/.*)?")
"""What a room's owner alone answers."""
LONGEST_S = 150.0
"""Between two bytes of the owner: longer than it reads the body of a slow line."""
CONNECT_S = 2.0
_HOPS = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "upgrade"}
    | {"transfer-encoding", "expect", HEADER}
    | {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-real-ip"}
)
"""Headers of one connection, and those that are this process's to say: who is asked by another process of the center
might believe of it from where a request came."""
_TAKEN_OVER = (
    "本庭正由中心的另一进程接管，请稍后重试 (another process of the center is taking this room over; try again)"
)
_FULL = "中心转交的请求已满，请稍后重试 (as many requests are handed on already as may be; try again)"


class RoomOwners(Protocol):
    """Who knows which process owns which room (`server.leases.lease_keeper.LeaseKeeper`)."""

    def owns(self, room: str) -> bool:
        """Whether this process does, and is ready for it."""

    def owner_of(self, room: str) -> str:
        """Where the owner is reached; "" while there is none."""


class RoomForwarder:
    """A middleware around all of the center's web server; what is of no room goes through untouched."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        tokens: Tokens,
        owners: RoomOwners,
        sealer: PassSealer,
        here: str,
        tls: SSLContext | None,
        bounds: ForwardBounds,
        source: str | None = None,
    ) -> None:
        """`here`: where this process is reached; `tls`: for connections to other processes; `source`: the address from
        which these are made, where it is one of this machine's loopback."""
        self._app = app
        self._tokens = tokens
        self._owners = owners
        self._sealer = sealer
        self._here = here
        self._tls = tls
        self._http: httpx.AsyncClient | None = None
        self._bounds = bounds
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._closing(send))
            return
        if scope["type"] != "http" or not OF_ROOMS.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            to = self._goes_to(scope)
            if to:
                await self._hand_on(to, scope, receive, send)
                return
        except WutongError as error:
            await error_response(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _closing(self, send: Send) -> Send:
        """Nobody waits for what is done after the end was said."""

        async def send_last(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown.") and self._http is not None:
                await self._http.aclose()
            await send(message)

        return send_last

    def _goes_to(self, scope: Scope) -> str:
        """Where a request goes; "" for here. `WutongError` "busy" while nobody can answer it."""
        if len(_path(scope)) > MAX_PATH_CHARS:
            raise WutongError("there is nothing at this address", code="not-found")
        opened = self._sealer.open(Headers(scope=scope).get(HEADER, ""))
        if opened is not None:
            if (opened.to, opened.method, opened.path) != (self._here, scope["method"], _path(scope)):
                raise AccessError("this request was handed on for another", code="token")
            scope["state"] = {**scope.get("state", {}), PEER: opened.identity}
        try:
            room = self._tokens.room(Request(scope))
        except AccessError:
            return ""  # it is told so by the route
        if self._owners.owns(room):
            return ""
        to = self._owners.owner_of(room)
        if opened is not None:
            raise self._busy(AGAIN)
        if not to:
            raise self._busy(NO_OWNER)
        if not self._bounds.has_place(room, to):
            raise self._busy(FULL)
        scope["wutong_room"] = room
        return to

    async def _hand_on(self, to: str, scope: Scope, receive: Receive, send: Send) -> None:
        with self._bounds.place(scope["wutong_room"], to):
            await self._exchange(to, scope, receive, send)

    async def _exchange(self, to: str, scope: Scope, receive: Receive, send: Send) -> None:
        path = _path(scope)
        headers = MutableHeaders(raw=[pair for pair in scope["headers"] if pair[0].decode("latin-1") not in _HOPS])
        peer = scope.get("state", {}).get(PEER)
        headers.setdefault("accept-encoding", "identity")
        headers["x-forwarded-proto"] = scope["scheme"]
        headers[HEADER] = self._sealer.seal(ForwardPass.of(to, scope["method"], path, peer))
        has_body = "content-length" in headers or "transfer-encoding" in Headers(scope=scope)
        request = self._client().build_request(
            scope["method"],
            to + path,
            headers=headers.raw,
            content=_body(receive) if has_body else None,
            extensions={"sni_hostname": CENTER_HOST} if to.startswith("https") else None,
        )
        started = False
        try:
            answer = await self._client().send(request, stream=True)
            try:
                kept = [
                    (name.lower(), value) for name, value in answer.headers.raw if name.lower().decode() not in _HOPS
                ]
                started = True
                await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
                async for chunk in answer.aiter_raw():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
                self._bounds.answered += 1
            finally:
                await answer.aclose()
        except ClientDisconnect:
            return  # the owner has what came, and nobody is there to be answered
        except httpx.HTTPError as error:
            log.warning("not_handed_on", room=scope["wutong_room"], to=to, why=str(error) or type(error).__name__)
            busy = self._busy(UNREACHABLE)
            if started:
                raise  # an answer without its end: the server closes the connection
            raise busy from None

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            transport = httpx.AsyncHTTPTransport(
                verify=True if self._tls is None else self._tls,
                limits=httpx.Limits(max_connections=IN_ALL, max_keepalive_connections=IN_ALL // 4),
                local_address=self._source,
                trust_env=False,
            )
            self._http = httpx.AsyncClient(
                transport=transport,
                trust_env=False,
                timeout=httpx.Timeout(LONGEST_S, connect=CONNECT_S, pool=CONNECT_S),
                follow_redirects=False,
            )
        return self._http

    def _busy(self, why: str) -> WutongError:
        self._bounds.failed[why] += 1
        return WutongError(_FULL if why == FULL else _TAKEN_OVER, code="busy")


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        if message.get("body"):
            yield message["body"]
        more = message.get("more_body", False)


def _path(scope: Scope) -> str:
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path
