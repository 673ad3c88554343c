"""Checkpoints that wait: the newest few of a hearing, rooms in turns, all of it bounded, nothing dropped in silence."""

from __future__ import annotations

from server.integrity.waiting_heads import (
    HEARINGS,
    KEPT_HEADS,
    PARKED_HEARINGS,
    PARKED_IN_ALL,
    AskedHead,
    WaitingHeads,
)
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.note import Note


def head(room: str, size: int, hearing: str = "h1", root: int = 1) -> AskedHead:
    checkpoint = Checkpoint(room, hearing, size, bytes([root] * 32), size, 1)
    return AskedHead(room, Note(checkpoint.to_text(), ()), checkpoint)


def sizes(heads: WaitingHeads) -> tuple[str, str, list[int]] | None:
    turn = heads.take()
    return None if turn is None else (turn.room, turn.hearing, [one.head.size for one in turn.heads])


def test_of_a_hearing_the_newest_few_wait_and_what_gives_way_is_given_back() -> None:
    heads = WaitingHeads()
    dropped = [one.head.size for size in (5, 1, 9, 7, 3, 8, 9) for one in heads.put(head("a/1", size))]
    assert dropped == [1, 3]
    assert sizes(heads) == ("a/1", "h1", [5, 7, 8, 9])
    assert len([5, 7, 8, 9]) == KEPT_HEADS
    assert sizes(heads) is None


def test_two_notes_of_one_size_are_two_questions() -> None:
    heads = WaitingHeads()
    assert heads.put(head("a/1", 5)) == heads.put(head("a/1", 5, root=2)) == heads.put(head("a/1", 5)) == []
    turn = heads.take()
    assert turn is not None
    assert sorted(one.head.root[0] for one in turn.heads) == [1, 2]


def test_rooms_take_turns_and_a_room_that_is_judged_waits_for_its_answer() -> None:
    heads = WaitingHeads()
    for hearing in ("h1", "h2", "h3"):
        heads.put(head("a/1", 1, hearing))
    heads.put(head("a/2", 1, "h9"))
    heads.put(head("a/3", 1, "h8"))
    assert sizes(heads) == ("a/1", "h1", [1])
    assert sizes(heads) == ("a/2", "h9", [1])
    heads.put(head("a/1", 4, "h1"))
    heads.done("a/1")
    assert sizes(heads) == ("a/3", "h8", [1])
    assert sizes(heads) == ("a/1", "h2", [1])
    assert sizes(heads) is None
    heads.done("a/3")
    heads.done("a/2")
    assert heads.is_empty
    heads.done("a/1")
    assert sizes(heads) == ("a/1", "h3", [1])
    heads.done("a/1")
    assert sizes(heads) == ("a/1", "h1", [4])


def test_a_room_that_asks_for_ever_more_hearings_loses_its_own_last_questions() -> None:
    heads = WaitingHeads()
    for n in range(HEARINGS):
        assert heads.put(head("a/1", 1, f"h{n}")) == []
    late = head("a/1", 1, "too-many")
    assert heads.put(late) == [late]
    assert heads.put(head("a/1", 2, "h7")) == [], "of a hearing that waits already the newest is taken"
    assert heads.put(head("a/2", 1)) == []


def test_what_waits_for_events_is_parked_and_woken_by_its_own_room_alone() -> None:
    heads = WaitingHeads()
    assert heads.park("a/1", "h1", [head("a/1", 3), head("a/1", 4)]) == []
    assert heads.wake("a/2", "h1") == []
    assert heads.is_empty
    heads.put(head("a/1", 9))
    assert heads.wake("a/1", "h1") == []
    assert sizes(heads) == ("a/1", "h1", [3, 4, 9])
    heads.done("a/1")
    assert heads.wake("a/1", "h1") == []
    assert heads.is_empty


def test_what_is_parked_is_bounded_for_each_room_and_in_all() -> None:
    heads = WaitingHeads()
    dropped = [
        one.hearing for n in range(PARKED_HEARINGS + 2) for one in heads.park("a/1", f"h{n}", [head("a/1", 1, f"h{n}")])
    ]
    assert dropped == ["h0", "h1"]
    given_back = [
        one.head.size for size in range(10, 0, -1) for one in heads.park("b/1", "h", [head("b/1", size, "h")])
    ]
    assert given_back == [6, 5, 4, 3, 2, 1]
    rooms = PARKED_IN_ALL // PARKED_HEARINGS
    back = [
        one
        for room in range(rooms)
        for n in range(PARKED_HEARINGS)
        for one in heads.park(f"c/{room}", f"h{n}", [head(f"c/{room}", 1, f"h{n}")])
    ]
    assert len(back) == PARKED_HEARINGS + KEPT_HEADS, "what was parked first gave way"
