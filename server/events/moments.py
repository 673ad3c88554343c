"""Which times of a hearing an event is about: what lies in a sealed part is not for everybody.

An event of words is of the time in which they were said, however late it comes; a change of lines of the times of these
lines, which the store finds (`Received.about`). What is of no time that can be told, and says words or holds all of
them, is of every time.
"""

from __future__ import annotations

from typing import Any

from server.events.admission import Received
from sync.record.sealed_parts import EVER

_OF_ALL_TIMES = frozenset({"check", "objection", "document"})
_OF_NO_TIME = frozenset({"open", "pause", "resume", "close", "sealed_part", "seal", "segment", "gap"})


def spans_of(received: Received) -> tuple[tuple[int, int], ...]:
    """Room times [from, to) of the hearing."""
    event = received.event
    body: Any = event.body
    if event.kind in _OF_NO_TIME:
        return ()
    if event.kind in _OF_ALL_TIMES:
        return EVER
    if event.kind == "utterance":
        times = body["start_ns"], body["end_ns"]
        return ((min(times), max(times)),)
    if event.kind == "revision":
        return EVER if received.about is None else received.about
    return ((event.room_ns, event.room_ns + 1),)
