"""Batches of events: what leaves a room as its record, signed with the device's key.

One signature a batch, because a key that lives in a chip may need a tenth of a second for it. A batch has at most
`MAX_EVENTS` events and `MAX_BATCH_BYTES` of text; one event alone may be as large as an event can be. The numbers of
its events rise, and its note (`sync.ledger.messages.signed_message`) says the first, the last and how many they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sync.errors import LedgerError
from sync.ledger.messages.signed_message import check_text, pack_message, read_envelope
from sync.ledger.note import Verifier
from sync.ledger.signing_key import SigningKey
from sync.record.event import Event
from sync.text.strict_json import MAX_DEPTH, UnreadableError, read_strict

MAX_EVENTS = 64
MAX_BATCH_BYTES = 512 * 1024
MAX_EVENT_BYTES = 1024 * 1024
MAX_TEXT_BYTES = MAX_EVENT_BYTES + 2


def event_text(event: Event) -> str:
    """An event as it stands in a batch."""
    return json.dumps(event.to_json(), ensure_ascii=False, separators=(",", ":"))


def batch_text(texts: Sequence[str]) -> str:
    """The text of a batch, of events as `event_text` writes them."""
    return f"[{','.join(texts)}]"


def fitting(sizes: Sequence[int]) -> int:
    """How many of the first events, of which these are the sizes in bytes, make one batch; one at least."""
    total = 2
    for count, size in enumerate(sizes[:MAX_EVENTS]):
        total += size + 1
        if count and total > MAX_BATCH_BYTES:
            return count
    return min(len(sizes), MAX_EVENTS)


def pack_batch(room: str, numbers: Sequence[int], text: str, key: SigningKey) -> bytes:
    """The signed message over `text`, which holds the events of these numbers."""
    return pack_message("events", room, (numbers[0], numbers[-1], len(numbers)), text, room, key)


def read_batch(payload: bytes) -> tuple[str, str] | None:
    """(note, text) of a message of events, nothing believed; None when it is not signed. `LedgerError` "form"."""
    return read_envelope(payload, "events", limit=MAX_TEXT_BYTES)


def check_batch(room: str, note: str, text: str, verifiers: Sequence[Verifier]) -> list[Any]:
    """The events of a batch that one of `verifiers` signed, as JSON has them.

    `LedgerError` "signature": by none of them. "form": signed, and all the same not a batch.
    """
    bound = check_text("events", room, note, text, verifiers)
    try:
        # What is no text in one event is its own refusal: the others of the batch are taken.
        events = read_strict(text.encode(), limit=MAX_TEXT_BYTES, depth=MAX_DEPTH + 1, any_text=True)
    except UnreadableError as error:
        raise LedgerError(f"a batch is malformed: {error}", code="form") from error
    if not isinstance(events, list) or not 1 <= len(events) <= MAX_EVENTS:
        raise LedgerError(f"a batch is no list of at most {MAX_EVENTS} events", code="form")
    if len(events) > 1 and len(text.encode()) > MAX_BATCH_BYTES:
        raise LedgerError("a batch of several events is larger than any honest one", code="form")
    said = [event.get("number") if isinstance(event, dict) else None for event in events]
    numbers = [number for number in said if type(number) is int]
    if len(numbers) != len(events) or numbers != sorted(set(numbers)):
        raise LedgerError("the numbers of a batch do not rise", code="form")
    if bound != [numbers[0], numbers[-1], len(numbers)]:
        raise LedgerError("a batch holds other numbers than its note says", code="form")
    return events
