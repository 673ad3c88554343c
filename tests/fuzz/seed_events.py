"""Events as rooms write them, to begin from: the first of each kind of the golden export, where everything happens."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from sync.ledger.leaf import read_leaf
from sync.record.event import Event
from tests.support.paths import ROOT

_LEAVES = ROOT / "tests/export/golden/wutong-export-3/export/ledger/leaves.jsonl"


@cache
def events() -> tuple[Event, ...]:
    """In their order."""
    found: dict[str, Event] = {}
    for leaf in _LEAVES.read_bytes().splitlines():
        event = read_leaf(leaf)
        if event.kind != "revision" or "changes" in event.body:  # the first form's are taken no more
            found.setdefault(event.kind, event)
    return tuple(found.values())


def messages() -> Iterator[dict[str, Any]]:
    """As they are sent."""
    for event in events():
        yield event.to_json()
