"""What becomes of one message of `events`: read, its signature checked, each of its events admitted or refused.

This is most of what an event costs the center, and it needs nothing of it, so it may run in any thread. Nothing that a
message contains raises; what raises all the same is told in `defect` and costs this message alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from server.events.admission import Received, admit, number_of, read_event
from sync.errors import CenterError, LedgerError
from sync.ledger.messages.event_batch import check_batch, read_batch
from sync.ledger.messages.signed_message import text_digest
from sync.ledger.note import Verifier


@dataclass(slots=True)
class EventsMessage:
    """One message as it came, and who may sign for its room."""

    room: str
    payload: bytes
    verifiers: Sequence[Verifier]
    unsigned_is_read: bool
    """Whether the plain way is open, so that what nobody signed is read at all."""


@dataclass(slots=True)
class Judgement:
    """What is to be done with a message."""

    room: str
    signed: bool = False
    digest: str = ""
    """SHA-256 of a signed batch's text."""
    refusal: str = ""
    """Why nothing of a signed batch is taken: a code of `LedgerError`."""
    admitted: list[Received] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    """Numbers of events that are not taken."""
    why: list[str] = field(default_factory=list)
    """In words, of each thing that is not taken; `unreadable` first when not even its envelope could be read."""
    unreadable: bool = False
    defect: Exception | None = None


def judge(message: EventsMessage) -> Judgement:
    """Read, check and admit one message."""
    judgement = Judgement(message.room)
    try:
        _judge(message, judgement)
    except Exception as error:  # noqa: BLE001  # it is told in the judgement, and logged by who gets it
        judgement.admitted.clear()
        judgement.defect = error
    return judgement


def _judge(message: EventsMessage, judgement: Judgement) -> None:
    try:
        envelope = read_batch(message.payload)
    except LedgerError as error:
        judgement.unreadable = True
        judgement.why.append(error.message)
        return
    if envelope is None:
        if message.unsigned_is_read:
            _admit_unsigned(message, judgement)
        return
    note, text = envelope
    judgement.signed, judgement.digest = True, text_digest(text)
    if not message.verifiers:
        judgement.refusal = "not-enrolled"
        judgement.why.append("no device of this room is enrolled")
        return
    try:
        values = check_batch(message.room, note, text, message.verifiers)
    except LedgerError as error:
        judgement.refusal = error.code
        judgement.why.append(error.message)
        return
    for value in values:
        _admit_one(message.room, value, judgement)


def _admit_one(room: str, value: Mapping[str, object], judgement: Judgement) -> None:
    try:
        judgement.admitted.append(admit(room, value, batch=judgement.digest))
    except CenterError as error:
        judgement.why.append(error.message)
        number = value["number"]
        if isinstance(number, int) and number >= 1:
            judgement.refused.append(number)


def _admit_unsigned(message: EventsMessage, judgement: Judgement) -> None:
    try:
        judgement.admitted.append(read_event(message.room, message.payload))
    except CenterError as error:
        judgement.why.append(error.message)
        number = number_of(message.payload)
        if number is not None:
            judgement.refused.append(number)
