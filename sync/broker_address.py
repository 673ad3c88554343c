"""Where a broker is, on one machine or several, and who connects."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is and who connects."""

    host: str
    port: int
    client_id: str
    username: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None
    """Of who connects by certificate; what is in it may be replaced at any time, for the next connection."""
    others: tuple[tuple[str, int], ...] = ()
    """(host, port) of further machines of the same broker, in the order in which they are tried after the first."""

    @classmethod
    def of(
        cls,
        places: Sequence[tuple[str, int]],
        client_id: str,
        *,
        username: str = "",
        password: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> BrokerAddress:
        """Of a broker of one machine or several, (host, port) of each."""
        (host, port), *others = places
        return cls(host, port, client_id, username, password, tls, tuple(others))


@dataclass(frozen=True)
class Will:
    """What the broker publishes when the connection is lost."""

    topic: str
    payload: bytes
