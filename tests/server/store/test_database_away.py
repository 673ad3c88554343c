"""A database that is away, refuses, is read-only, full or slow: said in words, nothing receipted, nothing doubled."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from server.events.admission import Received, read_event
from server.store import tables as t
from server.store.database import Database, open_database
from server.store.refusals import StoreRefusedError, refusal_of
from server.store.writer import RecordWriter
from sync.errors import ConfigError
from tests.support.peers.center_fixtures import center_at
from tests.support.peers.center_peers import RoomPeer, opening, said, until
from tests.support.peers.postgres_server import PASSWORD, USER, PostgresServer, migrated_database

pytestmark = pytest.mark.process


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """One that the test may stop."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def name(postgres: PostgresServer) -> str:
    return migrated_database(postgres).rpartition("/")[2]


@pytest_asyncio.fixture
async def impatient(postgres: PostgresServer, name: str) -> AsyncIterator[Database]:
    """Its administrator has set short limits, which the center leaves as they are."""
    limits = "?options=-c%20statement_timeout%3D300ms%20-c%20lock_timeout%3D200ms"
    database = open_database(postgres.url(name, query=limits))
    try:
        yield database
    finally:
        database.close()


def batch(*numbers: int) -> list[Received]:
    return [read_event("court1/c03", json.dumps(said(n, f"第{n}句")).encode()) for n in numbers]


async def count(database: Database) -> int:
    query = select(func.count()).select_from(t.events)
    return int(await database.read(lambda connection: connection.execute(query).scalar_one()))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_a_server_that_goes_and_comes_in_the_middle_of_the_record_loses_and_doubles_nothing(
    own_server: PostgresServer, tmp_path: Path, broker_port: int, how: signal.Signals
) -> None:
    events = {1: opening(1), **{n: said(n, f"说的第{n}句话", at_ms=n) for n in range(2, 201)}}
    url = own_server.url(own_server.new_database())
    async with center_at(tmp_path, broker_port, url) as served:
        room = await RoomPeer(broker_port).start()
        try:
            for number in range(1, 101):
                room.publish("events", events[number])
            await until(lambda: len(room.receipts()) >= 30)
            own_server.stop(how)
            for number in range(101, 201):
                room.publish("events", events[number])
            await until(lambda: not served.center.ingest._inbox.take(1, lambda room: True)[1])
            before = room.receipts()
            own_server.start()
            stored = {row[0] for row in own_server.run("SELECT number FROM events", database=url.rpartition("/")[2])}
            assert before <= stored, "a receipt was given for what is not on disk"

            def missing() -> bool:
                # As the outbox does: whatever has no receipt is said again.
                for number in sorted(set(events) - room.receipts()):
                    room.publish("events", events[number])
                return room.receipts() == set(events)

            await until(missing, 60)
            async with served.inspector() as http:
                shown = (await http.get("/api/hearings/h1")).json()
        finally:
            room.stop()
        assert len(shown.get("utterances", "")) == 199, shown
        query = "SELECT number, count(*) FROM events GROUP BY number ORDER BY number"
        assert own_server.run(query, database=url.rpartition("/")[2]) == [(n, 1) for n in range(1, 201)]


async def test_while_it_is_away_each_act_says_so_and_the_first_after_it_works(own_server: PostgresServer) -> None:
    database = open_database(own_server.url(own_server.new_database()))
    try:
        writer = RecordWriter(database)
        await writer.store_events(batch(1, 2))
        own_server.stop(signal.SIGQUIT)
        for _ in range(3):
            with pytest.raises(StoreRefusedError, match=r"未被确认.*连接不上.*cannot be reached") as refused:
                await writer.store_events(batch(1, 2, 3))
            assert refused.value.of_all
            with pytest.raises(StoreRefusedError, match=r"无法读取.*连接不上"):
                await count(database)
        own_server.start()
        outcome = await writer.store_events(batch(1, 2, 3))
        assert (len(outcome.fresh), sorted(outcome.receipts["court1/c03"])) == (1, [1, 2, 3])
        assert await count(database) == 3
    finally:
        database.close()


async def test_a_connection_that_is_cut_within_a_transaction_keeps_nothing_of_it(
    postgres: PostgresServer, name: str
) -> None:
    database = open_database(postgres.url(name))
    try:
        writer = RecordWriter(database)

        def cut(connection: Any) -> None:
            connection.execute(text("INSERT INTO levels VALUES ('h1', 'open')"))
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
            postgres.run(f"SELECT pg_terminate_backend({pid})")
            connection.execute(text("INSERT INTO levels VALUES ('h2', 'open')"))

        with pytest.raises(StoreRefusedError, match="cannot be reached"):
            await database.write(cut)
        assert len((await writer.store_events(batch(1))).fresh) == 1
        assert await database.read(lambda c: c.execute(text("SELECT count(*) FROM levels")).scalar()) == 0
    finally:
        database.close()


async def test_a_database_that_became_read_only_is_named_and_taken_up_again(
    postgres: PostgresServer, name: str
) -> None:
    database = open_database(postgres.url(name))

    def switch(value: str) -> None:
        others = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}", others)

    try:
        writer = RecordWriter(database)
        await writer.store_events(batch(1))
        switch("on")
        with pytest.raises(StoreRefusedError, match=r"只读.*read-only") as refused:
            await writer.store_events(batch(2))
        assert refused.value.of_all
        assert await count(database) == 1
        switch("off")
        assert len((await writer.store_events(batch(2))).fresh) == 1
    finally:
        database.close()


async def test_a_database_that_is_read_only_can_still_be_asked_by_who_opens_it(
    postgres: PostgresServer, name: str
) -> None:
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    database = open_database(postgres.url(name))
    try:
        assert await count(database) == 0
    finally:
        database.close()


async def test_what_takes_too_long_is_canceled_and_said(impatient: Database) -> None:
    with pytest.raises(StoreRefusedError, match=r"太慢.*too slow"):
        await impatient.read(lambda connection: connection.execute(text("SELECT pg_sleep(60)")))
    assert await count(impatient) == 0


async def test_a_table_that_somebody_holds_is_waited_for_only_so_long(
    impatient: Database, postgres: PostgresServer, name: str
) -> None:
    writer = RecordWriter(impatient)
    with postgres.connect(name) as other, other.transaction():
        other.execute("LOCK TABLE event_numbers IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreRefusedError, match=r"太慢.*locks") as refused:
            await writer.store_events(batch(1, 2))
        assert refused.value.of_all, "the batch is not cut into pieces that would each wait"
    assert len((await writer.store_events(batch(1, 2))).fresh) == 2


async def test_two_that_lock_each_other_up_are_done_one_after_the_other(postgres: PostgresServer, name: str) -> None:
    database = open_database(postgres.url(name))
    tries = []

    def crossing(connection: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("", {}, psycopg.errors.DeadlockDetected("deadlock detected"))
        connection.execute(text("INSERT INTO levels VALUES ('h1', 'open')"))

    try:
        await database.write(crossing)
        assert len(tries) == 2
        assert await database.read(lambda c: c.execute(text("SELECT count(*) FROM levels")).scalar()) == 1
    finally:
        database.close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"password": "wrong-password"}, "拒绝登录"),
        ({"database": "nobody_made_it"}, "拒绝登录"),
        ({"port": 1}, "连接不上"),
    ],
)
def test_a_database_that_cannot_be_opened_says_why_and_no_password(
    postgres: PostgresServer, name: str, change: dict[str, Any], says: str
) -> None:
    parts = {"password": PASSWORD, "database": name, "port": postgres.port, **change}
    url = f"postgresql://{USER}:{parts['password']}@127.0.0.1:{parts['port']}/{parts['database']}"
    with pytest.raises(ConfigError, match=says) as refused:
        open_database(url)
    assert str(parts["password"]) not in refused.value.message


def test_a_database_in_another_encoding_is_refused(postgres: PostgresServer) -> None:
    name = postgres.new_database()
    postgres.run(f"DROP DATABASE {name}")
    postgres.run(f"CREATE DATABASE {name} OWNER {USER} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(ConfigError, match="LATIN1"):
        open_database(postgres.url(name))


def test_a_server_that_does_not_sync_is_refused() -> None:
    with PostgresServer("fsync=off") as careless:
        url = careless.url(careless.new_database())
        with pytest.raises(ConfigError, match="fsync"):
            open_database(url)


async def test_a_server_that_is_lax_about_commits_is_not_lax_to_the_center(postgres: PostgresServer, name: str) -> None:
    postgres.run(f"ALTER DATABASE {name} SET synchronous_commit = off")
    database = open_database(postgres.url(name))
    try:
        shown = await database.read(lambda c: c.execute(text("SHOW synchronous_commit")).scalar())
        assert shown == "on"
    finally:
        database.close()


def _sqlite(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("said by SQLite")
    error.sqlite_errorcode = code
    return error


CAUSES: list[tuple[Exception, str, bool]] = [
    (psycopg.errors.DiskFull("could not extend file"), "空间", True),
    (psycopg.errors.TooManyConnections("sorry"), "空间或连接数", True),
    (psycopg.OperationalError("FATAL: remaining connection slots are reserved"), "连接数", True),
    (psycopg.errors.AdminShutdown("terminating"), "连接不上", True),
    (psycopg.OperationalError("connection refused"), "连接不上", True),
    (psycopg.OperationalError("the server speaks another language: 连接被拒绝"), "连接不上", True),
    (psycopg.errors.InsufficientPrivilege("permission denied"), "权限", True),
    (psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT"), "只读", True),
    (psycopg.errors.QueryCanceled("canceling statement"), "太慢", True),
    (psycopg.errors.DeadlockDetected("deadlock"), "太慢", True),
    (psycopg.errors.DataCorrupted("invalid page"), "损坏", True),
    (psycopg.errors.IoError("could not read block"), "损坏", True),
    (psycopg.errors.UndefinedTable("no such relation"), "日志", True),
    (psycopg.errors.UniqueViolation("duplicate key"), "日志", False),
    (psycopg.errors.StringDataRightTruncation("too long"), "日志", False),
    (psycopg.errors.ProgramLimitExceeded("index row size"), "日志", False),
    (_sqlite(sqlite3.SQLITE_FULL), "空间", True),
    (_sqlite(sqlite3.SQLITE_READONLY), "只读", True),
    (_sqlite(sqlite3.SQLITE_BUSY), "被占用", True),
    (_sqlite(sqlite3.SQLITE_CORRUPT | 1 << 8), "损坏", True),
    (_sqlite(sqlite3.SQLITE_CONSTRAINT), "日志", False),
]


@pytest.mark.parametrize(("cause", "says", "of_all"), CAUSES, ids=lambda value: type(value).__name__)
def test_each_cause_has_its_words(cause: Exception, says: str, of_all: bool) -> None:
    refusal = refusal_of(OperationalError("INSERT secret", {"body": "隐私"}, cause), "write")
    assert says in refusal.message
    assert refusal.of_all is of_all
    assert "refused a write" in refusal.message
    assert "secret" not in refusal.message
    assert "隐私" not in refusal.message


def test_what_no_server_was_asked_has_words_too() -> None:
    assert not refusal_of(IntegrityError("", {}, psycopg.IntegrityError("found by the driver")), "write").of_all
    assert not refusal_of(UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"), "write").of_all
    assert not refusal_of(OverflowError("too large"), "write").of_all
    assert refusal_of(PoolTimeoutError("all in use"), "read").of_all
    assert refusal_of(DBAPIError("", {}, Exception("?")), "read").of_all
