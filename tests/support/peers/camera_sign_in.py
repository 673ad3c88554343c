"""How a scripted camera asks for user and password, and judges what it is given."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

_HASHES = {"MD5": "md5", "SHA-256": "sha256"}


def digest(user: str, password: str, algorithm: str = "MD5") -> Callable[[str], str]:
    """Digest (RFC 7616) without qop, as most cameras do it."""
    said = f', algorithm="{algorithm}"' if algorithm != "MD5" else ""
    challenge = f'WWW-Authenticate: Digest realm="camera", nonce="abc123"{said}'

    def hashed(text: str) -> str:
        return hashlib.new(_HASHES[algorithm], text.encode()).hexdigest()

    def judge(authorization: str) -> str:
        parts = dict(re.findall(r'(\w+)="([^"]*)"', authorization))
        own = hashed(f"{user}:camera:{password}")
        for method in ("DESCRIBE", "SETUP", "PLAY", "TEARDOWN"):
            right = hashed(f"{own}:abc123:" + hashed(f"{method}:{parts.get('uri', '')}"))
            if parts.get("username") == user and parts.get("response") == right:
                return ""
        return challenge

    return judge


class CountedSignIn:
    """Judges as another does, and counts how often a password was refused."""

    def __init__(self, judge: Callable[[str], str]) -> None:
        self._judge = judge
        self.refused = 0

    def __call__(self, authorization: str) -> str:
        challenge = self._judge(authorization)
        self.refused += bool(authorization and challenge)
        return challenge
