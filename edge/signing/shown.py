"""What the panel is shown of signing: the words that were laid before people, the people, the papers."""

from __future__ import annotations

from typing_extensions import TypedDict

from edge.integrity.notary import Words
from sync.record.signers import ShownSigner
from sync.record.signing import Document, Objection


class LaidWords(TypedDict):
    """What was laid before people; `current`: these are the words of now."""

    id: str
    version: int
    sha256: str
    lines: int
    through: int
    at_utc_ns: int
    current: bool


class ShownSigning(TypedDict):
    """`GET /api/transcript/signing`."""

    hearing: str
    transcript: LaidWords | None
    people: list[ShownSigner]
    objections: list[Objection]
    documents: list[Document]
    words: Words
    """Whether words may still come."""
    complete: bool
    making: float | None
    """How much of a document is made, 0…1."""
    failure: str
