"""Which UTC the clock leaves allow: on either side of a step where nobody could say when it was, and no other."""

from __future__ import annotations

from sync.record.event import Event
from wutong.verify.steps.times import _off, _steps

S = 1_000_000_000


def leaf(number: int, kind: str, at_s: int, by_s: int = 0) -> Event:
    return Event(number, "h", kind, at_s * S, at_s * S, {"by_ns": by_s * S} if kind == "clock" else {})


def off_s(events: list[Event], at_s: int, by_s: int) -> float:
    return _off(at_s * S, by_s * S, 0, _steps(events)) / S


def test_a_step_that_is_told_at_once_is_known_to_seconds() -> None:
    events = [leaf(1, "open", 0), leaf(2, "segment", 60), leaf(3, "clock", 61, by_s=3600)]
    assert [off_s(events, at, 0) for at in (10, 49)] == [0, 0]
    assert [off_s(events, at, 3600) for at in (10, 49)] == [3600, 3600]
    assert [off_s(events, 61, by) for by in (0, 3600)] == [0, 0]
    assert [off_s(events, 72, by) for by in (0, 3600)] == [3600, 0]


def test_a_step_while_the_recorder_was_away_may_have_been_at_any_time_of_that() -> None:
    events = [leaf(1, "open", 0), leaf(2, "segment", 60), leaf(3, "present", 90), leaf(4, "clock", 300, by_s=-5)]
    assert [off_s(events, at, by) for at in (90, 200) for by in (0, -5)] == [0, 0, 0, 0]
    assert off_s(events, 200, -60) == 55
    assert (off_s(events, 20, -5), off_s(events, 320, 0)) == (5, 5)


def test_steps_come_one_after_the_other() -> None:
    events = [leaf(1, "open", 0), leaf(2, "segment", 60), leaf(3, "clock", 200, by_s=10), leaf(4, "clock", 201, by_s=7)]
    assert [off_s(events, 150, by) for by in (0, 10)] == [0, 0]
    assert off_s(events, 150, 17) == 7
    assert [off_s(events, 205, by) for by in (0, 10, 17)] == [0, 0, 0]
    assert [off_s(events, 230, by) for by in (0, 10, 17)] == [17, 7, 0]
