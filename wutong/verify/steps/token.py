"""Step 11: the time-stamp token, where there is one, is of a trusted authority and over the checkpoint of the seal."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator

from sync.errors import LedgerError
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.token import MAX_TOKEN_BYTES, verify
from wutong.export import forms
from wutong.verify.case import ExportCase
from wutong.verify.verdict import Reason, false, remark

EARLY = dt.timedelta(minutes=10)
"""The device's clock may be ahead of the authority's by so much; then it is told, not judged."""


def run(case: ExportCase) -> Iterator[Reason]:
    """Reasons `token`, `token-without-seal`; remarks `token-unchecked`, `token-says`, `token-time`."""
    if not os.path.lexists(case.path(forms.TOKEN)):
        return
    point = _sealed(case)
    if point is None:
        yield false("token-without-seal")
        return
    if not case.tsa_roots:
        yield remark("token-unchecked")
        return
    token = case.read(forms.TOKEN, MAX_TOKEN_BYTES)
    if token is None:
        yield false("token", case.trouble.get(forms.TOKEN, ""))
        return
    try:
        at = verify(token, point.to_text(), case.tsa_roots, policy=case.tsa_policy)
    except LedgerError as error:
        yield false("token", error.message)
        return
    yield remark("token-says", f"{at:%Y-%m-%d %H:%M:%S} UTC")
    if at.timestamp() < point.utc_ns / 1e9 - EARLY.total_seconds():
        yield remark("token-time", f"{at:%Y-%m-%d %H:%M:%S} UTC")


def _sealed(case: ExportCase) -> Checkpoint | None:
    """The last checkpoint whose last leaf is a seal."""
    seals = {event.number for event in case.known if event.kind == "seal"}
    points = [c.point for c in case.checkpoints if c.point is not None and c.point.last_number in seals]
    return points[-1] if points else None
