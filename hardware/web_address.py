"""Addresses of web servers in a profile: strictly checked where they are read, so that nothing later trips over one."""

from __future__ import annotations

from urllib.parse import urlsplit

from hardware.camera_address import host_and_port
from sync.errors import ConfigError

MOST_CHARS = 2_000


def check_web_address(url: str) -> str:
    """`url` when it is an http(s) address that can be asked; `ValueError` says why not, without repeating it."""
    if len(url) > MOST_CHARS or any(c.isspace() or ord(c) < 32 or ord(c) == 127 for c in url):
        raise ValueError("the address is too long, or has a blank or a control character in it")
    scheme, colon, rest = url.partition("://")
    if not colon or scheme.lower() not in ("http", "https"):
        raise ValueError("an address here begins with http:// or https://")
    authority = rest.split("/", 1)[0].split("?", 1)[0]
    if "@" in authority or "#" in rest:
        raise ValueError("the address has a user, a password or a # in it, which does not belong there")
    try:
        host_and_port(authority, 443, "address")
    except ConfigError as error:
        raise ValueError(error.message) from None
    urlsplit(url)
    return url
