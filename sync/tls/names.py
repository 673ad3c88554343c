"""Whom a certificate of the court's authority names, and which hosts.

A room's certificate has one common name, `court/room` as in the topics; the center's is `center`, which has no slash
and so is never a room's. Refused: names with anything else in them, above all `+` and `#`, which mean "any".
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable

from cryptography import x509
from cryptography.x509.oid import NameOID

from sync.errors import LedgerError
from sync.tls.hosts import host_of
from sync.tls.local_addresses import local_addresses

CENTER = "center"
"""The center's name at the broker."""
CENTER_HOST = "wutong-center"
"""A host in the certificate of every center: rooms ask for it, by whatever name or address they reach it."""
_ROOM = re.compile(r"[a-z0-9][a-z0-9-]{0,30}/[a-z0-9][a-z0-9-]{0,30}")
MOST_NAMES = 64


def is_room(name: str) -> bool:
    """Whether this is the name of a room: `court/room`."""
    return _ROOM.fullmatch(name) is not None


def subject(name: str) -> x509.Name:
    """A subject or issuer with this common name alone."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def common_name(certificate: x509.Certificate) -> str:
    """The one common name of a certificate; `LedgerError` when it has none, several, or more than that."""
    attributes = list(certificate.subject)
    if len(attributes) != 1 or attributes[0].oid != NameOID.COMMON_NAME or not isinstance(attributes[0].value, str):
        raise LedgerError("the certificate names nobody, or more than one", code="certificate")
    return attributes[0].value


def local_hosts() -> list[str]:
    """By what this machine is reached: its name, its addresses, and `localhost`."""
    return ["localhost", "127.0.0.1", "::1", socket.gethostname(), *local_addresses()]


def certificate_uri(serial: int) -> str:
    """The name that one certificate alone has, among its alternative names.

    A broker that reads no list of revoked certificates tells by it an old one of a room from the one that counts.
    """
    return f"urn:wutong:certificate:{serial:x}"


def alternative_names(hosts: Iterable[str]) -> x509.SubjectAlternativeName:
    """The hosts of a server's certificate, each once, at most `MOST_NAMES`; those that are none are left out."""
    names: dict[str, x509.GeneralName] = {}
    for text in hosts:
        try:
            host = host_of(text)
        except ValueError:
            continue
        try:
            names[host] = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            names[host] = x509.DNSName(host)
    return x509.SubjectAlternativeName(list(names.values())[:MOST_NAMES])


def hosts_in_names(names: x509.SubjectAlternativeName) -> set[str]:
    """The hosts among alternative names; what else may stand there is not looked at."""
    return {str(one.value) for one in names if isinstance(one, x509.DNSName | x509.IPAddress)}


def hosts_in(certificate: x509.Certificate) -> set[str]:
    """The hosts that a server's certificate names."""
    try:
        return hosts_in_names(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return set()
