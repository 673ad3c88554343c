"""An excerpt: the leaves that say what happened in a stretch of a hearing, each with the proof that it is in it.

Always in it are the leaves without which a stretch cannot be read: opening, interruptions, clock, close and seal, and
what was on the screens as it began. Words and marks outside of the stretch are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from sync.errors import ConfigError
from sync.roomlog import Event

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
    words = {str(events[p].body.get("id")) for p in wanted if events[p].kind == "utterance"}
    for place, event in enumerate(events):
        body = event.body
        if event.kind == "exhibit" and str(body.get("id")) in exhibits:
            wanted.add(place)
        if event.kind == "revision" and str(body.get("utterance", body.get("id", ""))) in words:
            wanted.add(place)
    return sorted(wanted)


def _concerns(event: Event, from_ns: int, to_ns: int) -> bool:
    body = event.body
    if event.kind in _FRAME:
        return True
    if event.kind in ("segment", "gap"):
        return int(body["from_ns"]) < to_ns and int(body["to_ns"]) > from_ns
    if event.kind == "utterance":
        return int(body["start_ns"]) < to_ns and int(body["end_ns"]) > from_ns
    return event.kind in ("present", "withdraw", "mark", "alarm") and from_ns <= event.room_ns < to_ns
