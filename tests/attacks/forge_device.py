"""Attacks by who holds the device's key, which the center did not notice: only the rules of a hearing show them up."""

from __future__ import annotations

import json
from dataclasses import replace

from sync.ledger import note as notes
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.leaf import leaf_of
from sync.ledger.note import read_note
from sync.ledger.tree import leaf_hash, root_of
from tests.attacks.forge_folder import Forgery, body
from tests.support.exports.honest_room import ROOM, S


def segment_said_twice(f: Forgery) -> None:
    """4: in the ledger itself."""
    events = f.events
    place = next(i for i, e in enumerate(events) if e.kind == "segment")
    twin = replace(events[place], number=events[-1].number, body={**events[place].body, "index": 7})
    f.write("media/judge/00007.mp4", f.read("media/judge/00000.mp4"))
    seal = replace(events[-1], number=events[-1].number + 1)
    f.resign([leaf_of(event) for event in [*events[:-1], twin, seal]])


def clock_jumped(f: Forgery) -> None:
    """22: an hour in the middle, and nothing says why."""
    events = f.events
    half = len(events) // 2
    moved = [e if i < half else replace(e, utc_ns=e.utc_ns + 3600 * S) for i, e in enumerate(events)]
    f.resign([leaf_of(event) for event in moved])


def clock_rolled_back(f: Forgery) -> None:
    """22: an act lies before the one that came before it."""
    f.edit("mark", lambda event: replace(event, room_ns=event.room_ns - 2 * S, utc_ns=event.utc_ns - 2 * S))
    f.resign()


def pause_removed(f: Forgery) -> None:
    """23: what was a lawful interruption is now a hole that nobody declared."""
    f.edit("pause", lambda event: None)
    f.edit("resume", lambda event: None)
    f.resign()


def gap_removed(f: Forgery) -> None:
    """23: likewise."""
    f.edit("gap", lambda event: None)
    f.remove("explanation.txt")
    f.resign()


def unlawful_pause(f: Forgery) -> None:
    """An interruption for a reason that the law does not know."""
    f.edit("pause", lambda event: body(event, reason="lunch"))
    f.resign()


def spaced_leaf(f: Forgery) -> None:
    """25: another spelling of the same JSON, properly signed."""
    leaves = f.leaves
    leaves[4] = json.dumps(json.loads(leaves[4]), ensure_ascii=False).encode()
    f.resign(leaves)


def key_twice(f: Forgery) -> None:
    """25: two readers would see two things."""
    leaves = f.leaves
    place = next(i for i, leaf in enumerate(leaves) if b'"kind":"mark"' in leaf and b'"body"' in leaf)
    leaves[place] = leaves[place].replace(b'"text":"', '"text":"无","text":"'.encode())
    f.resign(leaves)


def not_a_number(f: Forgery) -> None:
    """25"""
    leaves = f.leaves
    place = next(i for i, leaf in enumerate(leaves) if b'"kind":"present"' in leaf)
    leaves[place] = leaves[place].replace(b'"zoom":1', b'"zoom":NaN')
    f.resign(leaves)


def other_totals(f: Forgery) -> None:
    """A seal that does not add up."""
    f.edit("seal", lambda event: body(event, marks=99))
    head = Checkpoint.from_text(read_note(f.checkpoints[-1]).text)
    head = replace(head, root=root_of(leaf_hash(leaf) for leaf in f.leaves))
    f.checkpoints = [f.center.witness(notes.sign(head.to_text(), ROOM, f.device).to_text(), head.utc_ns // S + 1)]
    f.derive()
    f.reindex(sign=True)
