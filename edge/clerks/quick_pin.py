"""A clerk's quick PIN: 4 to 8 digits that open the panel again on the day on which its clerk signed in as a person.

Promises: only its hash (argon2) is kept, and how often it was said wrongly, also over a restart; after `MOST_WRONG`
wrong ones it is worth nothing, and the full sign-in is asked for. It lasts until the day is over, or as long as the
hearing that runs then, and never longer than the center said. A few digits are no password: it opens nothing but this
panel, in the browser in which somebody signed in fully before.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, ConfigDict, Field

from sync.errors import AccessError

MOST_WRONG = 10
_PIN = re.compile(r"[0-9]{4,8}")
_STEPS = ("0123456789", "9876543210")


class QuickPin(BaseModel):
    """A PIN as it is kept."""

    model_config = ConfigDict(extra="forbid")

    hash: Annotated[str, Field(max_length=300)]
    wrong: Annotated[int, Field(ge=0, le=MOST_WRONG)] = 0
    day_ends_s: float
    """UTC seconds at which the day is over on which it was set."""

    @property
    def is_used_up(self) -> bool:
        """Whether it was said wrongly too often."""
        return self.wrong >= MOST_WRONG

    def good(self, now_s: float, *, hearing: bool) -> bool:
        """Whether it still opens; `hearing`: one runs now, and whoever holds it is not sent to a full sign-in."""
        return not self.is_used_up and (hearing or now_s < self.day_ends_s)


def checked_pin(pin: str) -> str:
    """A PIN that may be set; `AccessError` "weak-pin" says what is wrong with it."""
    if not _PIN.fullmatch(pin):
        raise AccessError("PIN 须为 4 至 8 位数字 (a PIN has 4 to 8 digits)", code="weak-pin")
    if len(set(pin)) == 1 or any(pin in steps for steps in _STEPS):
        raise AccessError(
            "PIN 过于简单，请勿使用相同或连续的数字 (too easy: not one digit alone, nor digits in a row)",
            code="weak-pin",
        )
    return pin


def new_pin(pin: str, now_s: float) -> QuickPin:
    """What is kept of a PIN; blocks for some 20 ms. `AccessError` "weak-pin"."""
    return QuickPin(hash=_hasher().hash(checked_pin(pin)), day_ends_s=_day_end_s(now_s))


def fits(known: QuickPin, pin: str) -> bool:
    """Whether it is this PIN; blocks for some 20 ms."""
    try:
        return bool(_PIN.fullmatch(pin)) and _hasher().verify(known.hash, pin)
    except (VerificationError, InvalidHashError):
        return False


def _day_end_s(now_s: float) -> float:
    """The next midnight where the room is."""
    day = datetime.fromtimestamp(now_s).astimezone()
    return (day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)).timestamp()


def _hasher() -> PasswordHasher:
    """The least that is advised (OWASP): ten guesses are all that anybody has, and a clerk does not wait."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
