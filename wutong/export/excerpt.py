"""An excerpt: the leaves that say what happened in a stretch of a hearing, each with the proof that it is in it.

Always in it are the leaves without which a stretch cannot be read: opening, interruptions, clock, close and seal, and
what was on the screens as it began. Marks outside of the stretch are left out, and words, unless one act of revision
changed them together with words of the stretch. Who signed is not in it: what is signed is the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sync.errors import ConfigError
from sync.record.bodies.media import GapBody, SegmentBody
from sync.record.bodies.words import RevisionBody, UtteranceBody
from sync.record.event import Event

_FRAME = frozenset({"open", "pause", "resume", "close", "clock", "seal"})


def parse_moment(text: str) -> int:
    """Nanoseconds since the opening from `90`, `1:30` or `0:01:30.5`; `ConfigError`."""
    parts = text.split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 3 or any(not 0 <= n < 1e6 for n in numbers):
        raise ConfigError(f"{text!r} is no moment of a hearing; say seconds since the opening, or h:mm:ss")
    seconds = 0.0
    for number in numbers:
        seconds = seconds * 60 + number
    return round(seconds * 1_000_000_000)


def chosen(events: Sequence[Event], from_ns: int, to_ns: int) -> list[int]:
    """Places of the leaves of the stretch (room time), rising."""
    wanted = {place for place, event in enumerate(events) if _concerns(event, from_ns, to_ns)}
    shown = [p for p, e in enumerate(events) if e.kind in ("present", "withdraw") and e.room_ns < from_ns]
    if shown:
        wanted.add(shown[-1])
    exhibits = {str(events[p].body.get("exhibit")) for p in wanted if events[p].kind == "present"}
    wanted |= {p for p, e in enumerate(events) if e.kind == "exhibit" and str(e.body.get("id")) in exhibits}
    wanted |= _words(events, from_ns, to_ns)
    return sorted(wanted)


def _words(events: Sequence[Event], from_ns: int, to_ns: int) -> set[int]:
    """Places of the words of the stretch, of all that was done to them, and of the lines that the same acts changed:
    an act counts whole or not at all, so nobody can say whether it did without all its lines."""
    said = {str(e.body["id"]): p for p, e in enumerate(events) if e.kind == "utterance"}
    acts = {p: _named(e) for p, e in enumerate(events) if e.kind == "revision"}
    lines = {name for name, p in said.items() if _concerns(events[p], from_ns, to_ns)}
    for place in acts:
        for change in events[place].body.get("changes", ()):
            new = change.get("new")
            if new is not None and int(new["start_ns"]) < to_ns and int(new["end_ns"]) >= from_ns:
                lines.add(str(new["id"]))
    chosen_acts: set[int] = set()
    while True:
        voices = {_voice(events[said[name]].body) for name in lines if name in said}
        more = {p for p, named in acts.items() if named & lines or _voice(events[p].body.get("voice")) in voices}
        if more == chosen_acts:
            return chosen_acts | {said[name] for name in lines if name in said}
        chosen_acts = more
        lines = lines.union(*(acts[p] for p in more))


def _named(act: Event) -> set[str]:
    """The lines that an act is about."""
    if "changes" not in act.body:
        return {str(act.body.get("utterance", act.body.get("id", "")))}
    body = cast(RevisionBody, act.body)
    named: set[str] = set()
    for change in body["changes"]:
        new = change.get("new")
        named |= {str(change["line"])} if new is None else {str(new["id"]), str(new.get("after", ""))}
    return named - {""}


def _voice(body: Mapping[str, Any] | None) -> tuple[str, str] | None:
    return None if body is None else (str(body.get("seat", "")), str(body.get("voice", "")))


def _concerns(event: Event, from_ns: int, to_ns: int) -> bool:
    if event.kind in _FRAME:
        return True
    if event.kind in ("segment", "gap"):
        media = cast(SegmentBody | GapBody, event.body)
        return int(media["from_ns"]) < to_ns and int(media["to_ns"]) > from_ns
    if event.kind == "utterance":
        said = cast(UtteranceBody, event.body)
        return int(said["start_ns"]) < to_ns and int(said["end_ns"]) > from_ns
    return event.kind in ("present", "withdraw", "mark", "alarm") and from_ns <= event.room_ns < to_ns
