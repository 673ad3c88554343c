"""One WebSocket whose peer can neither fill memory nor keep the loop: uvicorn's protocol with bounds of ours.

Sizes are bounded by uvicorn (`ws_max_size`), numbers are not. Ended here: a message in more pieces than a browser makes
of it, empty ones included; more messages than a page says; pings of a peer that does not read the answers to them.

What is sent waits as briefly as may be where nobody can take it back: `UNSENT_BYTES` with the system, and as much
here. A line of 2 Mbit/s needs a quarter of a second for that. Whoever sends waits, and chooses the newest when its turn
comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, cast

import structlog
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from websockets.frames import Frame

log = structlog.get_logger(__name__)

MOST_PIECES = 64
MESSAGES_AT_ONCE = 400
MESSAGES_PER_S = 50.0
UNREAD_PONGS = 64
"""Pings that are answered while the peer does not read."""
UNSENT_BYTES = 32 * 1024
"""Less than a key frame. Over TLS the loop keeps 64 KiB of its own beside."""


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """What serves an upgraded connection."""

    _pieces = 0
    _pongs = 0
    _allowed = float(MESSAGES_AT_ONCE)
    _allowed_s: float | None = None
    _ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connection: what was right for files is not for what is live."""
        super().connection_made(transport)
        cast(asyncio.WriteTransport, transport).set_write_buffer_limits(high=UNSENT_BYTES)
        with contextlib.suppress(OSError):  # the peer has gone already
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)

    def handle_cont(self, event: Frame) -> None:
        """Take a further piece of a message."""
        self._pieces += 1
        if self._pieces >= MOST_PIECES:
            self._end("pieces")
        if not self._ended:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message on, if the peer has not said too many."""
        self._pieces = 0
        now_s = self.loop.time()
        since_s = 0.0 if self._allowed_s is None else now_s - self._allowed_s
        self._allowed = min(MESSAGES_AT_ONCE, self._allowed + since_s * MESSAGES_PER_S) - 1
        self._allowed_s = now_s
        if self._allowed < 0:
            self._end("messages")
        if not self._ended:
            super().send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answer a ping, if answers are read."""
        self._pongs = 0 if self.writable.is_set() else self._pongs + 1
        if self._pongs > UNREAD_PONGS:
            self._end("pings")
        if not self._ended:
            super().handle_ping()

    def _end(self, why: str) -> None:
        if not self._ended:
            self._ended = True
            self.frames = []
            log.warning("websocket_ended", why=f"too many {why}", address=self.client[0] if self.client else "?")
            self.transport.abort()
