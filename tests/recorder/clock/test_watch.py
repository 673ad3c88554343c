"""What a hearing's log says of UTC: its worth at the beginning, steps, and a source that changes."""

from __future__ import annotations

from recorder.clock.chrony import ClockSource, parse_tracking
from recorder.clock.watch import ClockWatch
from sync.record.bodies.media import ClockBody
from sync.record.event import Event
from sync.room.clock import ClockMap, RoomClock
from sync.runtime.units import NS_PER_MS, NS_PER_S

HOUR_NS = 3600 * NS_PER_S
TRACKING = "C0A80001,192.168.0.1,2,1.0,0.000200000,0.1,0.1,1.0,0.0,0.1,0.004000000,0.001000000,64.2,Normal"


class Machine:
    """A clock to turn, a chrony to set, and the events that were published."""

    def __init__(self) -> None:
        self.mono, self.utc = 0, 1_800_000_000 * NS_PER_S
        self.source = ClockSource("chrony", 3.2)
        self.published: list[tuple[ClockBody, str]] = []
        self.begin()

    def begin(self) -> None:
        """The service starts (again)."""
        self.clock = RoomClock(0, self)
        self.map = ClockMap(self.clock)
        self.watch = ClockWatch(self.map, lambda body, hearing: self.published.append((body, hearing)), self.ask)

    def monotonic_ns(self) -> int:
        return self.mono

    def utc_ns(self) -> int:
        return self.utc

    async def ask(self) -> ClockSource:
        return self.source

    async def seconds(self, count: int, hearing: str | None) -> None:
        for _ in range(count):
            self.mono += NS_PER_S
            self.utc += NS_PER_S
            await self.watch.poll(hearing)


async def test_a_hearing_begins_with_what_its_utc_is_worth_and_tells_it_once() -> None:
    machine = Machine()
    await machine.seconds(5, None)
    assert machine.published == []
    await machine.seconds(100, "h-1")
    assert machine.published == [({"by_ns": 0, "source": "chrony", "error_ms": 3.2}, "h-1")]
    await machine.seconds(1, "h-2")
    assert machine.published[1][1] == "h-2"


async def test_a_step_is_told_with_its_size_and_moves_no_earlier_moment() -> None:
    machine = Machine()
    await machine.seconds(5, "h-1")
    early, early_utc = machine.mono, machine.utc
    machine.utc -= HOUR_NS
    await machine.seconds(5, "h-1")
    assert [body["by_ns"] for body, _ in machine.published] == [0, -HOUR_NS]
    assert machine.map.utc_ns(early) == early_utc
    assert machine.map.utc_ns(machine.mono) == machine.utc


async def test_a_leap_second_is_a_step_of_one_second() -> None:
    machine = Machine()
    await machine.seconds(3, "h-1")
    machine.utc -= NS_PER_S  # 23:59:60 is 23:59:59 once more
    await machine.seconds(3, "h-1")
    assert machine.published[-1][0]["by_ns"] == -NS_PER_S


async def test_small_settings_of_the_clock_are_followed_and_told_when_they_come_to_something() -> None:
    machine = Machine()
    await machine.seconds(1, "h-1")
    for _ in range(4):
        machine.utc += 6 * NS_PER_MS
        await machine.seconds(1, "h-1")
        assert machine.map.utc_ns(machine.mono) == machine.utc
    assert [body["by_ns"] for body, _ in machine.published] == [0, 24 * NS_PER_MS]


async def test_a_process_that_is_interrupted_between_the_clocks_sees_no_step() -> None:
    machine = Machine()
    await machine.seconds(1, "h-1")
    readings = 0

    def interrupted() -> int:
        nonlocal readings
        readings += 1
        if readings == 1:  # the first time, half a second passes before UTC is read
            machine.mono += NS_PER_S // 2
            machine.utc += NS_PER_S // 2
        return machine.utc

    machine.utc_ns = interrupted  # type: ignore[method-assign] # the machine's own clock, slow once
    await machine.seconds(1, "h-1")
    assert readings > 1
    assert len(machine.published) == 1
    assert machine.map.utc_ns(machine.mono) == machine.utc


async def test_a_source_that_is_lost_or_much_worse_is_told() -> None:
    machine = Machine()
    await machine.seconds(1, "h-1")
    machine.source = ClockSource("chrony", 3.9)
    await machine.seconds(60, "h-1")
    machine.source = ClockSource("chrony", 40.0)
    await machine.seconds(60, "h-1")
    machine.source = ClockSource()
    await machine.seconds(60, "h-1")
    assert [(body["source"], body["error_ms"]) for body, _ in machine.published] == [
        ("chrony", 3.2),
        ("chrony", 40.0),
        ("free-running", None),
    ]
    assert all(body["by_ns"] == 0 for body, _ in machine.published)


async def test_a_step_while_the_recorder_was_away_is_found_when_it_comes_back() -> None:
    machine = Machine()
    await machine.seconds(1, "h-1")
    events = [Event(1, "h-1", "clock", machine.mono, machine.utc, machine.published[0][0])]
    machine.utc += HOUR_NS
    machine.begin()
    machine.watch.recovered(events)
    await machine.seconds(3, "h-1")
    assert [body["by_ns"] for body, _ in machine.published] == [0, HOUR_NS]


def test_a_chrony_that_follows_only_itself_is_free_running() -> None:
    assert parse_tracking(TRACKING) == ClockSource("chrony", 3.2)
    assert parse_tracking("7F7F0101" + TRACKING[8:]) == ClockSource()
