"""Who has signed in at this panel as a person, with the center's signed word for it and their PINs; one file (0600).

Promises: a restart, or a center that is away, keeps who was in, until the moment that the center signed. What is read
is believed by the center's signature alone: a line that somebody wrote into the file lets nobody in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.clerks.known_clerk import KnownClerk, SignedNote, read_clerk
from edge.clerks.quick_pin import QuickPin
from sync.errors import LedgerError
from sync.http.rights.people import write_private
from sync.ledger.note import Verifier

log = structlog.get_logger(__name__)

MOST_CLERKS = 64
_MOST_BYTES = 1024 * 1024


class _KeptClerk(BaseModel):
    model_config = ConfigDict(extra="forbid")

    signed: SignedNote
    pin: QuickPin | None = None


class _KeptBook(BaseModel):
    model_config = ConfigDict(extra="forbid")

    persons: bool = False
    clerks: Annotated[list[_KeptClerk], Field(max_length=MOST_CLERKS)] = Field(default_factory=list)


class ClerkBook:
    """Methods may block for a file's sync."""

    def __init__(
        self,
        path: Path,
        room: str,
        verifiers: Callable[[], Sequence[Verifier]],
        now_s: Callable[[], float] = time.time,
    ) -> None:
        """`verifiers()`: whose word is believed, now."""
        self._path = path
        self._room = room
        self._verifiers = verifiers
        self.now_s = now_s
        self._clerks: dict[str, KnownClerk] = {}
        self._pins: dict[str, QuickPin] = {}
        self.persons = False
        """Whether anybody has ever signed in here as a person: from then on the room's code is for emergencies."""
        self._read()

    def clerks(self) -> list[KnownClerk]:
        """Who is in now, the newest last."""
        return [clerk for clerk in self._clerks.values() if self.now_s() < clerk.until_s]

    def clerk(self, person: str) -> KnownClerk | None:
        """Somebody who is in."""
        clerk = self._clerks.get(person)
        return clerk if clerk is not None and self.now_s() < clerk.until_s else None

    def pin(self, person: str) -> QuickPin | None:
        """Their PIN, whatever it is worth."""
        return self._pins.get(person) if self.clerk(person) else None

    def put(self, clerk: KnownClerk) -> None:
        """Somebody has signed in; a PIN of theirs stays, and what was wrong before is forgotten."""
        self._clerks.pop(clerk.person, None)
        self._clerks[clerk.person] = clerk
        self.persons = True
        for person in [one for one in self._clerks if self.clerk(one) is None]:
            self._drop(person)
        while len(self._clerks) > MOST_CLERKS:
            self._drop(next(iter(self._clerks)))
        if (pin := self._pins.get(clerk.person)) is not None:
            pin.wrong = 0
            if self.now_s() >= pin.day_ends_s:
                del self._pins[clerk.person]
        self._save()

    def set_pin(self, person: str, pin: QuickPin) -> None:
        """Take a new PIN of somebody who is in."""
        self._pins[person] = pin
        self._save()

    def wrong_pin(self, person: str) -> None:
        """Theirs was said wrongly once more; kept before anybody is told."""
        if (pin := self._pins.get(person)) is not None and not pin.is_used_up:
            pin.wrong += 1
            self._save()

    def right_pin(self, person: str) -> None:
        """Theirs was said rightly."""
        if (pin := self._pins.get(person)) is not None and pin.wrong:
            pin.wrong = 0
            self._save()

    def remove(self, person: str) -> None:
        """The center says that they may have no panel any more."""
        if person in self._clerks:
            self._drop(person)
            self._save()

    def _drop(self, person: str) -> None:
        self._clerks.pop(person, None)
        self._pins.pop(person, None)

    def _read(self) -> None:
        try:
            kept = _KeptBook.model_validate_json(self._path.read_bytes()[:_MOST_BYTES])
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as error:
            # Better everybody signs in anew than that nobody can: the file says nothing that the center does not.
            log.error("clerks_unreadable", file=str(self._path), why=str(error)[:200], next="everybody signs in anew")
            self.persons = True
            return
        self.persons = kept.persons
        for one in kept.clerks:
            try:
                clerk = read_clerk(one.signed, self._room, self._verifiers(), self.now_s())
            except LedgerError as error:
                log.info("clerk_not_kept", why=error.message)
                continue
            self._clerks[clerk.person] = clerk
            if one.pin is not None:
                self._pins[clerk.person] = one.pin

    def _save(self) -> None:
        kept = [_KeptClerk(signed=one.signed, pin=self._pins.get(one.person)) for one in self._clerks.values()]
        try:
            write_private(self._path, _KeptBook(persons=self.persons, clerks=kept).model_dump_json())
        except OSError as error:
            log.error("clerks_not_kept", file=str(self._path), why=error.strerror, next="they are in until a restart")
