"""The seal of a hearing: the event that says what the whole record holds, so that nothing can be left off its end.

`totals` counts what a seal says; `missing` says what keeps a hearing from being sealed; `check` believes no seal that
does not agree with the leaves before it. The room seals with these functions and the verifier checks with them.

A seal is written after 闭庭, when every track is on disk or declared missing to its end. Words that come later are
sealed again (`index` counts up); anything but words after a seal is false.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.errors import LedgerError
from sync.ledger.tree import Tree
from sync.record.bodies.session import SealBody
from sync.record.event import AFTER_SEAL, Event
from sync.record.hearing import Hearing

WORDS = AFTER_SEAL - {"seal"}
"""What may come after a seal, and is then sealed again."""
TOLERANCE_NS = 10_000_000
"""Smaller holes of a track are the rounding of media time; the recorder declares none of them."""
_COUNTED = {
    "utterance": "utterances",
    "revision": "revisions",
    "exhibit": "exhibits",
    "present": "presentations",
    "mark": "marks",
}


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal that `check` believes. `root` is of the tree over the `leaves` before it."""

    number: int
    index: int
    leaves: int
    root: bytes
    words_complete: bool
    """False when the room gave up waiting for a transcriber that did not answer; words may be missing."""


def totals(events: Iterable[Event]) -> dict[str, Any]:
    """What a seal says of all events before it; `LedgerError` when one of them is not of its kind's form."""
    tracks: dict[str, dict[str, int]] = {}
    value: dict[str, Any] = {"tracks": tracks, "pauses": 0, "pause_ns": 0, **dict.fromkeys(_COUNTED.values(), 0)}
    value |= {"opened_utc_ns": None, "closed_utc_ns": None}
    paused_ns: int | None = None
    for event in sorted(events, key=lambda e: e.number):
        if event.kind == "open":
            value["opened_utc_ns"] = event.utc_ns
            for track in _list(event, "tracks"):
                _track(tracks, str(track.get("id")))
        elif event.kind == "pause":
            value["pauses"] += 1
            paused_ns = event.room_ns
        elif event.kind in ("resume", "close"):
            if paused_ns is not None:
                value["pause_ns"] += event.room_ns - paused_ns
                paused_ns = None
            if event.kind == "close":
                value["closed_utc_ns"] = event.utc_ns
        elif event.kind == "segment":
            track = _track(tracks, str(event.body.get("track")))
            track["segments"] += 1
            track["bytes"] += _integer(event, "bytes")
            track["media_ns"] += _integer(event, "to_ns") - _integer(event, "from_ns")
        elif event.kind == "gap":
            track = _track(tracks, str(event.body.get("track")))
            track["gaps"] += 1
            track["gap_ns"] += _integer(event, "to_ns") - _integer(event, "from_ns")
        elif event.kind in _COUNTED:
            value[_COUNTED[event.kind]] += 1
    return value


def body_of(index: int, tree: Tree, events: Iterable[Event], *, words_complete: bool) -> SealBody:
    """The body of the seal that follows `events`, over which `tree` is."""
    counted = totals(events)
    return {
        "index": index,
        "leaves": tree.size,
        "root": tree.root().hex(),
        "words_complete": words_complete,
        "tracks": counted["tracks"],
        "pauses": counted["pauses"],
        "pause_ns": counted["pause_ns"],
        "utterances": counted["utterances"],
        "revisions": counted["revisions"],
        "exhibits": counted["exhibits"],
        "presentations": counted["presentations"],
        "marks": counted["marks"],
        "opened_utc_ns": counted["opened_utc_ns"],
        "closed_utc_ns": counted["closed_utc_ns"],
    }


def missing(hearing: Hearing) -> dict[str, list[tuple[int, int]]]:
    """Of each track: the room time (from, to) between open and close that is no segment, no declared gap, no pause.

    Empty lists are left out; the pre-roll before the opening is not asked for.
    """
    if hearing.closed_ns is None:
        return {str(t.get("id")): [(hearing.opened_ns, hearing.opened_ns)] for t in hearing.tracks}
    found = {}
    for track in (str(t.get("id")) for t in hearing.tracks):
        spans = [(s.from_ns, s.to_ns) for s in hearing.segments if s.track == track]
        spans += [(g.from_ns, g.to_ns or g.from_ns) for g in hearing.gaps if g.track == track]
        spans += [(p.from_ns, p.to_ns or hearing.closed_ns) for p in hearing.pauses]
        holes = _holes(hearing.opened_ns, hearing.closed_ns, spans)
        if holes:
            found[track] = holes
    return found


def check(events: Sequence[Event], digests: Sequence[bytes]) -> Seal | None:
    """The last seal of a hearing, None when it has none; `LedgerError` when any seal says what is not so.

    `events` are all leaves of the hearing by their number, `digests` the hashes of those leaves in the same order.
    Words after the last seal are no error here: compare `Seal.leaves + 1` with the number of leaves.
    """
    tree = Tree()
    last: Seal | None = None
    for place, (event, digest) in enumerate(zip(events, digests, strict=True)):
        if event.kind == "seal":
            last = _check_one(event, 0 if last is None else last.index + 1, tree, events[:place])
        elif last is not None and event.kind not in WORDS:
            raise LedgerError(f"event {event.number} ({event.kind}) comes after the seal", code="after-seal")
        tree.append(digest)
    return last


def _check_one(event: Event, index: int, tree: Tree, before: Sequence[Event]) -> Seal:
    said = event.body
    if not any(e.kind == "close" for e in before):
        raise LedgerError("the hearing is sealed before it is closed", code="seal")
    if (said.get("index"), said.get("leaves"), said.get("root")) != (index, tree.size, tree.root().hex()):
        raise LedgerError(
            f"seal {said.get('index')} is over {said.get('leaves')} leaves, but {tree.size} stand before it, "
            "or their root differs",
            code="seal",
        )
    counted = totals(before)
    for key, value in counted.items():
        if said.get(key) != value:
            raise LedgerError(f"the seal says {key} = {said.get(key)}, the leaves say {value}", code="totals")
    return Seal(event.number, index, tree.size, tree.root(), said.get("words_complete") is not False)


def _holes(from_ns: int, to_ns: int, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    holes = []
    at_ns = from_ns
    for begin_ns, end_ns in [*sorted(spans), (to_ns, to_ns)]:
        until_ns = min(begin_ns, to_ns)
        if until_ns - at_ns > TOLERANCE_NS:
            holes.append((at_ns, until_ns))
        at_ns = max(at_ns, end_ns)
    return holes


def _track(tracks: dict[str, dict[str, int]], track: str) -> dict[str, int]:
    return tracks.setdefault(track, {"segments": 0, "bytes": 0, "media_ns": 0, "gaps": 0, "gap_ns": 0})


def _integer(event: Event, key: str) -> int:
    value = event.body.get(key)
    if type(value) is not int:
        raise LedgerError(f"event {event.number} ({event.kind}) has no whole number {key!r}", code="leaf")
    return value


def _list(event: Event, key: str) -> list[Mapping[str, Any]]:
    value = event.body.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise LedgerError(f"event {event.number} ({event.kind}) has no list {key!r}", code="leaf")
    return value
