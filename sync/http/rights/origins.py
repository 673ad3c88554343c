"""From which addresses people reach a web server: its own as the browser says it, and those that its settings name.

A browser says in `Origin` what stands in its address bar. Without a proxy that is the `Host` it asks. A proxy with its
defaults asks with another `Host`, so the address bar's has to be told beforehand (`public_origin`). Nothing is read
from `X-Forwarded-*`: anybody can write those.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]")
_MOST_SHOWN = 120
_LOCAL = (".local", ".lan", ".internal", ".home.arpa", ".localhost")
"""Domains that no registry gives to anybody."""


def origin_of(text: str) -> str:
    """An origin as browsers write it: scheme and host in small letters, no port that goes without saying, no path.

    `ValueError` when it is none.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in _PORTS or not host or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("write an origin as the address bar shows it, without a path: https://center.example")
    if parts.username is not None:
        raise ValueError("an origin has no user: https://center.example")
    try:
        host = f"[{host}]" if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError:
        host = ""
    if _HOST.fullmatch(host) is None:
        raise ValueError("this is no host: write https://center.example")
    return f"{parts.scheme}://{host}" + ("" if port in (None, _PORTS[parts.scheme]) else f":{port}")


PublicOrigin = Annotated[str, Field(max_length=300), AfterValidator(origin_of)]
"""A setting: one address of the address bar."""


class Origins:
    """The origins of one server."""

    def __init__(self, public: Iterable[str] = (), setting: str = "", *, names: Iterable[str] = ()) -> None:
        """`public`: what the settings name; `setting`: where they do, as the refusal tells an administrator.

        `names`: hosts that the server's own certificate names, by which it is reached without a proxy.
        """
        self._public = frozenset(public)
        self._setting = setting
        self._names = frozenset([*(urlsplit(origin).hostname or "" for origin in self._public), *map(_lower, names)])
        self._machine = socket.gethostname().partition(".")[0].lower()

    def serves(self, host: str | None) -> bool:
        """Whether this server may be asked by that `Host`.

        So may it by any address, by names that no stranger can give out (of one word, or of a local network), by
        names that begin as the machine's, and by those of its settings. A page of another site that has its own name
        point here gets nothing.
        """
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if not name or "@" in (host or ""):
            return False
        if "." not in name and ":" not in name:
            return True
        return name in self._names or name.partition(".")[0] == self._machine or _is_local(name)

    def host_refusal(self, host: str | None) -> str:
        """What to tell who asked by a name that is not ours."""
        said = _printable(host)
        setting = self._setting or "public_origin"
        return (
            f"本服务器不认识地址 {said}。请用服务器的 IP 地址访问，或请管理员在 {setting} 中写入这个地址 "
            f"(this server does not know itself as {said}; use its IP address, or add this one to {setting})"
        )

    def has(self, origin: str, host: str | None) -> bool:
        """Whether a request with this `Origin` and `Host` comes from a page of this server."""
        try:
            asked = urlsplit(origin).netloc
            return (asked != "" and asked == host) or origin_of(origin) in self._public
        except ValueError:
            return False

    def refusal(self, origin: str, host: str | None) -> str:
        """What to tell who was refused, and what an administrator does about it."""
        try:
            said = origin_of(origin)[:_MOST_SHOWN]
        except ValueError:
            return "请求来自另一个网站 (this request comes from another site)"
        here = _printable(host)
        text = f"请求来自 {said}，而本服务器只认 {here}。"
        english = f"this request comes from another site, {said}, and this server knows itself as {here}"
        if self._setting:
            text += f"如果前面有反向代理，请管理员在 {self._setting} 中写入 {said}，或让代理原样传递 Host。"
            english += f"; behind a proxy, add {said} to {self._setting}, or have the proxy pass the Host header on"
        return f"{text} ({english})"


def _lower(name: str) -> str:
    return name.rstrip(".").lower()


def _printable(host: str | None) -> str:
    return "".join(c for c in host or "" if c.isascii() and (c.isalnum() or c in ".:-[]_"))[:_MOST_SHOWN]


def _is_local(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.endswith(_LOCAL)
    return True
