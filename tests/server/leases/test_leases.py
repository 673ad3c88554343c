"""Which process owns which shard: fair shares, no shard with two owners, tokens that only rise, clocks that differ."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, text

from server.leases.center_process import LEASE_S, CenterProcess
from server.leases.lease_keeper import MARGIN, LeaseKeeper
from server.leases.lease_rows import living
from server.leases.left_transactions import STILL, bound_session, end_transactions
from server.leases.shards import SHARDS, fair_share, shard_of
from server.store.database import Database, open_database
from sync.errors import ConfigError
from tests.support.peers.center_peers import until
from tests.support.peers.postgres_server import PostgresServer, migrated_database

pytestmark = pytest.mark.process

ROOMS = [f"court{court}/c{number:02}" for court in range(1, 5) for number in range(20)]


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    made = open_database(migrated_database(postgres))
    try:
        yield made
    finally:
        made.close()


class Turned:
    """A clock of a process that the test turns."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Seen:
    """A keeper, and what it has told of the rooms."""

    def __init__(self, database: Database, number: int, **more: Any) -> None:
        self.clock = Turned()
        mine = CenterProcess(number, f"http://127.0.0.1:{8800 + number}", **more)
        self.keeper = LeaseKeeper(database.engine, mine, ROOMS, clock_s=self.clock)
        self.told: set[str] = set()
        self.keeper.gained.add(self.told.update)
        self.keeper.lost.add(self.told.difference_update)

    def rooms(self) -> set[str]:
        owned = {room for room in ROOMS if self.keeper.owns(room)}
        assert owned <= self.told
        return owned

    async def rounds(self, count: int) -> None:
        """The clock goes on a little between them."""
        for _ in range(count):
            self.clock.now_s += 0.5
            await self.keeper.step()


@pytest.fixture
def several(database: Database) -> Iterator[list[Seen]]:
    made = [Seen(database, number) for number in (1, 2, 3)]
    yield made
    for one in made:
        one.keeper._thread.shutdown()


async def sql(database: Database, statement: str, **values: Any) -> list[Any]:
    def work(connection: Connection) -> list[Any]:
        found = connection.execute(text(statement), values)
        return list(found.all()) if found.returns_rows else []

    return await database.write(work)


def test_shards_are_the_same_at_every_process() -> None:
    found = {room: shard_of(room) for room in ("court1/c03", "court1/c04", "jianshan/c04")}
    assert found == {"court1/c03": 223, "court1/c04": 6, "jianshan/c04": 243}
    assert all(0 <= shard_of(room) < SHARDS for room in ROOMS)
    assert [fair_share(n) for n in (0, 1, 2, 3, 4, 256)] == [256, 256, 128, 86, 64, 1]


async def test_the_first_takes_all_and_gives_back_to_those_who_come(several: list[Seen]) -> None:
    first, second, third = several
    await first.keeper.start()
    assert first.rooms() == set(ROOMS)
    await second.keeper.start()
    assert second.rooms() == set(), "nothing is free yet"
    await first.rounds(1)
    await second.rounds(1)
    assert (first.keeper.count, second.keeper.count) == (128, 128)
    assert first.rooms() | second.rooms() == set(ROOMS)
    assert not first.rooms() & second.rooms()
    await third.keeper.start()
    for _ in range(2):
        for one in several:
            await one.rounds(1)
            assert sum(len(some.rooms()) for some in several) == len(set().union(*(some.rooms() for some in several)))
    assert sorted(one.keeper.count for one in several) == [84, 86, 86]
    assert set().union(*(one.rooms() for one in several)) == set(ROOMS)


async def test_who_ends_in_order_leaves_everything_to_the_others_at_once(several: list[Seen]) -> None:
    first, second, _ = several
    for _ in range(2):
        await first.keeper.step()
        await second.keeper.step()
    await first.keeper.stop()
    assert first.rooms() == set()
    await second.rounds(1)
    assert second.rooms() == set(ROOMS)


async def test_what_a_dead_process_owned_is_taken_when_its_lease_has_ended_and_not_before(
    several: list[Seen], database: Database
) -> None:
    first, second, _ = several
    await first.keeper.start()
    await second.keeper.start()
    await second.rounds(3)
    assert second.rooms() == set(), "it lives, as far as anybody knows"
    await sql(database, "UPDATE leases SET until_ms = 1; UPDATE center_processes SET until_ms = 1 WHERE number = 1")
    before = await sql(database, "SELECT shard, token FROM leases ORDER BY shard")
    await second.rounds(1)
    assert second.rooms() == set(ROOMS)
    after = await sql(database, "SELECT shard, token FROM leases ORDER BY shard")
    assert all(new.token == old.token + 1 for old, new in zip(before, after, strict=True))
    # The other wakes up: its own clock has told it long ago, and the database tells it again.
    first.clock.now_s += LEASE_S
    assert first.rooms() == set()
    await first.rounds(1)
    assert first.rooms() == set()


async def test_who_hears_nothing_of_the_database_stops_before_its_lease_can_have_ended(several: list[Seen]) -> None:
    first = several[0]
    await first.keeper.start()
    first.clock.now_s += LEASE_S * (1 - MARGIN) - 0.001
    assert first.rooms() == set(ROOMS)
    first.clock.now_s += 0.002
    assert first.rooms() == set()
    assert first.keeper.count == 0
    assert not first.keeper.owns_first()


async def test_after_an_outage_each_finds_its_own_again_before_anybody_takes_from_the_others(
    several: list[Seen], database: Database
) -> None:
    first, second, _ = several
    for _ in range(2):
        await first.keeper.step()
        await second.keeper.step()
    owned = first.rooms(), second.rooms()
    # Nobody has reached the database for a minute, by its clock and by theirs.
    await sql(database, "UPDATE leases SET until_ms = 1; UPDATE center_processes SET until_ms = 1")
    first.clock.now_s += 60
    second.clock.now_s += 60
    await first.keeper.step()
    await second.keeper.step()
    await first.rounds(2)
    assert (first.rooms(), second.rooms()) == owned


async def test_a_room_that_another_has_owned_in_between_is_told_as_lost_and_gained_anew(
    several: list[Seen], database: Database
) -> None:
    first = several[0]
    await first.keeper.start()
    heard: list[tuple[str, frozenset[str]]] = []
    first.keeper.gained.add(lambda rooms: heard.append(("gained", rooms)))
    first.keeper.lost.add(lambda rooms: heard.append(("lost", rooms)))
    room = ROOMS[7]
    same = frozenset(one for one in ROOMS if shard_of(one) == shard_of(room))
    await sql(database, "UPDATE leases SET token = token + 2 WHERE shard = :shard", shard=shard_of(room))
    await first.rounds(1)
    assert heard == [("lost", same), ("gained", same)]


async def test_two_of_one_number_are_refused_in_words_and_the_first_goes_on(
    several: list[Seen], database: Database
) -> None:
    first = several[0]
    await first.keeper.start()
    await first.keeper.step()
    twin = Seen(database, 1)
    twin.clock = Turned()
    # While it waits for the other one to be gone it has no share, so no room is without an owner for it.
    assert await twin.keeper._twin() == first.keeper.mine.name
    await first.rounds(2)
    assert await twin.keeper._twin() == first.keeper.mine.name
    assert first.keeper.count == SHARDS
    assert await sql(database, "SELECT count(*) FROM center_processes") == [(1,)]

    def hurried() -> float:
        twin.clock.now_s += 5
        return twin.clock.now_s

    twin.keeper._clock_s = hurried
    with pytest.raises(ConfigError, match="already"):
        await twin.keeper.start()
    await first.rounds(1)
    assert first.rooms() == set(ROOMS)


async def test_a_gateway_has_no_share_while_owners_come_and_die_and_has_a_number_of_its_own(
    several: list[Seen], database: Database
) -> None:
    first, second, _ = several
    gateway = Seen(database, 4, is_gateway=True)
    try:
        for _ in range(3):
            for one in (first, second, gateway):
                await one.rounds(1)
        assert [one.keeper.count for one in (first, second, gateway)] == [128, 128, 0]
        assert gateway.keeper.owner_of(ROOMS[0]) in {"http://127.0.0.1:8801", "http://127.0.0.1:8802"}
        await sql(database, "UPDATE leases SET until_ms = 1; UPDATE center_processes SET until_ms = 1 WHERE number < 3")
        for _ in range(3):
            await gateway.rounds(1)
        assert (gateway.rooms(), gateway.told, gateway.keeper.owner_of(ROOMS[0])) == (set(), set(), "")
        found = await sql(database, "SELECT count(*) FROM leases WHERE owner = :name", name=gateway.keeper.mine.name)
        assert found == [(0,)]
        assert await database.read(living) == [4]
    finally:
        gateway.keeper._thread.shutdown()


async def test_a_lease_lasts_as_long_as_its_process_says(several: list[Seen], database: Database) -> None:
    quick = Seen(database, 4, lease_s=2.0)
    try:
        assert await quick.keeper.step() <= 2 / 3
        quick.clock.now_s += 1.499
        assert quick.rooms() == set(ROOMS)
        quick.clock.now_s += 0.002
        assert quick.rooms() == set()
        left = "SELECT max(until_ms) - (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM leases"
        assert (await sql(database, left))[0][0] <= 2000
    finally:
        quick.keeper._thread.shutdown()


@pytest.mark.parametrize("idle", [True, False], ids=["between statements", "in a batch sent in part"])
async def test_what_a_process_that_lives_no_more_has_left_open_in_the_database_is_ended(
    several: list[Seen], database: Database, postgres: PostgresServer, *, idle: bool
) -> None:
    second = several[1]
    first, quick = Seen(database, 1, lease_s=2.0), Seen(database, 4, lease_s=2.0)
    name = first.keeper.mine.name
    lines = [psycopg.connect(postgres.url(str(database.engine.url.database))) for _ in range(3)]
    stuck, reading, of_another = lines
    ended: list[int] = []

    async def ends_of(lease_ms: int) -> None:
        ended.append(await database.write(lambda connection: end_transactions(connection, [name], lease_ms)))

    try:
        for line, seen in ((stuck, first), (reading, first), (of_another, second)):
            bound_session(line, seen.keeper.mine)
            line.execute("SET idle_in_transaction_session_timeout = 0")
            line.commit()
        await first.keeper.start()
        await second.keeper.start()
        with contextlib.suppress(psycopg.OperationalError), contextlib.ExitStack() as batch:
            if not idle:
                batch.enter_context(stuck.pipeline())
            stuck.execute("UPDATE rights_version SET version = version")
            if not idle:
                stuck.pgconn.send_flush_request()
                stuck.pgconn.flush()
            reading.execute("SELECT version FROM rights_version")
            of_another.execute("SELECT pg_current_xact_id()")  # as if it had written
            await sql(database, "SELECT pg_sleep(:still)", still=2.0 * STILL)
            ended.append((await quick.keeper._round()).ended)  # it lives
            await ends_of(3_600_000)  # and what is young may stand still
            await sql(database, "UPDATE center_processes SET until_ms = until_ms - 10000 WHERE name = :name", name=name)
            ended.append((await quick.keeper._round()).ended)
            await sql(database, "UPDATE rights_version SET version = version")  # nobody holds it any more
            ended.append((await quick.keeper._round()).ended)
            stuck.execute("SELECT 1")
        assert ended == [0, 0, 1, 0]
        assert stuck.closed
        assert reading.execute("SELECT 1").fetchone() == of_another.execute("SELECT 1").fetchone() == (1,)
    finally:
        for line in lines:
            line.close()
        for seen in (first, quick):
            seen.keeper._thread.shutdown()


async def test_what_is_said_to_rooms_is_stamped_by_the_clock_of_the_database(
    several: list[Seen], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, _ = several
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() - 3_600_000_000_000)
    await first.keeper.step()
    behind = first.keeper.utc_ns()
    monkeypatch.setattr(time, "time_ns", real)
    await second.keeper.step()
    assert abs(second.keeper.utc_ns() - real()) < 60_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: real() - 3_600_000_000_000)
    assert abs(first.keeper.utc_ns() - real()) < 60_000_000_000
    assert behind <= first.keeper.utc_ns()


async def test_a_database_that_is_away_is_asked_again_soon_and_said_once(
    several: list[Seen], capsys: pytest.CaptureFixture[str]
) -> None:
    first = several[0]
    await first.keeper.start()
    working = first.keeper._engine
    first.keeper._engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    waits = [await first.keeper.step() for _ in range(3)]
    assert max(waits) < 1
    first.clock.now_s += LEASE_S
    await first.keeper.step()
    assert first.told == set(), "it gives up what it cannot keep"
    first.keeper._engine = working
    await first.keeper.step()
    assert first.rooms() == set(ROOMS)


async def test_it_runs_by_itself_and_ends(several: list[Seen]) -> None:
    first, second, _ = several
    running = [asyncio.create_task(one.keeper.run()) for one in (first, second)]
    try:
        await until(lambda: first.keeper.count == second.keeper.count == 128, 30)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
