"""One WebSocket whose peer can neither fill memory nor keep the loop: uvicorn's protocol with bounds of ours.

Sizes are bounded by uvicorn (`ws_max_size`), numbers are not. Ended here: a message in more pieces than a browser makes
of it, empty ones included; more messages than a page says; pings of a peer that does not read the answers to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """What serves an upgraded connection."""

    _pieces = 0
    _pongs = 0
    _allowed = float(MESSAGES_AT_ONCE)
    _allowed_s: float | None = None
    _ended = False

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
