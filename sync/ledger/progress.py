"""How far the record of a hearing is proven, as the room and the center tell their screens."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class ProofProgress(TypedDict):
    """The record is proven up to `witnessed_leaves`; `refused` is the code of what the center would not witness."""

    enrolled: NotRequired[bool | None]
    """Of the room only; null in one that has no center."""
    witnessed_leaves: int
    witnessed_utc_ns: int | None
    refused: str | None
    stamped: bool
