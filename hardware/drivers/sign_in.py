"""How a camera wants to be signed in to, by RTSP and by HTTP alike: what it offers, and what is answered.

Basic shows the password to whoever listens; whether that is answered is for the caller to say (RFC 7616, RFC 7617).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b64encode
from dataclasses import dataclass

from hardware.camera_address import CameraAddress

_CHALLENGE = re.compile(r"^WWW-Authenticate:\s*(\w+)\s*(.*)$", re.IGNORECASE | re.MULTILINE)
_PARAMETER = re.compile(r"(\w+)\s*=\s*(?:\"([^\"]*)\"|([^\s,]+))")
_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


@dataclass(frozen=True)
class SignInOffer:
    """One way of signing in."""

    scheme: str
    said: dict[str, str]
    """Its parameters, by their names in small letters."""

    @property
    def name(self) -> str:
        """Basic, Digest MD5, Digest SHA-256 …"""
        return f"Digest {self._algorithm}" if self.is_digest else self.scheme.capitalize()

    @property
    def is_digest(self) -> bool:
        """Whether it takes a hash in the place of the password."""
        return self.scheme.lower() == "digest"

    @property
    def is_known(self) -> bool:
        """Whether it can be answered without showing the password."""
        return self.is_digest and self._algorithm in _HASHES

    @property
    def _algorithm(self) -> str:
        return self.said.get("algorithm", "MD5").upper()

    def authorization(self, address: CameraAddress, method: str, uri: str) -> str:
        """The header `Authorization` of a request."""
        if not self.is_digest:
            return "Basic " + b64encode(f"{address.user}:{address.password}".encode()).decode()
        name, said = _HASHES[self._algorithm], self.said

        def hashed(text: str) -> str:
            return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

        realm, nonce = said.get("realm", ""), said.get("nonce", "")
        own = hashed(f"{address.user}:{realm}:{address.password}")
        asked = hashed(f"{method}:{uri}")
        parts = {"username": address.user, "realm": realm, "nonce": nonce, "uri": uri}
        if "auth" in said.get("qop", "").split(","):
            count, ours = "00000001", secrets.token_hex(8)
            answer = hashed(f"{own}:{nonce}:{count}:{ours}:auth:{asked}")
            more = f', qop=auth, nc={count}, cnonce="{ours}"'
        else:
            answer, more = hashed(f"{own}:{nonce}:{asked}"), ""
        if "opaque" in said:
            parts["opaque"] = said["opaque"]
        quoted = ", ".join(f'{key}="{value}"' for key, value in parts.items())
        algorithm = f", algorithm={said['algorithm']}" if "algorithm" in said else ""
        return f'Digest {quoted}, response="{answer}"{algorithm}{more}'


def offers_in(head: str) -> list[SignInOffer]:
    """What the head of an answer offers, in its order; each in a line of its own."""
    return [
        SignInOffer(scheme, {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)})
        for scheme, rest in _CHALLENGE.findall(head)
    ]
