"""Which fragments are kept, and what is declared missing, whatever order the world chooses."""

from __future__ import annotations

from dataclasses import dataclass, field

from recorder.capture.fragment import StampedFragment
from recorder.storage.gaps import MissingSpan
from recorder.storage.selector import FragmentSelector
from recorder.storage.stretch import Stretch
from tests.support.files.made_fragments import S, fragment


@dataclass
class Bench:
    """A selector whose disk is instant, unless `broken`."""

    kept: list[float] = field(default_factory=list)
    missing: list[MissingSpan] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)
    broken: bool = False
    preroll_s: int = 0
    line: int = 1_000_000

    def __post_init__(self) -> None:
        self.selector = FragmentSelector(self._offer, self._finish, self.missing.append, self.preroll_s * S)
        self.room_in_line = self.line

    def _offer(self, hearing: str, one: StampedFragment) -> bool:
        if self.broken or not self.room_in_line:
            return False
        self.room_in_line -= 1
        self.kept.append(one.from_ns / S)
        self.selector.kept(hearing, one)
        return True

    def _finish(self, hearing: str, until_ns: int) -> bool:
        self.finished.append(until_ns / S)
        self.selector.finished(hearing, until_ns)
        return True

    def run(self, from_s: float, to_s: float) -> None:
        """Media with a key frame every second."""
        for quarter in range(int(from_s * 4), int(to_s * 4)):
            self.selector.fragment(fragment(quarter / 4, quarter % 4 == 0))

    def gaps(self) -> list[tuple[float, float]]:
        return [(m.from_ns / S, m.to_ns / S) for m in self.missing]


def stretch(from_s: float, to_s: float | None = None) -> Stretch:
    return Stretch(int(from_s * S), None if to_s is None else int(to_s * S))


def test_nothing_is_kept_without_a_hearing() -> None:
    bench = Bench()
    bench.run(0, 10)
    assert bench.kept == []


def test_it_begins_with_the_last_key_frame_before_the_opening() -> None:
    bench = Bench()
    bench.run(0, 10)
    bench.selector.want("h", [stretch(8.6)], ended=False)
    assert bench.kept[0] == 8.0
    bench.run(10, 12)
    assert bench.kept[-1] == 11.75
    assert bench.missing == []


def test_a_pause_ends_one_stretch_and_resume_begins_another() -> None:
    bench = Bench()
    bench.run(0, 5)
    bench.selector.want("h", [stretch(4.5)], ended=False)
    bench.run(5, 7)
    bench.selector.want("h", [stretch(4.5, 6.9)], ended=False)
    bench.run(7, 9)
    bench.selector.want("h", [stretch(4.5, 6.9), stretch(8.6)], ended=False)
    bench.run(9, 10)
    bench.selector.want("h", [stretch(4.5, 6.9), stretch(8.6, 9.9)], ended=True)
    bench.run(10, 11)
    assert bench.finished == [6.9, 9.9]
    assert bench.kept == [x / 4 for x in range(16, 28)] + [x / 4 for x in range(32, 40)]
    assert bench.missing == []
    assert bench.selector.is_done("h")


def test_a_hole_in_the_media_is_declared_with_its_reason() -> None:
    bench = Bench()
    bench.run(0, 5)
    bench.selector.want("h", [stretch(4.0)], ended=False)
    bench.selector.trouble(5 * S, "设备进程退出")
    bench.run(8, 9)
    assert bench.gaps() == [(5.0, 8.0)]
    assert bench.missing[0].why == "设备进程退出"


def test_a_hole_across_a_pause_is_declared_only_where_something_was_wanted() -> None:
    bench = Bench()
    bench.run(0, 5)
    bench.selector.want("h", [stretch(4.0)], ended=False)
    bench.selector.want("h", [stretch(4.0, 6.0), stretch(8.0)], ended=False)
    bench.selector.tick(20 * S)
    bench.run(9, 10)
    assert bench.gaps() == [(5.0, 6.0), (8.0, 9.0)]


def test_a_track_that_never_came_is_missing_from_open_to_close() -> None:
    bench = Bench()
    bench.selector.want("h", [stretch(4.0)], ended=False)
    bench.selector.tick(50 * S)
    bench.selector.want("h", [stretch(4.0, 60.0)], ended=True)
    bench.selector.tick(61 * S)
    assert bench.missing == []  # it may still arrive
    bench.selector.tick(64 * S)
    assert bench.gaps() == [(4.0, 60.0)]
    assert bench.selector.is_done("h")


def test_a_disk_that_refuses_is_a_gap() -> None:
    bench = Bench()
    bench.run(0, 5)
    bench.selector.want("h", [stretch(4.0)], ended=False)
    bench.broken = True
    bench.run(5, 7)
    bench.broken = False
    bench.run(7, 8)
    assert bench.gaps() == [(5.0, 7.0)]
    assert bench.missing[0].why == "磁盘写入过慢"


def test_after_a_restart_only_what_is_not_covered_is_missing() -> None:
    bench = Bench()
    bench.selector.want("h", [stretch(4.0)], ended=False, covered_ns=9 * S)
    bench.run(11, 12)
    assert bench.gaps() == [(9.0, 11.0)]


def test_one_hearing_follows_another_without_a_look_between() -> None:
    bench = Bench()
    bench.run(0, 5)
    bench.selector.want("a", [stretch(4.0)], ended=False)
    bench.run(5, 6)
    bench.selector.want("a", [stretch(4.0, 6.5)], ended=True)
    bench.selector.want("b", [stretch(7.0)], ended=False)
    bench.run(6, 9)
    assert bench.kept == [x / 4 for x in range(16, 26)] + [x / 4 for x in range(28, 36)]
    assert bench.missing == []
    assert bench.selector.wanting


def test_a_close_during_a_pause_ends_the_hearing() -> None:
    bench = Bench()
    bench.run(0, 5)
    bench.selector.want("h", [stretch(4.0)], ended=False)
    bench.selector.want("h", [stretch(4.0, 4.9)], ended=False)
    bench.run(5, 6)
    bench.selector.want("h", [stretch(4.0, 4.9)], ended=True)
    assert bench.selector.is_done("h")
    assert not bench.selector.wanting


def preroll(from_s: float, before_s: float, to_s: float | None = None) -> Stretch:
    return Stretch(int(from_s * S), None if to_s is None else int(to_s * S), int(before_s * S))


def test_a_preroll_becomes_part_of_the_record_at_the_opening() -> None:
    bench = Bench(preroll_s=5)
    bench.run(0, 10)
    assert bench.kept == []
    bench.selector.want("h", [preroll(9.6, 5)], ended=False)
    assert bench.kept[0] == 4.0
    bench.run(10, 12)
    assert bench.kept == [x / 4 for x in range(16, 48)]
    assert bench.missing == []


def test_a_preroll_that_is_not_there_because_the_recorder_just_began_is_no_gap() -> None:
    bench = Bench(preroll_s=10)
    bench.run(7, 10)
    bench.selector.want("h", [preroll(9.6, 10)], ended=False)
    bench.run(10, 11)
    assert bench.kept[0] == 7.0
    assert bench.missing == []


def test_a_hole_inside_of_a_preroll_is_a_gap() -> None:
    bench = Bench(preroll_s=10)
    bench.run(2, 4)
    bench.selector.trouble(4 * S, "设备进程退出")
    bench.run(6, 9)
    bench.selector.want("h", [preroll(9, 8)], ended=False)
    bench.run(9, 10)
    assert bench.kept[0] == 2.0
    assert bench.gaps() == [(4.0, 6.0)]


def test_a_resume_has_no_preroll() -> None:
    bench = Bench(preroll_s=10)
    bench.run(0, 5)
    bench.selector.want("h", [preroll(4.5, 2, 5.0), stretch(20.0)], ended=False)
    bench.run(5, 22)
    assert [x for x in bench.kept if 5 <= x < 20] == []
    assert bench.missing == []


def test_a_writer_that_is_busy_with_the_preroll_gets_the_rest_a_little_later() -> None:
    bench = Bench(preroll_s=10, line=20)
    bench.run(0, 12)
    bench.selector.want("h", [preroll(11.9, 10)], ended=False)
    for _ in range(3):
        bench.room_in_line = 20
        bench.selector.tick(12 * S)
    assert bench.kept == [x / 4 for x in range(4, 48)]
    assert bench.missing == []


def test_a_gap_has_the_reason_that_is_nearest_to_it() -> None:
    bench = Bench()
    bench.selector.want("h", [stretch(1)], ended=False)
    bench.run(0, 5)
    bench.selector.trouble(int(2.5 * S), "画面来不及绘制")
    bench.selector.trouble(int(5.1 * S), "设备进程退出")
    bench.selector.trouble(int(5.5 * S), "其后的麻烦")
    bench.run(7, 8)
    assert bench.gaps() == [(5.0, 7.0)]
    assert bench.missing[0].why == "设备进程退出"


def test_what_an_earlier_life_has_is_no_gap_though_it_was_learned_later() -> None:
    bench = Bench()
    bench.selector.wait_for_log()
    bench.run(11, 20)
    bench.selector.want("h", [stretch(4.0)], ended=False, covered_ns=0)
    bench.selector.informed()
    bench.missing.clear()  # counted at once here; the recorder waits with it
    late = Bench()
    late.selector.want("h", [stretch(4.0)], ended=False)
    late.selector.covered("h", 9 * S)
    late.run(11, 12)
    assert bench.kept[0] == 11.0, "nothing that came before it was asked for is lost"
    assert late.gaps() == [(9.0, 11.0)]
    late.selector.covered("nobody", 9 * S)
    assert [late.selector.wants(name) for name in ("h", "nobody")] == [True, False]


def test_a_hearing_that_was_over_is_declared_beside_the_one_that_is_open() -> None:
    bench = Bench()
    bench.selector.want("b", [stretch(10.0)], ended=False)
    bench.run(10, 12)
    bench.selector.missed("a", [stretch(1.0, 3.0), stretch(5.0, 7.0)], covered_ns=2 * S)
    assert [(m.hearing, m.from_ns // S, m.to_ns // S) for m in bench.missing] == [("a", 2, 3), ("a", 5, 7)]
    assert bench.finished == [], "no file of the other one was ended for it"
    bench.run(12, 13)
    assert bench.kept == [x / 4 for x in range(40, 52)]


def test_a_hearing_that_is_over_and_whole_is_not_begun_anew_by_whoever_hears_of_it_late() -> None:
    bench = Bench()
    bench.run(0, 5)
    bench.selector.want("h", [stretch(4.0)], ended=False)
    bench.selector.want("h", [stretch(4.0, 4.9)], ended=True)
    bench.run(5, 6)
    assert bench.selector.is_done("h")
    kept = list(bench.kept)
    bench.selector.want("h", [stretch(4.0, 4.9)], ended=True, covered_ns=4 * S)
    bench.run(6, 7)
    assert bench.kept == kept
    assert bench.selector.wants("h")
    assert bench.missing == []


def test_nor_is_one_that_only_waits_for_the_disk() -> None:
    orders: list[tuple[str, float]] = []
    missing: list[MissingSpan] = []

    def offer(hearing: str, one: StampedFragment) -> bool:
        orders.append((hearing, one.from_ns / S))
        return True

    def finish(hearing: str, until_ns: int) -> bool:
        orders.append((hearing, -1))
        return True

    selector = FragmentSelector(offer, finish, missing.append)
    for quarter in range(24):
        selector.fragment(fragment(quarter / 4, quarter % 4 == 0))
        selector.want("h", [stretch(4.0) if quarter < 22 else stretch(4.0, 4.9)], ended=quarter >= 22)
    assert orders[-1] == ("h", -1)
    told = list(orders)
    selector.want("h", [stretch(4.0, 4.9)], ended=True)
    selector.fragment(fragment(6, True))
    assert orders == told
    selector.covered("h", 2 * S)
    selector.kept("h", fragment(4, True))
    selector.finished("h", int(4.9 * S))
    assert selector.is_idle
