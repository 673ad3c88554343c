"""Codes of an authenticator app (TOTP, RFC 6238): SHA-1, six digits, thirty seconds, as every app has them.

Promises: a code opens once, since the step that it is of must be later than the last one that was taken; a clock that
is one step off is believed. Refused: everything else, without saying by how much it was off. Guessing is bounded by who
asks (`server.factors.guess_limit`).
"""

from __future__ import annotations

import base64
import hmac
import secrets
import urllib.parse

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_S = 30
DIGITS = 6
DRIFT = 1
"""So many steps a phone's clock may be off, either way."""
_SECRET_BYTES = 20


def new_totp_secret() -> str:
    """160 random bits in base32, as apps take them."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def totp_uri(secret: str, login: str, center: str) -> str:
    """What the QR code says to the app: the secret, whose it is, and where."""
    label = urllib.parse.quote(f"{center}:{login}", safe="")
    return f"otpauth://totp/{label}?" + urllib.parse.urlencode(
        {"secret": secret, "issuer": center, "algorithm": "SHA1", "digits": DIGITS, "period": STEP_S},
        quote_via=urllib.parse.quote,
    )


def totp_code(secret: str, at_s: float) -> str:
    """The code of a moment (UTC seconds)."""
    # RFC 6238 is HMAC-SHA-1, and no collision of SHA-1 helps to guess an HMAC; apps know nothing else.
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_S).generate(int(at_s)).decode()  # noqa: S303  see above


def step_of_code(secret: str, code: str, now_s: float, last_step: int) -> int | None:
    """The step that a code is of, where it is near `now_s` (UTC seconds) and later than `last_step`; else None."""
    said = "".join(code.split())
    now_step = int(now_s) // STEP_S
    found = None
    for step in range(now_step - DRIFT, now_step + DRIFT + 1):  # each is compared, so that the time says nothing
        if hmac.compare_digest(totp_code(secret, step * STEP_S).encode(), said.encode("utf-8", "replace")):
            found = step
    return found if found is not None and found > last_step else None
