"""Batches of events on their way to the center, and how one is made of events that wait."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sync.errors import LedgerError
from sync.ledger.messages.event_batch import batch_text, pack_batch
from sync.ledger.messages.signed_message import text_digest
from sync.ledger.signing_key import SigningKey
from sync.record.event import Event, event_digest


@dataclass(slots=True)
class SentBatch:
    """Events on their way. `digests` are of those that are not receipted yet; it is empty when all are."""

    name: str
    """SHA-256 of its text, by which the center refuses it; of a single unsigned event, empty."""
    payload: bytes
    digests: dict[int, str]
    sent_s: float | None = None
    lost: int = 0
    """So often the connection ended while it was under way."""


@dataclass(slots=True)
class MadeBatches:
    """What was made of what waits."""

    batches: list[SentBatch]
    is_all: bool
    """Nothing was left for another time, as far as is known."""
    error: LedgerError | None = None
    """Why the rest was not signed."""


def signed(events: Sequence[tuple[Event, str]], room: str, key: SigningKey) -> SentBatch:
    """A batch of events, each with its text, that the device signs for `court/room`; `LedgerError` where it does not.
    Blocks."""
    text = batch_text([text for _, text in events])
    digests = {event.number: event_digest(event) for event, _ in events}
    return SentBatch(text_digest(text), pack_batch(room, list(digests), text, key), digests)


def alone(event: Event) -> SentBatch:
    """One event as rooms of before say it."""
    payload = json.dumps(event.to_json(), ensure_ascii=False).encode()
    return SentBatch("", payload, {event.number: event_digest(event)})
