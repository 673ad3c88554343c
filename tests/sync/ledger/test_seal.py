"""The seal: what it counts, what holds it back, and every way in which one can lie."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync.errors import LedgerError
from sync.ledger.leaf import leaf_of
from sync.ledger.seal import body_of, check, missing, totals
from sync.ledger.tree import Tree, leaf_hash
from sync.record.event import Event
from sync.record.hearing import Hearing

S = 1_000_000_000


def event(number: int, kind: str, at_s: float, **body: Any) -> Event:
    return Event(number, "h", kind, int(at_s * S), int((1000 + at_s) * S), body)


def segment(number: int, track: str, index: int, from_s: float, to_s: float) -> Event:
    return event(
        number, "segment", to_s, track=track, index=index, file=f"{track}/{index:05}.mp4", bytes=100, sha256="0" * 64,
        sm3="0" * 64, from_ns=int(from_s * S), to_ns=int(to_s * S), fragments=1, mime="",
    )  # fmt: skip


def hearing_events() -> list[Event]:
    return [
        event(1, "open", 10, tracks=[{"id": "judge"}, {"id": "mics"}]),
        segment(2, "judge", 0, 9, 15),
        segment(3, "mics", 0, 10, 15),
        event(5, "pause", 15, reason="recess"),
        event(6, "resume", 20),
        segment(8, "judge", 1, 19.5, 25.5),
        event(9, "close", 25),
        segment(10, "mics", 1, 20, 24),
        event(11, "gap", 26, track="mics", from_ns=24 * S, to_ns=25 * S, why="拔出"),
        event(12, "utterance", 27, id="u", seat="a", role="b", start_ns=11 * S, end_ns=12 * S, text="好"),
    ]


def sealed(events: list[Event], index: int = 0, **changes: Any) -> list[Event]:
    tree = Tree()
    for one in events:
        tree.append(leaf_hash(leaf_of(one)))
    body = {**body_of(index, tree, events, words_complete=True), **changes}
    return [*events, event(events[-1].number + 1, "seal", 30, **body)]


def judge(events: list[Event]) -> Any:
    return check(events, [leaf_hash(leaf_of(e)) for e in events])


def test_a_seal_counts_everything_before_it() -> None:
    assert totals(hearing_events()) == {
        "tracks": {
            "judge": {"segments": 2, "bytes": 200, "media_ns": 12 * S, "gaps": 0, "gap_ns": 0},
            "mics": {"segments": 2, "bytes": 200, "media_ns": 9 * S, "gaps": 1, "gap_ns": S},
        },
        **{"pauses": 1, "pause_ns": 5 * S, "utterances": 1, "revisions": 0, "exhibits": 0},
        **{"presentations": 0, "marks": 0, "opened_utc_ns": 1010 * S, "closed_utc_ns": 1025 * S},
    }


def test_an_honest_seal_is_believed_and_late_words_are_sealed_again() -> None:
    assert judge(hearing_events()) is None
    once = sealed(hearing_events())
    assert (judge(once).index, judge(once).leaves) == (0, 10)
    late = event(20, "utterance", 31, id="u2", seat="a", role="b", start_ns=13 * S, end_ns=14 * S, text="对")
    assert judge([*once, late]).index == 0
    twice = sealed([*once, late], 1)
    assert (judge(twice).index, judge(twice).leaves) == (1, 12)


@pytest.mark.parametrize(
    "change",
    [{"index": 1}, {"leaves": 9}, {"root": "0" * 64}, {"marks": 1}, {"pause_ns": 0}, {"tracks": {}}, {"marks": "0"}],
)
def test_a_seal_that_says_anything_else_is_false(change: dict[str, Any]) -> None:
    with pytest.raises(LedgerError):
        judge(sealed(hearing_events(), **change))


def test_media_after_the_seal_and_a_seal_before_the_close_are_false() -> None:
    once = sealed(hearing_events())
    with pytest.raises(LedgerError, match="after the seal"):
        judge([*once, segment(30, "mics", 2, 24, 25)])
    with pytest.raises(LedgerError, match="before it is closed"):
        judge(sealed(hearing_events()[:6]))


@pytest.mark.parametrize("left_out", range(1, 10))
def test_a_leaf_that_was_left_out_breaks_the_seal(left_out: int) -> None:
    events = sealed(hearing_events())
    with pytest.raises(LedgerError):
        judge(events[:left_out] + events[left_out + 1 :])


def test_a_track_that_is_neither_kept_nor_declared_holds_the_seal_back() -> None:
    events = hearing_events()
    assert missing(Hearing.of("h", events)) == {}
    assert missing(Hearing.of("h", events[:-2])) == {"mics": [(24 * S, 25 * S)]}
    assert missing(Hearing.of("h", [e for e in events if e.number != 3])) == {"mics": [(10 * S, 15 * S)]}
    almost = replace(events[8], body={**events[8].body, "from_ns": 24 * S + 9_000_000})
    assert missing(Hearing.of("h", [*events[:8], almost])) == {}
    assert set(missing(Hearing.of("h", events[:5]))) == {"judge", "mics"}
