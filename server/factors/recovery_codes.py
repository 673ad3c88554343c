"""Recovery codes: ten codes on paper, each of which stands in once for a second factor that is not at hand.

A code has 80 random bits, so a fast hash keeps it: there is nothing to guess. It is shown once, when it is made.
"""

from __future__ import annotations

import hashlib
import secrets

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""No 0/O, 1/I/L: it is read from a paper. Without them a character has a little less than five bits."""
COUNT = 10
LENGTH = 17
"""17 characters of 31 are 84 bits."""
_GROUP = 4


def new_recovery_codes() -> list[str]:
    """`COUNT` codes in groups: `ABCD-EFGH-JKMN-PQRS-T`."""
    return [grouped_code(LENGTH) for _ in range(COUNT)]


def grouped_code(length: int) -> str:
    """A random code of so many characters, in groups for reading."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(length))
    return "-".join(text[i : i + _GROUP] for i in range(0, length, _GROUP))


def digest_of_code(code: str) -> str:
    """By what a code is kept (SHA-256, hex), however it was typed: blanks, hyphens and case say nothing."""
    plain = "".join(c for c in code.upper() if c.isalnum())
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()
