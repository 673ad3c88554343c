"""Step 6: the hearing keeps its own rules: opened once and first, interrupted for the three lawful reasons only,
closed, and sealed by totals that add up, with nothing but words after the seal.
"""

from __future__ import annotations

from collections.abc import Iterator

from sync.errors import LedgerError
from sync.ledger.seal import check
from sync.record.timeline import PauseReason
from wutong.export.derived.clock_text import clock_text
from wutong.verify.case import FOLD_ERRORS, ExportCase
from wutong.verify.verdict import Reason, false, gap, remark, unended

_REASONS = {reason.value for reason in PauseReason}
_NEXT = {
    "open": {"pause": "paused", "close": "closed"},
    "paused": {"resume": "open", "close": "closed"},
    "closed": {},
}


def run(case: ExportCase) -> Iterator[Reason]:
    """Reasons `not-opened`, `opened-twice`, `pause-reason`, `state`, `segment-twice`, `unknown-track`, and of the end:
    `not-closed`, `unsealed`, `seal`, `after-seal`, `words-unsealed`, `words-incomplete`."""
    if not case.known:
        return
    yield from _acts(case)
    yield from _segments(case)
    yield from _end(case)


def _acts(case: ExportCase) -> Iterator[Reason]:
    if case.known[0].kind != "open":
        yield false("not-opened")
    if sum(event.kind == "open" for event in case.known) > 1:
        yield false("opened-twice")
    state = "open"
    for event in case.known:
        if event.kind == "pause" and event.body.get("reason") not in _REASONS:
            yield false("pause-reason", event.body.get("reason"))
        if event.kind in ("pause", "resume", "close"):
            after = _NEXT[state].get(event.kind)
            if after is None:
                yield false("state", f"{state} → {event.kind}", event.number)
            else:
                state = after
        elif event.kind == "present" and state != "open":
            yield false("state", f"{state} → present", event.number)


def _segments(case: ExportCase) -> Iterator[Reason]:
    hearing = case.hearing
    if hearing is None:
        return
    tracks = {str(track.get("id")) for track in hearing.tracks}
    seen: set[str] = set()
    for segment in hearing.segments:
        for name in (f"{segment.track}/{segment.index:05d}", f"sha256 {segment.sha256}"):
            if name in seen:
                yield false("segment-twice", name)
            seen.add(name)
        if segment.track not in tracks:
            yield false("unknown-track", segment.track)
    for declared in hearing.gaps:
        if declared.track not in tracks:
            yield false("unknown-track", declared.track)


def _end(case: ExportCase) -> Iterator[Reason]:
    kinds = [event.kind for event in case.known]
    if case.is_excerpt:
        index = case.index
        if index is not None and index.excerpt is not None and case.hearing is not None:
            opened = case.hearing.opened_ns
            yield remark("excerpt", *(clock_text(at - opened) for at in index.excerpt))
        if "seal" not in kinds:
            yield unended("unsealed")
        return
    if "close" not in kinds:
        yield unended("not-closed")
    if len(case.known) != len(case.leaves):
        return  # step 2 says which leaf cannot be read
    try:
        seal = check(case.known, case.digests)
    except LedgerError as error:
        yield false("after-seal" if error.code == "after-seal" else "seal", error.message)
        return
    except FOLD_ERRORS as error:
        yield false("seal", repr(error)[:200])
        return
    if seal is None:
        yield unended("unsealed")
        return
    if kinds[-1] != "seal":
        yield unended("words-unsealed")
    if not seal.words_complete:
        yield gap("words-incomplete")
