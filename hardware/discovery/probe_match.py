"""One answer to a question for cameras (WS-Discovery, ProbeMatches), read strictly: it is XML from a stranger.

Refused, with `ValueError`: what `hardware.drivers.strict_xml` refuses, more than `MOST_BYTES`, answers to nothing that
was asked, and what calls itself no camera. Of its addresses only the port and the scheme are taken: a camera is asked
where its answer came from, and nowhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from hardware.drivers.strict_xml import name_of, read_xml, text_of
from sync.text.printable import printable

MOST_BYTES = 64 * 1024
MOST_SCOPES = 64
MOST_NAME = 60
_SCOPE = re.compile(r"onvif://www\.onvif\.org/(name|hardware)/([!-~]{1,400})", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class ProbeMatch:
    """What a machine says of itself that may be a camera."""

    name: str
    """As its maker or somebody at its settings wrote it; may be empty."""
    model: str
    scheme: Literal["http", "https"]
    port: int
    """Of its ONVIF service."""


def read_probe_match(data: bytes, message: str, host: str) -> ProbeMatch:
    """The answer of `host` to the question with the id `message`; `ValueError` where it is none."""
    elements = read_xml(data, MOST_BYTES)
    if not any(name_of(one) == "RelatesTo" and text_of(one).strip() == message for one in elements):
        raise ValueError("this answers another question")
    texts = {name: [text_of(one) for one in elements if name_of(one) == name] for name in ("Types", "Scopes", "XAddrs")}
    if not any("NetworkVideoTransmitter" in kinds for kinds in texts["Types"]):
        raise ValueError("this is no camera")
    said: dict[str, str] = {}
    for scope in " ".join(texts["Scopes"]).split()[:MOST_SCOPES]:
        if (found := _SCOPE.fullmatch(scope)) is not None:
            words = printable(unquote(found[2], errors="replace").replace("_", " ")).strip()[:MOST_NAME]
            said.setdefault(found[1].lower(), words)
    scheme, port = _service(" ".join(texts["XAddrs"]).split()[:MOST_SCOPES], host)
    return ProbeMatch(said.get("name", ""), said.get("hardware", ""), scheme, port)


def _service(addresses: list[str], host: str) -> tuple[Literal["http", "https"], int]:
    """Of the address that names the machine itself, else of the first; a camera behind another name still answers."""
    found: list[tuple[bool, Literal["http", "https"], int]] = []
    for address in addresses:
        try:
            parts = urlsplit(address)
            port, named = parts.port, parts.hostname or ""
        except ValueError:
            continue
        if parts.scheme in _PORTS:
            scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
            found.append((named != host, scheme, port or _PORTS[scheme]))
    if not found:
        raise ValueError("it names no service")
    best = min(found, key=lambda one: one[0])
    return best[1], best[2]
