"""An event: one fact of a room, with its number and its times, as it stands in the room's log and travels.

What its body says is listed in `sync.record.bodies`; what is made of the events of a hearing, in `sync.record.hearing`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AFTER_SEAL = frozenset({"utterance", "revision", "check", "transcript", "signature", "objection", "document", "seal"})
"""What may still be said of a hearing that is sealed: its words, and who signed them."""


DAMAGED = "damaged"
"""The one key of the body that a reader that must go on gets for a body that cannot be read; the times still stand."""

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""As JSON writes it: of text that only speaks of it the backslash is written twice."""


def seal_key(hearing: str, index: int) -> str:
    """The key under which a seal is appended; the first one closes the hearing for everything but words."""
    return f"seal/{hearing}/{index}"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. `number` orders all facts of the room; `room_ns`/`utc_ns` say when it became true."""

    number: int
    hearing: str | None
    kind: str
    room_ns: int
    utc_ns: int
    body: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        return {
            "number": self.number,
            "hearing": self.hearing,
            "kind": self.kind,
            "room_ns": self.room_ns,
            "utc_ns": self.utc_ns,
            "body": dict(self.body),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Event:
        """Read what `to_json` made; `KeyError`, `TypeError` or `ValueError` when it is something else."""
        hearing = value["hearing"]
        body = value["body"]
        if not isinstance(body, dict) or not (hearing is None or isinstance(hearing, str)):
            raise TypeError("an event needs a body that is an object and a hearing that is text or null")
        return cls(
            number=int(value["number"]),
            hearing=hearing,
            kind=str(value["kind"]),
            room_ns=int(value["room_ns"]),
            utc_ns=int(value["utc_ns"]),
            body=body,
        )


def canonical_text(value: object) -> str:
    """JSON in the one form that both ends hash; `ValueError` when it is not JSON, or not text that can be kept."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    text.encode("utf-8")  # a lone surrogate is not text
    if _NUL.search(text):
        raise ValueError("a NUL character is not text")
    return text


def event_digest(event: Event) -> str:
    """SHA-256 (hex) of an event, the same for the same content in any order of keys: what a receipt names it by."""
    return hashlib.sha256(canonical_text(event.to_json()).encode()).hexdigest()
