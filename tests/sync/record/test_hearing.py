"""The fold of a hearing does not depend on how its events arrive."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync.record.event import Event
from sync.record.hearing import Hearing, State
from sync.record.milliseconds import event_to_ms

EXHIBIT = {"id": "e1", "number": 1, "title": "借条", "filename": "iou.pdf", "media_type": "application/pdf"}
EXHIBIT |= {"sha256": "0" * 64, "bytes": 10, "pages": 2}
PRESENT = {"exhibit": "e1", "page": 1, "zoom": 1.0, "x": 0.5, "y": 0.5}
PICTURE = {"page": 1, "scale": 1, "width": 9, "height": 12, "bytes": 3, "sha256": "1" * 64}
SAID = {"seat": "judge", "role": "审判长", "text": "现在开庭", "confidence": 0.9, "words": []}
STORY: list[tuple[str, dict[str, Any]]] = [
    ("open", {"case": {"case_no": "1"}, "seats": [], "tracks": []}),
    ("exhibit", EXHIBIT),
    ("present", PRESENT),
    ("utterance", {**SAID, "id": "u2", "start_ns": 200, "end_ns": 300}),
    ("utterance", {**SAID, "id": "u1", "start_ns": 100, "end_ns": 400}),
    ("present", {**PRESENT, "page": 2}),
    ("alarm", {"code": "x", "subject": "y", "text": "z"}),
    ("alarm", {"code": "x", "subject": "y", "text": "z", "cleared": True}),
    ("pause", {"reason": "mediation"}),
    ("resume", {}),
    ("mark", {"id": "m1", "kind": "举证", "text": ""}),
    ("gap", {"track": "bench", "from_ns": 1, "to_ns": 2, "why": "killed"}),
    ("segment", {"track": "bench", "index": 0, "file": "f", "bytes": 1, "sha256": "s", "from_ns": 1, "to_ns": 2}),
    ("clock", {"by_ns": 5, "source": "chrony"}),
    ("something-new", {"of": "a later version"}),
    ("close", {}),
    ("drawn", {"exhibit": "e1", "of": "0" * 64, "pictures": [PICTURE, {**PICTURE, "scale": 2}]}),
]
EVENTS = [Event(n, "h", kind, n * 1000, n * 1000, body) for n, (kind, body) in enumerate(STORY, start=1)]
WHOLE = Hearing.of("h", EVENTS).to_json()


@given(st.randoms(use_true_random=False), st.integers(0, 20))
def test_duplicates_and_any_order_give_the_same_hearing(chance: random.Random, twice: int) -> None:
    events = EVENTS + chance.choices(EVENTS, k=twice)
    chance.shuffle(events)
    assert Hearing.of("h", events).to_json() == WHOLE


@given(st.integers(0, len(EVENTS)))
def test_a_replay_in_the_middle_changes_nothing(at: int) -> None:
    view = Hearing("h")
    for event in EVENTS[:at] + EVENTS:
        view.apply(event)
    assert view.to_json() == WHOLE


def test_the_story_is_told_as_it_was() -> None:
    view = Hearing.of("h", EVENTS)
    assert view.state is State.CLOSED
    assert [(p.from_ns, p.to_ns, p.page) for p in view.presentations] == [(3000, 6000, 1), (6000, 9000, 2)]
    assert [(p.from_ns, p.to_ns, p.reason) for p in view.pauses] == [(9000, 10000, "mediation")]
    assert [u.id for u in view.utterances] == ["u1", "u2"]
    assert view.alarms[0].cleared_ns == 8000
    assert view.presented is None


def test_screens_get_milliseconds_only() -> None:
    def keys(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [k for key, item in value.items() for k in (key, *keys(item))]
        return [k for item in value for k in keys(item)] if isinstance(value, list) else []

    assert not [k for k in keys(WHOLE) if k.endswith("_ns")]
    assert event_to_ms(EVENTS[11])["body"]["to_ms"] == 2 / 1_000_000


def test_a_record_begins_where_its_preroll_does_and_never_long_before() -> None:
    def opened(**body: Any) -> Hearing:
        return Hearing.of("h", [Event(1, "h", "open", 100_000_000_000, 0, body)])

    assert opened().recorded_from_ns == 100_000_000_000
    assert opened(from_ns=95_000_000_000).recorded_from_ns == 95_000_000_000
    assert opened(from_ns=1).recorded_from_ns == 90_000_000_000
    assert opened(from_ns=200_000_000_000).recorded_from_ns == 100_000_000_000


def test_the_first_picture_of_a_page_is_the_one_that_was_shown() -> None:
    view = Hearing.of("h", EVENTS)
    again = {"exhibit": "e1", "of": "0" * 64, "pictures": [{**PICTURE, "sha256": "2" * 64}, {**PICTURE, "page": 3}]}
    view.apply(Event(90, "h", "drawn", 0, 0, again))
    view.apply(Event(91, "h", "drawn", 0, 0, {**again, "exhibit": "unknown"}))
    assert {place: picture["sha256"] for place, picture in view.pictures["e1"].items()} == {
        (1, 1): "1" * 64,
        (1, 2): "1" * 64,
    }
    assert view.exhibits[0].drawn == 1
