"""Which of the hosts that a room asks for its certificate may name: its panel's, never the center's or another room's.

Browsers and rooms believe a certificate for every host in it. So a room that is no longer its own master must not get
one for the center (it could stand between the center and everybody), for another room's panel, or for any site of the
court. When a room is enrolled, who handed out the code vouches for the names it asks for. What a room adds later, by
itself, may be the address from which it asks, and only if it is nobody else's: its network may have given it another.
For a further name it is enrolled again. What is not granted is left out, not refused: the room goes on, and the log
says what is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sync.tls.hosts import is_loopback
from sync.tls.names import CENTER_HOST, alternative_names, hosts_in_names


@dataclass(frozen=True, slots=True)
class CertifiedHosts:
    """What the certificates that are good now name."""

    own: frozenset[str]
    """Of the room that asks."""
    others: frozenset[str]
    """Of all other rooms."""


def hosts_for_room(
    asked: Iterable[str],
    *,
    center: Collection[str],
    here: bool,
    certified: CertifiedHosts | None = None,
    address: str = "",
) -> list[str]:
    """The hosts of `asked` (each as `host_of` writes it) that are granted, sorted.

    `center`: by what the center itself is reached. `here`: the room asks from the center's own machine, and has its
    names. `certified`: it asks for another certificate by itself, from `address`; None while it is enrolled.
    """
    shut = {CENTER_HOST} if here else {CENTER_HOST, *hosts_in_names(alternative_names(center))}
    return sorted(
        host for host in set(asked) if is_loopback(host) or (host not in shut and _is_granted(host, certified, address))
    )


def _is_granted(host: str, certified: CertifiedHosts | None, address: str) -> bool:
    if certified is None or host in certified.own:
        return True
    return host == address and host not in certified.others
