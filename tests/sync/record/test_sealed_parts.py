"""封存区段: the judgment of what may be seen, by intervals; and the fold of what a room seals by itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.record.bodies.session import PartLevel
from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.record.sealed_parts import ENDLESS, EVER, PLACEHOLDER, RoomParts, SealedPart, Unseen
from sync.record.withheld import pages_withheld, withheld

ALL = frozenset({"restricted"})
"""What an archivist may see of the levels of parts."""
moments = st.integers(-60, 60)
levels: st.SearchStrategy[PartLevel] = st.sampled_from(["restricted", "withdrawn"])


@st.composite
def some_parts(draw: st.DrawFn) -> list[SealedPart]:
    found = []
    for n in range(draw(st.integers(0, 6))):
        start = draw(moments)
        end = draw(st.one_of(st.none(), st.integers(start + 1, start + 40)))
        found.append(SealedPart(f"p{n}", start, end, draw(levels)))
    return found


def hidden_by(parts: Sequence[SealedPart], allowed: frozenset[str], moment: int) -> bool:
    """The plain meaning: some part that may not be seen holds the moment."""
    return any(p.from_ns <= moment < p.end_ns for p in parts if p.level not in allowed)


@given(some_parts(), st.sampled_from([frozenset[str](), ALL]), moments, st.integers(0, 30))
def test_a_stretch_touches_what_may_not_be_seen_exactly_when_a_moment_of_it_does(
    parts: list[SealedPart], allowed: frozenset[str], start: int, length: int
) -> None:
    unseen = Unseen.of(parts, allowed)
    within = range(start, max(start + length, start + 1))
    assert unseen.touches(start, start + length) == any(hidden_by(parts, allowed, m) for m in within)
    assert unseen.at(start) == hidden_by(parts, allowed, start)
    assert unseen.touches(start, None) == any(p.end_ns > start for p in parts if p.level not in allowed), (
        "no end is every moment that follows"
    )
    assert bool(unseen) == any(p.level not in allowed for p in parts)
    assert all(unseen.touches(*span) is bool(unseen) for span in EVER)


@given(some_parts(), st.sampled_from([frozenset[str](), ALL]), moments, st.integers(0, 60))
def test_what_lies_outside_is_every_moment_that_may_be_seen_and_no_other(
    parts: list[SealedPart], allowed: frozenset[str], start: int, length: int
) -> None:
    unseen = Unseen.of(parts, allowed)
    kept = unseen.outside(start, start + length)
    assert [m for a, b in kept for m in range(a, b)] == [
        m for m in range(start, start + length) if not hidden_by(parts, allowed, m)
    ]
    assert all(a < b for a, b in kept)
    assert all(b < c for (_, b), (c, _) in pairwise(kept)), "in order, and none touches the next"


@given(some_parts())
def test_who_may_see_more_levels_never_sees_less(parts: list[SealedPart]) -> None:
    public, archivist = Unseen.of(parts, frozenset()), Unseen.of(parts, ALL)
    for moment in range(-80, 120):
        assert public.at(moment) or not archivist.at(moment)


@given(st.lists(st.integers(-(2**62), 2**62), min_size=2, max_size=2), st.integers(-(2**62), 2**62))
def test_times_at_the_ends_of_the_numbers_are_judged_like_any_other(ends: list[int], moment: int) -> None:
    start, end = min(ends), max(ends) + 1
    unseen = Unseen.of([SealedPart("p", start, end, "withdrawn")], ALL)
    assert unseen.at(moment) == (start <= moment < end)
    assert Unseen.of([SealedPart("p", start, None, "withdrawn")], ALL).touches(ENDLESS - 2, None)


# What a room seals


def act(number: int, name: str, from_ns: int, to_ns: int | None, *, at: int, level: str = "restricted") -> Event:
    body = {"id": name, "from_ns": from_ns, "to_ns": to_ns, "level": level, "by": "书记员", "reason": "个人隐私"}
    return Event(number, "h", "sealed_part", at, at, body)


def test_a_part_that_goes_on_is_ended_and_never_before_the_moment_in_which_that_was_said() -> None:
    fold = RoomParts()
    fold.apply(act(1, "a", 10, None, at=10))
    assert [p.to_ns for p in fold] == [None]
    fold.apply(act(2, "a", 0, 15, at=40))
    assert [(p.from_ns, p.to_ns) for p in fold] == [(10, 40)], "what was said until 40 stays sealed"


def test_a_room_can_neither_shorten_nor_lift_nor_change_the_level_of_a_part() -> None:
    fold = RoomParts()
    fold.apply(act(1, "a", 10, 90, at=100, level="withdrawn"))
    for number, again in enumerate(
        [
            act(2, "a", 80, 90, at=101),
            act(3, "a", 10, 20, at=102),
            act(4, "a", 10, None, at=103),
            act(5, "a", 50, 51, at=104),
        ]
    ):
        fold.apply(again)
        assert [(p.from_ns, p.to_ns, p.level) for p in fold] == [(10, 90, "withdrawn")], number


def test_ends_that_were_said_the_wrong_way_round_still_seal_what_lies_between_them() -> None:
    fold = RoomParts()
    for number, (start, end) in enumerate([(10, 10), (30, 25), (ENDLESS - 1, -ENDLESS)]):
        fold.apply(act(number, f"p{number}", start, end, at=10))
    assert [(p.from_ns, p.to_ns) for p in fold] == [(10, 11), (25, 31), (-ENDLESS, ENDLESS)]
    unseen = Unseen.of(list(fold)[:2], ALL - {"restricted"})
    assert unseen.spans == ((10, 11), (25, 31))
    assert Unseen.of([SealedPart("p", 9, 4, "withdrawn")], ALL).spans == ((4, 10),), "wherever such a part comes from"


def test_a_level_that_nobody_knows_is_for_nobody() -> None:
    for level in ("secret", "open", "", None, 3):
        fold = RoomParts()
        fold.apply(act(3, "c", 10, 20, at=10, level=level))  # type: ignore[arg-type]  # what a damaged room says
        assert [p.level for p in fold] == ["withdrawn"], level


GOOD: dict[str, Any] = {"id": "a", "from_ns": 1, "to_ns": 2, "level": "restricted", "by": "书记员", "reason": "隐私"}
UNREADABLE: list[dict[str, Any]] = [
    {},
    {"damaged": "the body is no JSON"},
    {key: value for key, value in GOOD.items() if key != "to_ns"},
    {**GOOD, "from_ns": None},
    {**GOOD, "from_ns": "1"},
    {**GOOD, "from_ns": 1.0},
    {**GOOD, "from_ns": True},
    {**GOOD, "from_ns": 2**63},
    {**GOOD, "from_ns": ENDLESS, "to_ns": None},
    {**GOOD, "to_ns": 10**400},
    {**GOOD, "to_ns": [2]},
    {**GOOD, "id": ""},
    {**GOOD, "id": "../x"},
    {**GOOD, "id": "x" * 97},
    {**GOOD, "id": 7},
]


@pytest.mark.parametrize("body", UNREADABLE)
def test_an_act_that_cannot_be_read_seals_everything_for_everybody(body: dict[str, Any]) -> None:
    hearing = Hearing("h")
    hearing.apply(Event(5, "h", "sealed_part", 10, 10, body))
    assert [(p.id, p.level) for p in hearing.room_parts] == [("unreadable-5", "withdrawn")]
    assert Unseen.of(hearing.room_parts, ALL).spans == EVER
    hearing.apply(act(6, "b", 10, 20, at=30))
    assert len(list(hearing.room_parts)) == 2, "what can be read stands beside it"


@given(st.dictionaries(st.sampled_from([*GOOD, "more"]), st.one_of(st.none(), st.integers(), st.text(), st.floats())))
def test_whatever_an_act_says_it_is_a_part_that_hides_something(body: dict[str, Any]) -> None:
    fold = RoomParts()
    part = fold.apply(Event(1, "h", "sealed_part", 10, 10, body))
    assert part is not None
    assert Unseen.of(fold, frozenset())
    assert -ENDLESS <= part.from_ns < part.end_ns <= ENDLESS, "as the store can keep it"


# A hearing as who may not see a part of it gets it

WORD = "隐私"


def story() -> Hearing:
    exhibit = {"title": WORD, "filename": f"{WORD}.pdf", "media_type": "application/pdf", "bytes": 1, "pages": 9}
    said = {"seat": "judge", "role": "证人"}
    facts: list[tuple[int, str, dict[str, Any]]] = [
        (0, "open", {"case": {}, "seats": [], "tracks": []}),
        (10, "exhibit", {**exhibit, "id": "before", "number": 1, "title": "借条", "filename": "a.pdf", "sha256": "a"}),
        (11, "present", {"exhibit": "before", "page": 1, "zoom": 1, "x": 0, "y": 0}),
        (20, "utterance", {**said, "id": "u1", "start_ns": 12, "end_ns": 20, "text": "公开的话"}),
        (31, "exhibit", {**exhibit, "id": "within", "number": 2, "sha256": "b"}),
        (32, "exhibit", {**exhibit, "id": "unshown", "number": 3, "sha256": "c"}),
        (33, "present", {"exhibit": "within", "page": 1, "zoom": 1, "x": 0, "y": 0}),
        (35, "mark", {"id": "m1", "kind": "举证", "text": WORD}),
        (36, "present", {"exhibit": "before", "page": 5, "zoom": 1, "x": 0, "y": 0}),
        (39, "utterance", {**said, "id": "u2", "start_ns": 29, "end_ns": 31, "text": WORD}),
        (40, "present", {"exhibit": "before", "page": 2, "zoom": 1, "x": 0, "y": 0}),
        (45, "withdraw", {}),
        (50, "mark", {"id": "m2", "kind": "辩论", "text": "公开"}),
        (51, "objection", {"id": "o1", "line": "u2", "text": WORD, "by": {"role": "证人"}, "outcome": "refused"}),
        (52, "objection", {"id": "o2", "line": None, "text": WORD, "by": {"role": "证人"}, "outcome": "refused"}),
        (53, "objection", {"id": "o3", "line": "u1", "text": "公开", "by": {"role": "证人"}, "outcome": "refused"}),
        (60, "close", {}),
    ]
    return Hearing.of("h", [Event(n, "h", kind, at, at, body) for n, (at, kind, body) in enumerate(facts, 1)])


def test_of_a_sealed_part_only_its_times_are_told_and_the_fold_itself_keeps_everything() -> None:
    hearing = story()
    whole = str(hearing.to_json())
    unseen = Unseen.of([SealedPart("p", 30, 40, "restricted")], frozenset())
    view = withheld(hearing, unseen)
    assert WORD not in str(view.to_json())
    assert [(u.start_ns, u.end_ns, u.text, u.role) for u in view.utterances] == [
        (12, 20, "公开的话", "证人"),
        (29, 31, PLACEHOLDER, ""),
    ]
    assert [mark.id for mark in view.marks] == ["m2"]
    assert [e.id for e in view.exhibits] == ["before"]
    assert [(p.exhibit, p.page, p.from_ns, p.to_ns) for p in view.presentations] == [
        ("before", 1, 11, 30),
        ("before", 2, 40, 45),
    ]
    assert pages_withheld(hearing, unseen) == {("within", 1), ("before", 5)}
    assert [o.text for o in view.signing.objections] == [PLACEHOLDER, PLACEHOLDER, "公开"]
    assert str(hearing.to_json()) == whole
    assert withheld(hearing, Unseen()) is hearing


def test_a_line_that_was_moved_in_time_stays_withheld_by_the_time_that_it_had() -> None:
    hearing = story()
    line = hearing.utterances[1]
    move = [{"line": line.id, "base": line.revision, "set": {"start_ns": 55, "end_ns": 56}}]
    assert hearing.transcript.revise(
        Event(99, "h1", "revision", 60, 60, {"id": "r", "by": "clerk", "act": "move", "changes": move})
    )
    assert (line.start_ns, line.end_ns) == (55, 56)
    unseen = Unseen.of([SealedPart("p", 30, 40, "restricted")], frozenset())
    assert WORD not in str(withheld(hearing, unseen).to_json()["utterances"])


PART = Unseen.of([SealedPart("p", 30, 40, "restricted")], frozenset())


def revised(*acts: list[dict[str, Any]]) -> Hearing:
    """The hearing after acts of the clerk, each written over what is there."""
    hearing = story()
    for n, changes in enumerate(acts, 100):
        for change in changes:
            if "line" in change:
                line = hearing.transcript.get(change["line"])
                assert line is not None
                change["base"] = line.revision
        hearing.apply(Event(n, "h", "revision", 60, 60, {"id": f"r{n}", "by": "clerk", "act": "x", "changes": changes}))
        assert hearing.transcript.get("u2") is not None
    return hearing


def split(line: str, texts: tuple[str, str], at: int, end: int, name: str = "s1") -> list[dict[str, Any]]:
    new = {"id": name, "after": line, "seat": "judge", "role": "证人", "start_ns": at, "end_ns": end, "source": "split"}
    return [{"line": line, "set": {"text": texts[0], "end_ns": at}}, {"new": new | {"text": texts[1]}}]


def merge(into: str, text: str, gone: str) -> list[dict[str, Any]]:
    return [{"line": into, "set": {"text": text}}, {"line": gone, "set": {"gone": "merged"}}]


MOVED: dict[str, list[list[dict[str, Any]]]] = {
    "split before the part": [split("u2", (WORD, "其余"), 29, 31)],
    "split, the words go to the new line": [split("u2", ("其余", WORD), 20, 21)],
    "split twice": [split("u2", ("一", WORD + "二"), 20, 21), split("s1", ("二", WORD), 20, 21, "s2")],
    "split and moved": [
        split("u2", ("一", WORD), 20, 21),
        [{"line": "s1", "set": {"start_ns": 1, "end_ns": 2}}],
        [{"line": "u2", "set": {"start_ns": 1, "end_ns": 2}}],
    ],
    "moved twice": [[{"line": "u2", "set": {"start_ns": at, "end_ns": at}}] for at in (50, 10)],
    "merged into another": [
        [{"line": "u1", "set": {"text": "公开" + WORD}}, {"line": "u2", "set": {"gone": "merged"}}]
    ],
    "merged, and split off it": [
        [{"line": "u1", "set": {"text": "公开" + WORD}}, {"line": "u2", "set": {"gone": "merged"}}],
        split("u1", ("公开", WORD), 13, 20),
    ],
    "the new line first": [list(reversed(split("u2", ("一", WORD), 20, 21)))],
}


@pytest.mark.parametrize("how", MOVED)
def test_words_of_a_sealed_part_stay_withheld_wherever_they_are_moved(how: str) -> None:
    hearing = revised(*MOVED[how])
    assert WORD in str([line.text for line in hearing.utterances])
    assert WORD not in str(withheld(hearing, PART).to_json()["utterances"])


def test_acts_that_move_no_words_hide_no_line_that_was_said_outside() -> None:
    typed = {"id": "t1", "after": "u1", "seat": "judge", "role": "证人", "start_ns": 13, "end_ns": 14, "text": "补记"}
    hearing = revised(
        [
            {"line": "u1", "set": {"text": "改过的话"}},
            {"line": "u2", "set": {"text": WORD + "改"}},
        ],  # replaced everywhere
        [{"new": typed | {"source": "typed"}}],
        [{"line": "u1", "set": {"role": "原告"}}],
    )
    texts = [line.text for line in withheld(hearing, PART).utterances]
    assert texts == ["改过的话", "补记", PLACEHOLDER]
