"""One HTTP connection that nobody can hold for nothing, and how many there may be.

Promises, beside what uvicorn does: a request whose head is not whole after `head_s` is ended, and so is one whose body,
or a reader whose answer, moves slower than `bytes_per_s` over `stall_s`; when an address (of IPv6 its /64) or the whole
server has as many connections as it may, the oldest that asks nothing makes room. A request that was answered before
its body came is ended in order: the answer is read, the rest of the body is not. WebSockets are counted by whoever
accepts them. Refuses: a connection for which none makes room.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import h11
import structlog
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from sync.http.wire.bodies import TAKEN
from sync.tls.certificates import PeerIdentity, peer_identity

log = structlog.get_logger(__name__)

PEER = "wutong_peer"
"""Where a request has, in `scope["state"]`, whose certificate came with its connection (`PeerIdentity`); no header of
the request can say so."""
_LINGER_S = 2.0
_LINGER_LEAST_BYTES, _LINGER_MOST_BYTES = 1024**2, 16 * 1024**2
"""Of the rest of a body, thrown away as it comes: as much as the route takes. A room sends its files by the MiB and is
to hear why it may not; whoever pours into a route that takes little is not read for long."""
_SAY_AGAIN_S = 60.0


@dataclass(frozen=True)
class DoorLimits:
    """What one connection, one address and all together may take."""

    head_s: float = 10.0
    stall_s: float = 30.0
    bytes_per_s: float = 256.0
    """The slowest line that is waited for."""
    of_address: int = 256
    in_all: int = 2048
    of_colleague: int = 256
    """Of another process of the same server; counted apart from all others."""
    greeted_of_address: int = 64
    greeted_in_all: int = 512
    """Connections to HTTPS that have not said anything yet, or are in their handshake."""


def neighborhood(address: str) -> str:
    """What of an address one person can have all of: IPv4 itself, IPv6 its /64; anything else is kept as it is."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.IPv6Network((ip, 64), strict=False))
    return str(ip)


Colleague = Callable[[str, PeerIdentity | None], str]
"""Says which other process of this server a connection is of, by its address and certificate; "" for anybody else."""


def no_colleague(_address: str, _peer: PeerIdentity | None) -> str:
    """Of a server that is one process."""
    return ""


class Doorkeeper:
    """Counts the connections of one server. All methods belong to one event loop."""

    def __init__(self, limits: DoorLimits, proxies: Iterable[str] = (), colleague: Colleague = no_colleague) -> None:
        """`proxies`: addresses behind which many people are; only the count of all holds for them. Those of which
        `colleague` knows a process are counted by it, and apart from all others."""
        self.limits = limits
        self._colleague = colleague
        self._colleagues: set[str] = set()
        self._proxies = frozenset(neighborhood(proxy) for proxy in proxies)
        self._open: dict[str, dict[GuardedConnection, None]] = {}
        self._count = 0
        self._turned_away = 0
        self._said_s = -_SAY_AGAIN_S

    def group(self, address: str, peer: PeerIdentity | None) -> str:
        """With whom a connection is counted."""
        name = self._colleague(address, peer)
        if not name:
            return neighborhood(address)
        key = f"process {name}"  # no address
        self._colleagues.add(key)
        return key

    def enters(self, connection: GuardedConnection, address: str) -> bool:
        """Count a new connection, and end an idle one where there are too many; False when there is no room."""
        group = self._open.setdefault(address, {})
        room = True
        is_apart = address in self._colleagues
        most = self.limits.of_colleague if is_apart else self.limits.of_address
        if len(group) >= most and address not in self._proxies:
            room = self._end_idle(group)
        if room and not is_apart and self._count >= self.limits.in_all:
            groups = [one for key, one in self._open.items() if key not in self._colleagues]
            room = any(self._end_idle(group) for group in sorted(groups, key=len, reverse=True))
        if not room:
            self._turned_away += 1
            if time.monotonic() - self._said_s >= _SAY_AGAIN_S:
                self._said_s = time.monotonic()
                log.warning("connections_refused", address=address, count=self._turned_away)
                self._turned_away = 0
        self._open.setdefault(address, {})[connection] = None
        self._count += not is_apart
        return room

    def leaves(self, connection: GuardedConnection, address: str) -> None:
        """Forget a connection; a second time does nothing."""
        group = self._open.get(address, {})
        if connection in group:
            del group[connection]
            self._count -= address not in self._colleagues
            if not group:
                del self._open[address]

    def _end_idle(self, group: dict[GuardedConnection, None]) -> bool:
        for connection in group:
            if connection.asks_nothing:
                connection.end()
                return True
        return False


class GuardedConnection(H11Protocol):
    """uvicorn's protocol with deadlines."""

    def __init__(
        self,
        doorkeeper: Doorkeeper,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._doorkeeper = doorkeeper
        self._limits = doorkeeper.limits
        self._address = ""
        self._head: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._lingering: asyncio.TimerHandle | None = None
        self._discarded = 0
        self._requests = 0
        self._received = 0
        self._drained = False
        self._seen = _Seen()

    @property
    def asks_nothing(self) -> bool:
        """Whether no request is whole enough to be answered, and none is being answered."""
        return self.conn.their_state is h11.IDLE and (self.cycle is None or self.cycle.response_complete)

    def end(self) -> None:
        """Give this connection up at once."""
        self._forget()
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, if there is room."""
        super().connection_made(transport)
        tls, peer = transport.get_extra_info("ssl_object"), None
        if tls is not None:
            peer = peer_identity(tls.getpeercert(True))
            self.app_state = {**self.app_state, PEER: peer}
        self._address = self._doorkeeper.group(self.client[0] if self.client else "?", peer)
        if not self._doorkeeper.enters(self, self._address):
            self.end()
            return
        self._head = self.loop.call_later(self._limits.head_s, self.end)
        self._stall = self.loop.call_later(self._limits.stall_s, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request, or throw them away after its answer."""
        if self._lingering is not None:
            self._discarded += len(data)
            if self._discarded > self._linger_bytes:
                self.flow.pause_reading()
            return
        self._received += len(data)
        super().data_received(data)
        self._watch_head()

    def on_response_complete(self) -> None:
        """End what was answered before its body came."""
        self._requests += 1
        if self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self.server_state.total_requests += 1
            self._unset_keepalive_if_required()
            # A close at once would take the answer away from whoever still sends. TLS knows no half-closed line.
            if self.transport.can_write_eof():
                self.transport.write_eof()
            self.flow.resume_reading()
            self._lingering = self.loop.call_later(_LINGER_S, self.end)
            return
        super().on_response_complete()
        self._watch_head()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """From now on it is another's."""
        self._forget()
        super().handle_websocket_upgrade(event)

    def resume_writing(self) -> None:
        """Note that the client has read."""
        self._drained = True
        super().resume_writing()

    def _watch_head(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            if self._head is not None:
                self._head.cancel()
                self._head = None
        elif self._head is None and self.conn.trailing_data[0] and not self.transport.is_closing():
            self._head = self.loop.call_later(self._limits.head_s, self.end)

    def _look(self) -> None:
        """Whether what is on its way moves; asked every `stall_s`."""
        least = self._limits.bytes_per_s * self._limits.stall_s
        before, now = self._seen, _Seen(self._requests, self._sends_body, self._received, self._waiting_bytes)
        same = before.requests == now.requests
        # What the server itself has not yet taken is not its client's fault.
        stalled = before.sends_body and now.sends_body and now.received - before.received < least
        unread = before.waiting - now.waiting < min(least, before.waiting) and now.waiting > 0
        if same and (stalled or (unread and before.waiting > 0 and not self._drained)):
            self.end()
            return
        self._seen, self._drained = now, False
        self._stall = self.loop.call_later(self._limits.stall_s, self._look)

    @property
    def _sends_body(self) -> bool:
        return self.conn.their_state is h11.SEND_BODY and not self.flow.read_paused

    @property
    def _linger_bytes(self) -> int:
        taken = cast(int, (self.scope or {}).get(TAKEN, 0))
        return min(max(taken, _LINGER_LEAST_BYTES), _LINGER_MOST_BYTES)

    @property
    def _waiting_bytes(self) -> int:
        return self.transport.get_write_buffer_size()

    def _forget(self) -> None:
        self._doorkeeper.leaves(self, self._address)
        for timer in (self._head, self._stall, self._lingering):
            if timer is not None:
                timer.cancel()
        self._head = self._stall = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a connection looked like when it was looked at last."""

    requests: int = 0
    sends_body: bool = False
    received: int = 0
    waiting: int = 0
