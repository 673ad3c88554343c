"""What is missing of a track, from when to when, and why."""

from __future__ import annotations

from recorder.storage.gaps import MAX_TROUBLES, TOLERANCE_NS, UNKNOWN_WHY, Coverage, GapTracker, MissingSpan
from recorder.storage.stretch import Stretch

S = 1_000_000_000


class Tracked:
    """A tracker, and one hearing of it that was opened after ten seconds."""

    def __init__(self, *stretches: Stretch) -> None:
        self.missing: list[MissingSpan] = []
        self.gaps = GapTracker(self.missing.append)
        self.stretches = list(stretches) or [Stretch(10 * S)]
        self.coverage = Coverage("h", self.stretches[0].from_ns)

    def kept(self, from_s: float, to_s: float) -> None:
        self.gaps.kept(self.coverage, self.stretches, int(from_s * S), int(to_s * S))

    def finished(self, until_s: float) -> None:
        self.gaps.finished(self.coverage, self.stretches, int(until_s * S))

    def spans(self) -> list[tuple[float, float]]:
        return [(one.from_ns / S, one.to_ns / S) for one in self.missing]


def test_what_follows_closely_leaves_nothing_missing() -> None:
    tracked = Tracked()
    tracked.kept(9.5, 11)
    tracked.kept(11 + TOLERANCE_NS / S, 12)
    tracked.finished(12)
    assert tracked.missing == []


def test_a_hole_is_declared_once() -> None:
    tracked = Tracked()
    tracked.kept(10, 11)
    tracked.kept(13, 14)
    tracked.kept(14, 15)
    tracked.finished(16)
    assert tracked.spans() == [(11, 13), (15, 16)]
    assert {one.hearing for one in tracked.missing} == {"h"}


def test_nothing_is_missing_of_a_pause() -> None:
    tracked = Tracked(Stretch(10 * S, 12 * S), Stretch(20 * S))
    tracked.kept(10, 11)
    tracked.kept(21, 22)
    assert tracked.spans() == [(11, 12), (20, 21)]


def test_a_preroll_begins_where_there_is_some_and_a_hole_inside_of_it_counts() -> None:
    tracked = Tracked(Stretch(10 * S, preroll_ns=8 * S))
    tracked.kept(5, 6)
    tracked.kept(8, 9)
    tracked.kept(9, 11)
    assert tracked.spans() == [(6, 8)]


def test_an_earlier_life_covered_the_beginning() -> None:
    tracked = Tracked()
    tracked.coverage.until_ns = 15 * S
    tracked.kept(17, 18)
    assert tracked.spans() == [(15, 17)]


def test_the_reason_is_the_nearest_and_inside_of_the_gap_the_first() -> None:
    tracked = Tracked()
    tracked.kept(10, 20)
    for at_s, why in ((17.0, "before"), (20.5, "first"), (21.0, "second")):
        tracked.gaps.trouble(int(at_s * S), why)
    tracked.kept(22, 40)
    tracked.kept(46, 47)
    assert [one.why for one in tracked.missing] == ["first", UNKNOWN_WHY]


def test_what_stands_alone_makes_everything_before_it_forgotten() -> None:
    tracked = Tracked()
    tracked.kept(10, 20)
    tracked.gaps.trouble(20 * S, "early")
    tracked.gaps.trouble(24 * S, "off", alone=True)
    tracked.kept(23, 24)
    assert [one.why for one in tracked.missing] == ["off"]


def test_only_the_last_troubles_are_remembered() -> None:
    tracked = Tracked()
    tracked.kept(10, 20)
    tracked.gaps.trouble(21 * S, "forgotten")
    for _ in range(MAX_TROUBLES):
        tracked.gaps.trouble(0, "long ago")
    tracked.kept(22, 23)
    assert [one.why for one in tracked.missing] == [UNKNOWN_WHY]
