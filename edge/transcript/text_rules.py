"""Text that people type into the transcript, as the routes take it."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

MAX_ROLE = 40


def _writable(text: str) -> str:
    """No characters that no document can hold; line ends may be."""
    if any(unicodedata.category(c) in ("Cc", "Cs") and c != "\n" for c in text):
        raise ValueError("control characters cannot be part of a transcript")
    return text


WRITABLE = AfterValidator(_writable)
Role = Annotated[str, Field(min_length=1, max_length=MAX_ROLE), WRITABLE]
