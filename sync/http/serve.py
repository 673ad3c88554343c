"""Run a FastAPI app inside a service's own event loop: its signals and its log stay the service's."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence

import uvicorn
from fastapi import FastAPI

from sync.errors import ConfigError
from sync.http.json_bodies import StrictRoute
from sync.http.rights.rules import check_declared
from sync.http.wire.connection import Colleague, Doorkeeper, DoorLimits, GuardedConnection, no_colleague
from sync.http.wire.listener import TlsListener
from sync.http.wire.websocket import GuardedWebSocket

KEEP_ALIVE_S = 20
"""So long a connection that asks nothing stays: longer than the pause of a room between two requests."""
UNSENT_BYTES = 128 * 1024
"""What the system may hold for one connection beside what is on its way to the peer."""


def new_app(title: str) -> FastAPI:
    """An app without the interactive documentation, which serves nothing that no route declares; bodies are read
    strictly."""
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    app.router.route_class = StrictRoute
    return app


class _TlsServer(uvicorn.Server):
    """uvicorn's server, with a listener of ours for HTTPS."""

    def __init__(
        self,
        config: uvicorn.Config,
        tls: ssl.SSLContext,
        plain: Callable[[], bool],
        limits: DoorLimits,
        proxies: Sequence[str],
    ) -> None:
        super().__init__(config)
        self._tls = tls
        self._plain = plain
        self._limits = limits
        self._proxies = proxies

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            return

        def protocol() -> asyncio.Protocol:
            made = self.config.http_protocol_class
            return made(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)  # type: ignore[call-arg]

        listeners = [
            TlsListener(one, protocol, self._tls, plain=self._plain, limits=self._limits, proxies=self._proxies)
            for one in sockets or []
        ]
        for listener in listeners:
            listener.start(self.config.backlog)
        self.servers = listeners  # type: ignore[assignment]  # closed and waited for as asyncio's are
        self.started = True


@contextlib.asynccontextmanager
async def serving(
    app: FastAPI,
    host: str,
    port: int,
    *,
    proxies: Sequence[str] = (),
    limits: DoorLimits | None = None,
    tls: ssl.SSLContext | None = None,
    plain: Callable[[], bool] = lambda: False,
    colleague: Colleague = no_colleague,
) -> AsyncIterator[int]:
    """Serve `app` while the block runs; yields the port (chosen by the system when `port` is 0).

    `tls`: by HTTPS with this context; `plain` then says, for each connection, whether plain HTTP is still served too.
    Without `tls` all is plain, which is for addresses of this machine alone: the caller sees to that.
    `colleague`: which other process of this server a connection is of (`Doorkeeper`).
    Who asks is who connects, whatever `X-Forwarded-*` says, unless one of `proxies` (addresses) passes it on.
    """
    check_declared(app)
    limits = limits or DoorLimits()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. An answer is written in two pieces, and the second would wait 40 ms for the peer to
        # say that it has the first: asyncio sees to that only where the listener was made with a protocol's number.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Connections inherit it. Else the system takes megabytes for a line that is slow, which is a minute of pictures
        # that nobody can take back.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(f"the address {host}:{port} cannot be used ({error.strerror}); choose another") from error
    config = uvicorn.Config(
        app,
        lifespan="on",
        # A class in all but name: uvicorn calls it once for each connection.
        http=functools.partial(GuardedConnection, Doorkeeper(limits, proxies, colleague)),  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        ws=GuardedWebSocket,
        ws_per_message_deflate=False,  # media does not shrink, and one core is dear
        ws_max_size=256 * 1024,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    server = uvicorn.Server(config) if tls is None else _TlsServer(config, tls, plain, limits, proxies)
    # `_serve` is `serve` without taking SIGTERM and SIGINT away from the service.
    task = asyncio.create_task(server._serve(sockets=[listener]))
    try:
        while not server.started:
            if task.done():
                await task
                raise ConfigError(f"the web server on {host}:{port} did not start; the log says why")
            await asyncio.sleep(0.02)
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError, SystemExit):
            await asyncio.wait_for(task, 6)
        listener.close()
