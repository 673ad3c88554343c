"""The address of a network camera: strictly read, and never shown with its password.

A user and a password are best fields of their own in the profile. Those inside the address are still read. What is
ambiguous is refused with a hint instead of guessed: a password with `/`, `?` or `#` in an address ends the address
where nobody meant it to end. Refusals never repeat what was written, since it may hold the password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import quote, unquote_to_bytes

from sync.errors import ConfigError

PORTS = {"rtsp": 554, "rtsps": 322}
MOST_CHARS = 2_000
FIELDS_HINT = "write user and password as fields of their own: user = \"…\", password = '…'"

_HOST = re.compile(r"^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?$")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SECRET_FIELD = re.compile(
    r"(?i)((?:pas(?:s(?:word|wd|wort|phrase)?)?|pwd|psw|token|secret|key|auth(?:basic)?)=)"
    r"[^&;/\s'\"]+?(?=_(?:user(?:name)?|channel|chn?|stream|subtype|type|proto|res)=|[&;/\s'\"]|$)"
)
"""Some cameras divide the fields of their path by `_`, which is in passwords too: only a field of theirs ends one."""
_USERINFO = re.compile(r"(?i)((?:rtsps?|https?)://)[^\s'\"]*@(?=[^\s'\"@]*)")


@dataclass(frozen=True)
class CameraAddress:
    """An address that can be asked. `path` begins with `/` and holds the query; user and password are plain text."""

    scheme: str
    host: str
    port: int
    path: str
    user: str = ""
    password: str = field(default="", repr=False)
    in_url: bool = False
    """User and password stood inside the address."""

    @classmethod
    def parse(cls, url: str, user: str = "", password: str = "") -> CameraAddress:
        """Read what a profile says; `ConfigError` says what is wrong without repeating it."""
        scheme, colon, rest = url.partition("://")
        if not colon or scheme.lower() not in PORTS:
            raise ConfigError("the camera's url must begin with rtsp:// or rtsps://")
        if len(url) > MOST_CHARS:
            raise ConfigError(f"the camera's url is longer than {MOST_CHARS} characters")
        if any(c.isspace() or ord(c) < 32 or ord(c) == 127 for c in url):
            raise ConfigError(f"the camera's url has a blank or a control character in it; {FIELDS_HINT}")
        if "#" in rest:
            raise ConfigError(f"the camera's url has a # in it: write it as %23, or {FIELDS_HINT}")
        end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
        authority, path = rest[:end], rest[end:]
        info, at_sign, place = authority.rpartition("@")
        hint = f"; if the password has / or ? in it, {FIELDS_HINT}" if not at_sign and "@" in path else ""
        host, port = host_and_port(place, PORTS[scheme.lower()], "camera's url", hint)
        if at_sign and (user or password):
            raise ConfigError("the camera has user and password in its url and as fields: keep the fields only")
        if not at_sign and not user and "@" in path:
            raise ConfigError(f"the camera's url has an @ behind its host: write it as %40, or {FIELDS_HINT}")
        if at_sign:
            name, _, word = info.partition(":")
            user, password = _plain(name), _plain(word)
        if any(ord(c) < 32 or ord(c) == 127 for c in user + password):
            raise ConfigError("the camera's user or password has a control character in it")
        if password and not user:
            raise ConfigError("the camera has a password, but no user")
        if ":" in user:
            raise ConfigError("the camera's user has a colon in it, which no camera can tell from its password")
        return cls(scheme.lower(), host, port, path or "/", user, password, bool(at_sign))

    @property
    def place(self) -> str:
        """`host:port`, as messages name the camera."""
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def shown(self) -> str:
        """The address for people: without user and password, and without what looks like one in its path."""
        return masked(f"{self.scheme}://{self.place}{self.path}")

    @property
    def request(self) -> str:
        """The address as a request names it, without user and password."""
        return f"{self.scheme}://{self.place}{self.path}"

    @property
    def full(self) -> str:
        """The address with user and password, percent-encoded: for a library only, never for a person or a process."""
        if not self.user:
            return self.request
        return f"{self.scheme}://{quote(self.user, safe='')}:{quote(self.password, safe='')}@{self.place}{self.path}"

    def hidden(self, text: str) -> str:
        """`text` without this camera's password, however it is written, and without any other in an address."""
        for word in {self.password, quote(self.password, safe=""), quote(self.password)}:
            if len(word) > 2:
                text = text.replace(word, "***")
        return masked(text)


def masked(text: str) -> str:
    """A text of somebody else's, e.g. a line of a log, without user and password in any address."""
    return _SECRET_FIELD.sub(r"\1***", _USERINFO.sub(r"\1***@", text))


def _plain(text: str) -> str:
    """What percent-encoding stands for; a lone % stands for itself."""
    escaped = _PERCENT.sub("%25", text)
    return unquote_to_bytes(escaped).decode("utf-8", "replace")


def host_and_port(place: str, default: int, what: str, hint: str = "") -> tuple[str, int]:
    """The parts of `host:port`; `ConfigError` calls the whole `what` and ends with `hint`."""
    if place.startswith("["):
        host, bracket, rest = place[1:].partition("]")
        try:
            IPv6Address(host.partition("%")[0])
        except AddressValueError:
            raise ConfigError(f"the {what} has brackets, but no IPv6 address in them{hint}") from None
        if not bracket or (rest and not rest.startswith(":")):
            raise ConfigError(f"the {what} goes on wrongly behind its IPv6 address{hint}")
        number = rest[1:] if rest else None
    else:
        host, colon, port = place.partition(":")
        number = port if colon else None
        if not _HOST.fullmatch(host) or any(not 0 < len(label) < 64 for label in host.rstrip(".").split(".")):
            raise ConfigError(f"the {what} has no host, or one that cannot be{hint}")
    if number is None:
        return host, default
    if not (number.isascii() and number.isdigit()) or len(number) > 5 or not 1 <= int(number) <= 65_535:
        raise ConfigError(f"the {what} has a port that is none (1 to 65535){hint}")
    return host, int(number)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
