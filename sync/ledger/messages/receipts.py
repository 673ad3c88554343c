"""Receipts: what the center says of the events that a room sent it, as the text of a signed message.

An event is receipted by its number *and* its digest, so that a receipt can take nothing else out of an outbox. One
that is refused is named with the batch that brought it, and a whole batch by itself, so that what was refused once is
refused only as it was said then.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from sync.record.bodies.limits import INT64, Sha256

MAX_RECEIPTS_BYTES = 512 * 1024
_Number = Annotated[int, Field(strict=True, ge=1, le=INT64)]
_MOST = 10_000

BatchRefusal = Literal["not-enrolled", "signature", "form"]
"""Why a batch as a whole is not taken: no device of the room may sign, another key signed, or it is no batch."""


class StoredEvent(BaseModel):
    """The center has this event for good."""

    number: _Number
    sha256: Sha256


class RefusedEvent(BaseModel):
    """The center will not take this event as this batch said it."""

    number: _Number
    batch: Sha256


class RefusedBatch(BaseModel):
    """The center took nothing of this batch."""

    batch: Sha256
    why: BatchRefusal


class Receipts(BaseModel):
    """One message of `receipts`."""

    stored: Annotated[list[StoredEvent], Field(max_length=_MOST)] = []
    refused: Annotated[list[RefusedEvent], Field(max_length=_MOST)] = []
    batches: Annotated[list[RefusedBatch], Field(max_length=_MOST)] = []
    again: bool = False
    """Whoever takes this room's events now has heard nothing that was not receipted: it is to be said again at once."""


class UnsignedReceipts(BaseModel):
    """The message of before: numbers alone, by nobody. It is taken while the plain way is open and never after."""

    numbers: Annotated[list[_Number], Field(max_length=_MOST)]
    refused: Annotated[list[_Number], Field(max_length=_MOST)] = []
