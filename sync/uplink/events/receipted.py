"""What a message of receipts says: which events may leave the outbox, and which the center does not take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync.ledger.messages.receipts import BatchRefusal, Receipts, UnsignedReceipts


@dataclass(frozen=True, slots=True)
class ReceiptedEvents:
    """What a message of receipts takes out of the outbox, and what it says will not be taken."""

    stored: Mapping[int, str | None]
    """number -> digest; None for a number that came the plain way."""
    refused: Mapping[int, str | None]
    """number -> batch."""
    batches: Mapping[str, BatchRefusal]
    again: bool = False
    """What is under way is to be said again at once."""


def read_receipts(value: object, *, signed: bool) -> ReceiptedEvents:
    """Of what the center said; pydantic's `ValidationError` when it is none."""
    if signed:
        receipts = Receipts.model_validate(value)
        return ReceiptedEvents(
            {one.number: one.sha256 for one in receipts.stored},
            {one.number: one.batch for one in receipts.refused},
            {one.batch: one.why for one in receipts.batches},
            receipts.again,
        )
    before = UnsignedReceipts.model_validate(value)
    return ReceiptedEvents(dict.fromkeys(before.numbers), dict.fromkeys(before.refused), {})
