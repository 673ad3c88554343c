"""Step 9: every track is, from open to close, media, declared gaps and lawful pauses; a hole that nobody declared is
false, a declared gap is told."""

from __future__ import annotations

from collections.abc import Iterator

from sync.record.hearing import Hearing
from wutong.export.derived.clock_text import clock_text
from wutong.verify.case import ExportCase
from wutong.verify.verdict import Reason, false, gap, unended

TOLERANCE_NS = 11_000_000
"""The recorder declares what is longer than 10 ms; one more for rounding to ticks."""
MOST = 50
Span = tuple[int, int]


def run(case: ExportCase) -> Iterator[Reason]:
    """Reasons `hole` (false), `pending` (the same before the seal) and `gap`."""
    hearing = case.hearing
    if hearing is None:
        return
    from_ns, to_ns = _range(case, hearing)
    names = {str(t.get("id")): str(t.get("name") or t.get("id")) for t in hearing.tracks}
    sealed = any(event.kind == "seal" for event in case.known)
    pauses = [(p.from_ns, to_ns if p.to_ns is None else p.to_ns) for p in hearing.pauses]
    for track, name in names.items():
        gaps = [(g.from_ns, g.to_ns or g.from_ns) for g in hearing.gaps if g.track == track]
        media = _media(case, track)
        for start, end in _without([(from_ns, to_ns)], [*media, *gaps, *pauses]):
            if end - start > TOLERANCE_NS:
                about = name, clock_text(start - hearing.opened_ns), f"{(end - start) / 1e9:.2f} s"
                # Before the seal, a segment that still grows is in no leaf.
                yield false("hole", *about) if sealed else unended("pending", *about)
    yield from _declared(hearing, names, pauses, (from_ns, to_ns))


def _range(case: ExportCase, hearing: Hearing) -> Span:
    last_ns = max((e.room_ns for e in case.known), default=hearing.opened_ns)
    to_ns = last_ns if hearing.closed_ns is None else hearing.closed_ns
    if case.is_excerpt and case.index is not None and case.index.excerpt is not None:
        start, end = case.index.excerpt
        return max(start, hearing.opened_ns), min(end, to_ns)
    return hearing.opened_ns, to_ns


def _media(case: ExportCase, track: str) -> list[Span]:
    """By the fragments where the file can be read, else by the leaf: step 8 tells what is wrong with the file."""
    spans: list[Span] = []
    for name, segment in case.segments.items():
        if segment.track == track:
            fact = case.media.get(name)
            whole = fact is not None and not fact.walk_error and fact.spans
            spans += fact.spans if fact is not None and whole else [(segment.from_ns, segment.to_ns)]
    return spans


def _declared(hearing: Hearing, names: dict[str, str], pauses: list[Span], within: Span) -> Iterator[Reason]:
    said = 0
    for declared in hearing.gaps:
        end_ns = declared.from_ns if declared.to_ns is None else declared.to_ns
        parts = _without([(max(declared.from_ns, within[0]), min(end_ns, within[1]))], pauses)
        missing = sum(end - start for start, end in parts)
        if missing > 0 and said < MOST:
            at = clock_text(declared.from_ns - hearing.opened_ns)
            yield gap("gap", names.get(declared.track, declared.track), f"{at} +{missing / 1e9:.2f} s", declared.why)
            said += 1


def _without(spans: list[Span], taken: list[Span]) -> list[Span]:
    """What is left of `spans`."""
    left: list[Span] = []
    order = sorted(taken)
    for start, end in spans:
        at = start
        for begin, until in order:
            if until <= at:
                continue
            if begin >= end:
                break
            if begin > at:
                left.append((at, begin))
            at = max(at, until)
        if end > at:
            left.append((at, end))
    return left
