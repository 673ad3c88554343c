"""Passwords: which are taken, and how they are kept.

Promises: a password is kept by argon2id alone; comparing one of a person whom nobody knows takes as long as one that is
wrong. Taken is what is long enough and not what guessers try first; no rule says of which signs it must be, since such
rules make passwords that people write down. Refused: what has control characters, which no keyboard gives twice.
"""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from server.factors.common_passwords import is_common
from sync.errors import AccessError

LEAST_CHARS = 12
MOST_CHARS = 256


class PasswordRules:
    """Which passwords are taken."""

    def __init__(self, least_chars: int = LEAST_CHARS) -> None:
        self.least_chars = least_chars

    def check(self, password: str, login: str, name: str) -> None:
        """`AccessError` "weak-password" that says what is wrong with it."""
        said = normal_password(password)
        if len(said) < self.least_chars:
            raise _weak(
                f"密码至少 {self.least_chars} 个字符，可用几个词连成 (at least {self.least_chars} characters; "
                "several words in a row are good)"
            )
        if len(said) > MOST_CHARS:
            raise _weak(f"密码最多 {MOST_CHARS} 个字符 (at most {MOST_CHARS} characters)")
        if any(unicodedata.category(c) == "Cc" for c in said):
            raise _weak("密码含有无法使用的控制字符 (the password holds control characters)")
        if is_common(said):
            raise _weak("这个密码太常见，极易被猜中，请换一个 (guessers try this password first; choose another)")
        for own in (login, name):
            rest = said.casefold().replace(own.casefold(), "") if len(own) > 1 else said
            if own and len(rest) < min(self.least_chars, len(said)) // 2:
                raise _weak("密码几乎就是登录名或姓名，请换一个 (it is hardly more than your name; choose another)")


class PasswordHashes:
    """Makes and compares them; each takes some 50 ms and 64 MiB: call it in a thread, and not in many at once."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash("nobody has this password")

    def make(self, password: str) -> str:
        """What is kept of it."""
        return self._hasher.hash(normal_password(password))

    def is_right(self, kept: str | None, password: str) -> bool:
        """Whether it is the password; `kept` is None for a person who has none, which takes as long. An empty one
        never is."""
        try:
            right = self._hasher.verify(kept or self._nobody, normal_password(password))
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
        return right and bool(kept) and password != ""


def normal_password(password: str) -> str:
    """The same for one text however a keyboard composes it (NFKC, as RFC 8265 and NIST SP 800-63B have it)."""
    return unicodedata.normalize("NFKC", password)


def _weak(why: str) -> AccessError:
    return AccessError(why, code="weak-password")
