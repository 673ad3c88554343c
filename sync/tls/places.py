"""Where a server listens, as settings name it: `host:port`, an IPv6 address in brackets."""

from __future__ import annotations

from typing import NamedTuple

from sync.tls.hosts import host_of, is_loopback

MOST_PLACES = 16


class ListenPlace(NamedTuple):
    """A machine and a port of it."""

    host: str
    port: int

    @property
    def is_local(self) -> bool:
        """Whether what goes there never leaves this machine."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def place_of(text: str) -> ListenPlace:
    """`center.court.example:8883` or `[2001:db8::1]:8883`; `ValueError` in words when it is neither."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or (":" in host and not (host.startswith("[") and host.endswith("]"))):
        raise ValueError(f"{text[:80]!r} names no port: write host:port, as broker1.court.example:8883")
    if not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
        raise ValueError(f"{text[:80]!r} has no port from 1 to 65535 behind its colon")
    return ListenPlace(host_of(host), int(port))


def checked_place(text: str) -> str:
    """The same in its one form, for a setting."""
    return str(place_of(text))
