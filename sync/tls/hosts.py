"""Hosts as people and addresses name them. Light: the recorder reads its profile with it, and has to be back soon."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


def host_of(text: str) -> str:
    """A host as certificates have it: small letters, IDNA, an address in its one form; `ValueError` if it is none."""
    bare = text.strip().strip("[]").partition("%")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    try:
        name = bare.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        name = ""
    if len(name) > 253 or _HOST.fullmatch(name) is None:
        raise ValueError(f"{text[:80]!r} is no host: write a name or an IP address, as center.court.example")
    return name


def hosts_of_urls(urls: Iterable[str]) -> list[str]:
    """The hosts of web addresses, those that have one."""
    return [host for url in urls if (host := urlsplit(url).hostname)]


def is_loopback(host: str) -> bool:
    """Whether what listens or connects there never leaves this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0]).is_loopback
    except ValueError:
        return False
