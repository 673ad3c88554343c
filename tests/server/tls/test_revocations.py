"""What has to follow a revocation is tried until it is done, whatever fails meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from server.tls.revocations import AGAIN_S, RETRY_MOST_S, Revocations
from sync.errors import ConfigError, LedgerError
from tests.support.peers.center_peers import until

ROOM, OTHER = "court1/c03", "court1/c04"


class Failing:
    """A disk and a broker that refuse so often as the test says; time passes at once."""

    def __init__(self) -> None:
        self.faults: list[Exception] = []
        self.lines: list[Exception | bool] = []
        self.list: frozenset[int] = frozenset()
        self.ended = Counter[str]()
        self.pauses: list[float] = []
        self.listed_first: set[str] = set()
        self.revocations = Revocations(self.write, self.end_line, sleep=self.sleep)

    async def write(self, serials: frozenset[int]) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.list = serials

    async def end_line(self, room: str) -> bool:
        fault = self.lines.pop(0) if self.lines else True
        if isinstance(fault, Exception):
            raise fault
        if fault:
            self.ended[room] += 1
            if self.list:
                self.listed_first.add(room)
        return fault

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


@pytest_asyncio.fixture
async def court() -> AsyncIterator[Failing]:
    failing = Failing()
    running = asyncio.create_task(failing.revocations.run())
    yield failing
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("fault", [ConfigError("read only"), OSError(28, "no space"), RuntimeError("a defect")])
async def test_a_list_that_could_not_be_written_is_written_later_and_the_line_ended_after_it(
    court: Failing, fault: Exception
) -> None:
    court.faults = [fault] * 4
    with capture_logs() as logs:
        court.revocations.changed(frozenset({5}), frozenset({ROOM}))
        assert not court.revocations.is_idle
        await until(lambda: court.revocations.is_idle)
    assert court.list == {5}
    assert court.ended[ROOM] >= len(AGAIN_S)
    assert court.listed_first == {ROOM}, "ended also after the broker could know"
    assert [one["event"] for one in logs].count("revocations_not_written") == 4
    assert max(court.pauses) <= RETRY_MOST_S


@pytest.mark.parametrize(
    "fault", [False, ConfigError("no key"), OSError(13, "denied"), LedgerError("x"), RuntimeError()]
)
async def test_a_line_that_could_not_be_ended_is_ended_later(court: Failing, fault: Exception | bool) -> None:
    court.lines = [fault] * 20
    with capture_logs() as logs:
        court.revocations.changed(frozenset({5}), frozenset({ROOM, OTHER}))
        await until(lambda: court.revocations.is_idle)
    assert court.ended == {ROOM: len(AGAIN_S), OTHER: len(AGAIN_S)}
    assert len([one for one in logs if one["event"] == "line_not_ended" and "why" in one]) == 20


async def test_a_certificate_that_ends_while_the_broker_is_away_has_its_line_ended_when_it_is_back(
    court: Failing,
) -> None:
    court.lines = [False, OSError(111, "refused")] * 5
    court.revocations.ended(frozenset({ROOM}))
    await until(lambda: court.revocations.is_idle)
    assert court.ended == {ROOM: 1}


async def test_what_is_revoked_while_a_list_waits_is_in_the_list_that_is_written(court: Failing) -> None:
    court.faults = [OSError(28, "no space")] * 3
    court.revocations.changed(frozenset({5}), frozenset({ROOM}))
    await until(lambda: len(court.faults) < 3)
    court.revocations.changed(frozenset({5, 6}), frozenset({OTHER}))
    await until(lambda: court.revocations.is_idle)
    assert court.list == {5, 6}
    assert court.listed_first == {ROOM, OTHER}
