"""Which clerk did what an event says: named in the event itself, where somebody was signed in as a person.

Events of before, and of who came by the room's code, name nobody and mean what they always meant: the clerk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.http.rights.who_acts import acting
from sync.record.bodies.who_acted import WhoActed

ACTS = frozenset(
    {
        "open",
        "pause",
        "resume",
        "close",
        "replacement",
        "sealed_part",
        "mark",
        "exhibit",
        "present",
        "withdraw",
        "revision",
        "check",
        "transcript",
    }
)
"""Kinds of events that are acts of who has the panel."""


def with_who(kind: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body of an event of this kind, as it is written in the request of who acts now."""
    session = acting() if kind in ACTS else None
    if session is None or not session.person:
        return body
    who: WhoActed = {"person": session.person, "name": session.name}
    return {**body, "who": who}
