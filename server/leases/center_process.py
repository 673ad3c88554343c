"""One of several processes of a center: its number, by which it is started, and what follows from it.

All read one configuration. The process N listens at `web.port` + N (and for monitoring at `metrics.port` + N), has an
account of its own at the broker (`center-N`), since a broker ends the older of two connections of one account, and a
random name for each of its lives, so that what an earlier life was given is never taken for its own.

A *gateway* is one that owns no room, whoever else lives or dies: it serves those who look, and hands on what rooms ask.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from server.config import Config
from server.tls.process_accounts import MOST_PROCESSES, process_account, process_accounts
from sync.errors import ConfigError
from sync.tls.certificates import PeerIdentity
from sync.tls.hosts import is_loopback
from sync.tls.names import CENTER

LEASE_S = 6.0
_SOURCES = "127.0.88."
"""On the loopback the process N asks the others from 127.0.88.N, so that these know whose connection it is."""
_ACCOUNTS = frozenset(process_accounts(CENTER, MOST_PROCESSES))
_ADDRESSES = frozenset(f"{_SOURCES}{number}" for number in range(1, MOST_PROCESSES + 1))


@dataclass(frozen=True, slots=True)
class CenterProcess:
    """This process, as the others know it."""

    number: int
    address: str
    """`http://host:port` or `https://host:port`, where the others reach it."""
    name: str = field(default_factory=lambda: secrets.token_hex(16))
    """Of this life alone."""
    is_gateway: bool = False
    """Whether it leaves all rooms to the others."""
    lease_s: float = LEASE_S
    """So long a lease of it lasts."""

    @property
    def source(self) -> str | None:
        """From which address of the loopback it asks other processes; None where these are on other machines, or are
        reached by a name or by IPv6."""
        host = urlsplit(self.address).hostname or ""
        try:
            on_loopback = ipaddress.IPv4Address(host).is_loopback
        except ValueError:
            return None
        return f"{_SOURCES}{self.number}" if on_loopback else None

    def account(self, center: str) -> str:
        """Its name at the broker, where the center's would be `center`."""
        return process_account(center, self.number)


def colleague_by_certificate(_address: str, peer: PeerIdentity | None) -> str:
    """Which other process of this center a connection is of, by the certificate that came with it; "" for none. No room
    has such a name."""
    return peer.name if peer is not None and peer.name in _ACCOUNTS else ""


def colleague_by_address(address: str, _peer: PeerIdentity | None) -> str:
    """The same where there is no TLS, and so nobody but programs of this machine: by the address it is made from."""
    return address if address in _ADDRESSES else ""


def as_process(
    config: Config, number: int, reach: str = "", *, is_gateway: bool = False
) -> tuple[Config, CenterProcess]:
    """What the configuration says for process `number`, and who that is. `reach`: the host by which the other processes
    reach this one, where that is not the address it listens on. `ConfigError` where there can be only one process."""
    if not 1 <= number <= MOST_PROCESSES:
        raise ConfigError(f"a process of a center has a number from 1 to {MOST_PROCESSES}, not {number}")
    if not config.storage.database:
        raise ConfigError(
            "多个中心进程需要 PostgreSQL，请先设置 storage.database (several processes of a center share a PostgreSQL: "
            "set storage.database, or start one without --process)"
        )
    web = config.web.model_copy(update={"port": config.web.port + number})
    metrics = config.metrics
    if metrics.port:
        if abs(metrics.port - config.web.port) < MOST_PROCESSES:
            raise ConfigError(
                f"metrics.port 与 web.port 相距太近 (metrics.port {metrics.port} is so near to web.port "
                f"{config.web.port} that one process would want the port of another, which both add their number to): "
                f"set metrics.port to {config.web.port + 100}, say"
            )
        metrics = metrics.model_copy(update={"port": metrics.port + number})
    host = reach or web.host
    if not reach and host in ("0.0.0.0", "::"):  # noqa: S104 (asked, not bound)
        host = "127.0.0.1"
    if not is_loopback(host) and not config.serves_tls:
        raise ConfigError(f"processes would reach each other at {host} without TLS; set tls.loopback, or web.host")
    scheme = "https" if config.serves_tls else "http"
    bracketed = f"[{host}]" if ":" in host else host
    address = f"{scheme}://{bracketed}:{web.port}"
    mine = CenterProcess(number, address, is_gateway=is_gateway, lease_s=config.storage.lease_s)
    return config.model_copy(update={"web": web, "metrics": metrics}), mine
