"""One port for HTTPS, and for plain HTTP where that is still let be: which one somebody speaks, their first byte says.

Promises: a handshake is over within `handshake_s` or the connection is; whoever comes is greeted, however many say
nothing: where too many do, of one address (of IPv6 its /64) or in all, the one that has said nothing for longest, of
the address with the most, makes room. Who speaks plain HTTP to a server of HTTPS is told so in a sentence, and nothing
of what they sent is read as a request.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
import time
from collections.abc import Callable, Sequence

import structlog

from sync.http.wire.connection import DoorLimits, neighborhood
from sync.runtime.bounds.anteroom import Anteroom

log = structlog.get_logger(__name__)

HANDSHAKE_S = 10.0
_SAY_AGAIN_S = 60.0
_HELLO = 0x16
"""The first byte of a TLS handshake; no request of HTTP begins with it."""
MOST_READ_OUT = 1024 * 1024
"""Bytes of a refused plain request that are read and thrown away."""
_SENTENCE = "本服务器只用 https:// 访问 (this server is reached by https:// only)\n".encode()
_REFUSAL = (
    b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: TLS/1.2, HTTP/1.1\r\nConnection: close\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nContent-Length: %d\r\n\r\n" % len(_SENTENCE)
) + _SENTENCE


class _Greeting:
    """One connection from when it is accepted until its handshake is over; ours to close until it is handed over."""

    def __init__(self, sock: socket.socket, origin: str) -> None:
        self.sock = sock
        self.origin = origin
        self.handed_over = False
        self.task: asyncio.Task[None] | None = None

    def end(self) -> None:
        """Close it, unless it is another's now."""
        if not self.handed_over:
            self.sock.close()


class TlsListener:
    """Accepts on a socket for one event loop; looks to uvicorn like one of asyncio's servers."""

    def __init__(
        self,
        sock: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        context: ssl.SSLContext,
        *,
        plain: Callable[[], bool] = lambda: False,
        handshake_s: float = HANDSHAKE_S,
        limits: DoorLimits | None = None,
        proxies: Sequence[str] = (),
    ) -> None:
        """`plain`: whether plain HTTP is served too, asked for each connection. `proxies`: addresses behind which many
        people are; only the count of all holds for them."""
        limits = limits or DoorLimits()
        self._sock = sock
        self._protocol = protocol
        self._context = context
        self._plain = plain
        self._handshake_s = handshake_s
        self._greeting: set[asyncio.Task[None]] = set()
        self._anteroom: Anteroom[_Greeting] = Anteroom(
            limits.greeted_in_all,
            limits.greeted_of_address,
            boundless=[neighborhood(proxy) for proxy in proxies],
        )
        self._displaced = 0
        self._said_s = -_SAY_AGAIN_S
        self._accepting: asyncio.Task[None] | None = None

    def start(self, backlog: int) -> None:
        """Accept from now on."""
        self._sock.listen(backlog)
        self._sock.setblocking(False)
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        """Accept no more."""
        for task in (self._accepting, *self._greeting):
            if task is not None:
                task.cancel()

    async def wait_closed(self) -> None:
        """Return when nobody is greeted any more."""
        tasks = [task for task in (self._accepting, *self._greeting) if task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, address = await loop.sock_accept(self._sock)
            except OSError as error:  # no descriptor is free, or the peer has gone already
                log.warning("not_accepted", why=error.strerror)
                await asyncio.sleep(0.1)
                continue
            greeting = _Greeting(sock, neighborhood(str(address[0])))
            self._make_room(self._anteroom.enters(greeting.origin, greeting))
            greeting.task = task = loop.create_task(self._greet(greeting))
            self._greeting.add(task)
            task.add_done_callback(functools.partial(self._greeted, greeting))

    def _make_room(self, displaced: _Greeting | None) -> None:
        if displaced is None or displaced.task is None:
            return
        displaced.task.cancel()
        self._displaced += 1
        if time.monotonic() - self._said_s >= _SAY_AGAIN_S:
            self._said_s = time.monotonic()
            log.warning("silent_connections_ended", address=displaced.origin, count=self._displaced)
            self._displaced = 0

    def _greeted(self, greeting: _Greeting, task: asyncio.Task[None]) -> None:
        self._greeting.discard(task)
        self._anteroom.leaves(greeting.origin, greeting)
        greeting.end()  # also of a task that was canceled before its first step

    async def _greet(self, greeting: _Greeting) -> None:
        loop, sock = asyncio.get_running_loop(), greeting.sock
        try:
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(self._handshake_s):
                first = await self._first_byte(sock)
                if first == _HELLO:
                    greeting.handed_over = True
                    await loop.connect_accepted_socket(
                        self._protocol, sock, ssl=self._context, ssl_handshake_timeout=self._handshake_s
                    )
                elif first is not None and self._plain():
                    greeting.handed_over = True
                    await loop.connect_accepted_socket(self._protocol, sock)
                elif first is not None:
                    await loop.sock_sendall(sock, _REFUSAL)
                    await self._read_out(sock)
        except (OSError, TimeoutError, ssl.SSLError) as error:
            # Port scanners, browsers that do not trust the authority yet, revoked and foreign certificates.
            log.debug("no_handshake", why=str(error)[:200])

    @staticmethod
    async def _read_out(sock: socket.socket) -> None:
        """Take what the request still says: closing on unread bytes resets the line, and the answer is never read."""
        sock.shutdown(socket.SHUT_WR)
        loop, left = asyncio.get_running_loop(), MOST_READ_OUT
        while left > 0 and (data := await loop.sock_recv(sock, 65_536)):
            left -= len(data)

    async def _first_byte(self, sock: socket.socket) -> int | None:
        """What will be read first, without reading it; None when nothing comes."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(sock.fileno(), _wake, ready)
        try:
            await ready
            data = sock.recv(1, socket.MSG_PEEK)
        finally:
            loop.remove_reader(sock.fileno())
        return data[0] if data else None


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
