"""A clerk as the center said it, signed for this room and until a moment; the strict reader of what it said.

Promises: nobody is believed to be somebody but by the center's own signature over this room's address, and no longer
than a day, whatever was signed. Refused, with `LedgerError`: what is of another room, is over, or is no such answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sync.errors import LedgerError
from sync.ledger.messages.signed_message import check_text
from sync.ledger.note import Verifier
from sync.runtime.units import NS_PER_S

NS_PER_MS = 1_000_000
MOST_S = 24 * 3600
"""Nobody is in longer than this by one answer."""
SLACK_S = 300
"""So far the center's clock may be ahead of the room's."""
_Name = Annotated[str, Field(min_length=1, max_length=64)]


class SignedNote(BaseModel):
    """What is kept of an answer: the note, and the text that it is over."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=4096)]
    clerk: Annotated[str, Field(max_length=4096)]


class ClerkSaid(BaseModel):
    """The center's answer to `POST /api/rooms/clerk-sign-in`, of which what is signed alone is believed."""

    signed: SignedNote


class _Signed(BaseModel):
    person: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    login: _Name
    name: _Name
    role: Literal["clerk", "judge", "presiding"]
    court: Annotated[str, Field(max_length=40)]
    room: Annotated[str, Field(max_length=81)]
    until_utc_ms: Annotated[int, Field(ge=0, lt=1 << 53, strict=True)]


@dataclass(frozen=True, slots=True)
class KnownClerk:
    """Somebody who may have the panel until `until_s` (UTC seconds)."""

    person: str
    """Id at the center."""
    login: str
    name: str
    role: str
    court: str
    until_s: float
    signed: SignedNote


def read_clerk(signed: SignedNote, room: str, verifiers: Sequence[Verifier], now_s: float) -> KnownClerk:
    """Who a signed note says it is; `LedgerError` "signature", "form" or "over"."""
    made_ns, until_ns = _moments(check_text("clerk", room, signed.note, signed.clerk, verifiers))
    try:
        said = _Signed.model_validate_json(signed.clerk)
    except ValidationError as error:
        raise LedgerError("what the center said of a clerk cannot be read", code="form") from error
    if said.room != room or said.until_utc_ms != until_ns // NS_PER_MS or room.partition("/")[0] != said.court:
        raise LedgerError("what the center said of a clerk is not of this room", code="form")
    if made_ns > (now_s + SLACK_S) * NS_PER_S:
        raise LedgerError("what the center said of a clerk is of later than now; compare the clocks", code="form")
    until_s = min(until_ns / NS_PER_S, made_ns / NS_PER_S + MOST_S)
    if until_s <= now_s:
        raise LedgerError("what the center said of a clerk is over", code="over")
    return KnownClerk(said.person, said.login, said.name, said.role, said.court, until_s, signed)


def _moments(numbers: Sequence[int]) -> tuple[int, int]:
    if len(numbers) != 2:
        raise LedgerError("what the center said of a clerk names no two moments", code="form")
    return numbers[0], numbers[1]
