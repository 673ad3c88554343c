"""Room time does not care what happens to the system clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.errors import ConfigError
from sync.room.clock import NOTED_NS, STEP_NS, ClockMap, RoomClock
from sync.runtime.units import NS_PER_S


class FakeClock:
    def __init__(self, monotonic_ns: int = 5 * NS_PER_S, utc_ns: int = 1_800_000_000 * NS_PER_S) -> None:
        self.mono, self.utc = monotonic_ns, utc_ns

    def monotonic_ns(self) -> int:
        return self.mono

    def utc_ns(self) -> int:
        return self.utc

    def pass_s(self, seconds: float) -> None:
        self.mono += int(seconds * NS_PER_S)
        self.utc += int(seconds * NS_PER_S)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clock.json"


def test_a_step_of_the_system_clock_does_not_move_room_time(path: Path) -> None:
    fake = FakeClock()
    clock = RoomClock.open(path, fake, lambda: "boot-1")
    before = clock.now_ns()
    fake.utc -= 3600 * NS_PER_S
    fake.pass_s(1)
    assert clock.now_ns() - before == NS_PER_S


def test_two_processes_agree_to_the_nanosecond(path: Path) -> None:
    fake = FakeClock()
    first = RoomClock.open(path, fake, lambda: "boot-1")
    fake.pass_s(100)
    fake.utc += 7 * NS_PER_S
    second = RoomClock.open(path, fake, lambda: "boot-1")
    assert first.now_ns() == second.now_ns()


def test_a_reboot_continues_the_line_by_utc(path: Path) -> None:
    fake = FakeClock()
    clock = RoomClock.open(path, fake, lambda: "boot-1")
    fake.pass_s(10)
    last = clock.now_ns()
    after = FakeClock(monotonic_ns=1, utc_ns=fake.utc + 60 * NS_PER_S)
    assert RoomClock.open(path, after, lambda: "boot-2").now_ns() == last + 60 * NS_PER_S


def test_a_reboot_into_1970_does_not_run_backwards(path: Path) -> None:
    fake = FakeClock()
    fake.pass_s(10)
    RoomClock.open(path, fake, lambda: "boot-1")
    fake.pass_s(10)
    last = RoomClock.open(path, fake, lambda: "boot-1").now_ns()
    assert RoomClock.open(path, FakeClock(1, 0), lambda: "boot-2").now_ns() >= last


def test_a_step_begins_a_new_piece_of_the_map_and_changes_no_old_one(path: Path) -> None:
    fake = FakeClock()
    clock = RoomClock.open(path, fake, lambda: "boot-1")
    utc = ClockMap(clock)
    early, early_utc = clock.now_ns(), fake.utc
    fake.pass_s(10)
    fake.utc += 5 * NS_PER_S
    step = utc.poll()
    assert step is not None
    assert step.by_ns == 5 * NS_PER_S
    assert utc.utc_ns(early) == early_utc
    assert utc.utc_ns(clock.now_ns()) == fake.utc


def test_slewing_by_ntp_is_no_step(path: Path) -> None:
    fake = FakeClock()
    utc = ClockMap(RoomClock.open(path, fake, lambda: "boot-1"))
    fake.utc += STEP_NS // 2
    assert utc.poll() is None


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"epoch_utc_ns": 1}', '{"epoch_utc_ns": 1, "last_room_ns": "x", "boots": {}}']
)
def test_a_damaged_file_is_said_and_no_line_is_guessed(path: Path, damage: str) -> None:
    RoomClock.open(path, FakeClock(), lambda: "boot-1")
    path.write_text(damage, encoding="utf-8")
    with pytest.raises(ConfigError, match="damaged"):
        RoomClock.open(path, FakeClock(), lambda: "boot-1")


def test_who_runs_writes_a_damaged_file_anew(path: Path) -> None:
    fake = FakeClock()
    clock = RoomClock.open(path, fake, lambda: "boot-1")
    path.write_text("{", encoding="utf-8")
    fake.pass_s(5)
    clock.note(path)
    again = RoomClock.open(path, fake, lambda: "boot-1")
    assert again.now_ns() == clock.now_ns()
    path.unlink()
    clock.note(path)
    assert RoomClock.open(path, fake, lambda: "boot-1").now_ns() == clock.now_ns()


def test_a_clock_that_was_noted_lately_is_read_without_waiting_for_the_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeClock()
    fake.pass_s(10)
    first = RoomClock.open(path, fake, lambda: "boot-1")
    fake.pass_s(1)
    first.note(path)
    monkeypatch.setattr("sync.room.clock.replace_file", lambda *_: pytest.fail("it was written"))
    monkeypatch.setattr("sync.room.clock.fcntl.flock", lambda *_: pytest.fail("it was waited for"))
    fake.pass_s(NOTED_NS // NS_PER_S - 1)
    assert RoomClock.open(path, fake, lambda: "boot-1").now_ns() == first.now_ns()
    fake.pass_s(1000)  # who notes it himself need not do so before he is asked for the time
    assert RoomClock.open(path, fake, lambda: "boot-1", noted=True).now_ns() == first.now_ns()


def test_a_clock_that_nobody_noted_for_long_is_noted_when_it_is_opened(path: Path) -> None:
    fake = FakeClock()
    fake.pass_s(10)
    RoomClock.open(path, fake, lambda: "boot-1")
    fake.pass_s(1000)
    last = RoomClock.open(path, fake, lambda: "boot-1").now_ns()
    assert RoomClock.open(path, FakeClock(1, 0), lambda: "boot-2", noted=True).now_ns() >= last
