"""A leaf of the ledger has one form, and is read in no other."""

from __future__ import annotations

from collections.abc import Iterator

from sync.errors import LedgerError
from sync.ledger.leaf import leaf_of, read_leaf
from sync.record.event import Event
from sync.record.hearing import Hearing
from tests.fuzz.seed_events import events


def target(data: bytes) -> None:
    try:
        event = read_leaf(data)
    except LedgerError:
        return
    assert leaf_of(event) == data
    # Whatever a leaf says, its fold is one of the errors of bad bodies or a view.
    try:
        Hearing(event.hearing or "").apply(event)
    except (ValueError, TypeError, KeyError, OverflowError, AttributeError, LookupError):
        return


def seeds() -> Iterator[bytes]:
    for event in events():
        yield leaf_of(event)
    yield leaf_of(Event(1, "h1", "mark", 2**62, 2**62, {"at_ns": -(2**62), "n": [1.5, 2**53 - 1, {"é": "\U0001f600"}]}))
