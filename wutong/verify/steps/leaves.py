"""Step 2: every leaf is in its one form, all are of one hearing, their numbers rise, their bodies can be read."""

from __future__ import annotations

from collections.abc import Iterator

from sync.errors import LedgerError
from sync.ledger.leaf import read_leaf
from wutong.verify.case import ExportCase
from wutong.verify.verdict import Reason, false, lacking

MOST = 20
"""More reasons of one kind tell nobody more."""


def run(case: ExportCase) -> Iterator[Reason]:
    """Reasons `leaf`, `leaf-hearing`, `leaf-order`, `leaf-body`, `leaves-missing`."""
    if not case.leaves:
        trouble = case.trouble.get("leaves-end")
        yield lacking("leaves-missing") if trouble is None else false("leaf", "?", trouble)
        return
    said = 0
    for place, leaf in enumerate(case.leaves):
        try:
            read_leaf(leaf)
        except LedgerError as error:
            yield false("leaf", place, error.message)
            said += 1
            if said >= MOST:
                break
    if "leaves-end" in case.trouble:
        yield false("leaf", len(case.leaves), case.trouble["leaves-end"])
    previous = 0
    for place, event in enumerate(case.events):
        if event is None:
            continue
        if event.hearing != case.known[0].hearing:
            yield false("leaf-hearing", place)
        if event.number <= previous:
            yield false("leaf-order", place)
        previous = event.number
    if case.hearing is None and case.known:
        yield false("leaf-body", case.trouble.get("hearing", ""))
