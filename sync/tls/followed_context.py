"""A context of TLS for whoever connects, whose certificates and authorities are exchanged as a whole.

Python's own can only learn to believe one more: nothing takes an authority away from it. So what libraries hold is a
context that hands each handshake over to the one of now. Connections that stand are left alone.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sync.tls.contexts import harden, trust


class FollowedContext(ssl.SSLContext):
    """Trusts nobody and shows nothing until it has taken another one. `take` may be called from any thread."""

    def __new__(cls) -> FollowedContext:
        """Of who connects; it checks the host's name."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self) -> None:
        harden(self)
        self._now: ssl.SSLContext | None = None
        self._protocols: list[str] = []

    def take(self, context: ssl.SSLContext) -> None:
        """Speak by this one from the next handshake on."""
        if self._protocols:
            context.set_alpn_protocols(self._protocols)
        self._now = context

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """What is offered; a client may say it before each handshake."""
        self._protocols = list(alpn_protocols)
        super().set_alpn_protocols(self._protocols)
        if self._now is not None:
            self._now.set_alpn_protocols(self._protocols)

    def wrap_bio(self, *args: Any, **named: Any) -> ssl.SSLObject:
        """A handshake over buffers."""
        return super().wrap_bio(*args, **named) if self._now is None else self._now.wrap_bio(*args, **named)

    def wrap_socket(self, *args: Any, **named: Any) -> ssl.SSLSocket:
        """A handshake over a socket, of the class that this context was told to make."""
        if self._now is None:
            return super().wrap_socket(*args, **named)
        self._now.sslsocket_class = self.sslsocket_class
        return self._now.wrap_socket(*args, **named)


class BelievedAuthority:
    """Whom a client believes: those that it believes by itself, and the court's authority as its file says it now."""

    def __init__(self, authority: Path | None, besides: Callable[[], ssl.SSLContext]) -> None:
        """`authority`: its certificate, once there is one. `besides()`: a fresh context with all the others."""
        self._authority = authority
        self._besides = besides
        self._seen: int | None = None
        self.context = FollowedContext()
        """Of every connection; the same object for ever."""
        self.context.take(besides())

    def follow(self) -> None:
        """Take the file as it is now; `ConfigError` when it cannot be used. Blocks for milliseconds when it changed."""
        if self._authority is None:
            return
        try:
            seen = self._authority.stat().st_mtime_ns
        except FileNotFoundError:
            seen = None
        if seen == self._seen:
            return
        context = self._besides()
        if seen is not None:
            trust(context, self._authority)
        self.context.take(context)
        self._seen = seen
