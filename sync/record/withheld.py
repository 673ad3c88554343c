"""A hearing as somebody gets it who may not see parts of it: the same fold without what lies within them.

Lines stay with their times and say that they are sealed, so that nobody takes silence for what was not said. Refuses
to change what it is given: the fold that is cached or exported keeps everything.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace

from sync.record.hearing import Hearing
from sync.record.sealed_parts import ENDLESS, PLACEHOLDER, Unseen
from sync.record.timeline import Presentation
from sync.record.transcript import Transcript, Utterance


def hides_line(line: Utterance, unseen: Unseen) -> bool:
    """Whether a line may not be read: by any time at which something that is in it may have been said."""
    return any(unseen.touches(start, end) for start, end in line.times())


def withheld_line(line: Utterance) -> Utterance:
    """When something was said, and that it may not be read."""
    return Utterance(
        id=line.id,
        seat="",
        role="",
        start_ns=line.start_ns,
        end_ns=line.end_ns,
        text=PLACEHOLDER,
        source="sealed",
        revision=line.revision,
        gone=line.gone,
    )


def withheld(hearing: Hearing, unseen: Unseen) -> Hearing:
    """The hearing for who may not see `unseen`; the same object when that is nothing."""
    if not unseen:
        return hearing
    view = copy(hearing)
    view.transcript = _words(hearing.transcript, unseen)
    read = {line.id for line in hearing.utterances if not hides_line(line, unseen)}
    view.signing = copy(hearing.signing)
    view.signing.objections = [
        replace(o, text=PLACEHOLDER, wants="", reason="") if o.line not in read else o
        for o in hearing.signing.objections
    ]
    view.marks = [mark for mark in hearing.marks if not unseen.at(mark.at_ns)]
    view.presentations = _presentations(hearing, unseen)
    shown = {p.exhibit for p in view.presentations}
    presented = {p.exhibit for p in hearing.presentations}
    view.exhibits = [
        e
        for e in hearing.exhibits
        if e.id in shown or (e.id not in presented and not unseen.at(hearing.added_ns.get(e.id, hearing.opened_ns)))
    ]
    pages = pages_withheld(hearing, unseen)
    view.pictures = {
        e.id: {key: p for key, p in hearing.pictures.get(e.id, {}).items() if (e.id, key[0]) not in pages}
        for e in view.exhibits
    }
    return view


def pages_withheld(hearing: Hearing, unseen: Unseen) -> set[tuple[str, int]]:
    """(exhibit, page) of what was on the screens within what may not be seen, and never outside of it."""
    before = {(p.exhibit, p.page) for p in hearing.presentations}
    return before - {(p.exhibit, p.page) for p in _presentations(hearing, unseen)}


def _words(transcript: Transcript, unseen: Unseen) -> Transcript:
    words = copy(transcript)
    words.lines = [withheld_line(line) if hides_line(line, unseen) else line for line in transcript.lines]
    words._by_id = {line.id: line for line in words.lines}
    hidden = {line.id for line in words.lines if line.source == "sealed"}
    # What a finding says of a line is in its id.
    words.ignored = {name for name in transcript.ignored if not any(line in name for line in hidden)}
    return words


def _presentations(hearing: Hearing, unseen: Unseen) -> list[Presentation]:
    """The stretches of them that may be seen; one that lasts has no end."""
    cut: list[Presentation] = []
    for shown in hearing.presentations:
        end_ns = ENDLESS if shown.to_ns is None else max(shown.to_ns, shown.from_ns + 1)
        whole = unseen.outside(shown.from_ns, end_ns) == [(shown.from_ns, end_ns)]
        if whole:
            cut.append(shown)
            continue
        for start, end in unseen.outside(shown.from_ns, end_ns):
            cut.append(replace(shown, from_ns=start, to_ns=None if end == ENDLESS else end))
    return cut
