"""Step 4: the center has countersigned the last checkpoint, and no cosignature of it is false."""

from __future__ import annotations

from collections.abc import Iterator

from sync.errors import LedgerError
from sync.ledger.keys import CENTER
from sync.ledger.note import COSIGNATURE, Verifier, signed_by
from wutong.verify.case import ExportCase
from wutong.verify.verdict import Reason, false, lacking


def run(case: ExportCase) -> Iterator[Reason]:
    """Reasons `unwitnessed`, `cosignature`."""
    if case.center is None or not case.checkpoints:
        return
    verifier = Verifier(CENTER, case.center, COSIGNATURE)
    last: int | None = None
    for signed in case.checkpoints:
        last = None
        if signed.note is None:
            continue
        try:
            last = signed_by(signed.note, verifier)
        except LedgerError:
            yield false("cosignature", signed.place)
            last = 0
    if last is None:
        yield lacking("unwitnessed")
