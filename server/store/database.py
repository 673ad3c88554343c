"""The database of the center: SQLite (WAL) or PostgreSQL; a commit is on disk when it returns.

Writes go through one thread, one transaction after the other; reads run beside them, each on one moment's state. The
schema is brought up to date at start by the migrations in `server/migrations`. While the database is away, full,
read-only or too slow, each piece of work is refused in words (`server.store.refusals`), and the next asks anew.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import structlog
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Connection, Engine, Executable, Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from server.store.engines import check_server, new_engine
from server.store.partitions import keep_months
from server.store.refusals import Act, is_lost_race, refusal_of, words_of
from sync.errors import ConfigError, StorageError
from sync.runtime.logs.metrics import DurationBuckets

log = structlog.get_logger(__name__)

T = TypeVar("T")
Fence = Callable[[Connection, Collection[str]], None]
"""Raises, and so takes a transaction back, where one of these rooms is another process's."""

READERS = 4
TRIES = 3
"""Of a write that stood in the way of another process's."""
MOVING = "moving"
"""A table that is there while a store is brought into this database (`wutong center migrate`)."""
_WHY_CHARS = 2000
_MIGRATING = 0x6D696772617465
_REFUSED = (SQLAlchemyError, UnicodeError, OverflowError)


class Database:
    """One engine with its writing thread and its readers."""

    def __init__(self, engine: Engine) -> None:
        """Use `open_database`."""
        self._engine = engine
        self._writer = ThreadPoolExecutor(1, "db-writer")
        self._readers = ThreadPoolExecutor(READERS, "db-reader")
        self.dialect = engine.dialect.name
        self._on_postgres = self.dialect == "postgresql"
        self._reading: dict[str, Any] = (
            {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if self._on_postgres else {}
        )
        self.full_text = True
        """Whether words are searched by their index; the same is found without it (`server.store.words.word_index`)."""
        self.write_durations = DurationBuckets()
        """How long each transaction took that was kept."""
        self.failed: Counter[str] = Counter()
        """What was refused: `read` or `write`."""
        self.waiting = 0
        """Transactions that are being written or wait for it."""
        self.fence: Fence | None = None
        """Asked at the end of what the owner of rooms writes, where several processes share the rooms."""

    async def write(self, work: Callable[[Connection], T], *, of_rooms: Collection[str] = ()) -> T:
        """Run `work` in one transaction; it is on disk when this returns. `StoreRefusedError` if it could not be kept,
        `LeaseLostError` where it is written for rooms, `of_rooms`, one of which is another process's now.

        What was asked for is done, also when whoever asked leaves before it is its turn. On PostgreSQL it may be run
        again, when another process's transaction stood in its way."""
        self.waiting += 1
        writing = asyncio.get_running_loop().run_in_executor(self._writer, self._write, work, of_rooms)
        writing.add_done_callback(self._written)
        return await asyncio.shield(writing)

    def _written(self, _writing: asyncio.Future[Any]) -> None:
        self.waiting -= 1

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on what was committed last."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """`read` for commands that have no event loop."""
        return self._read(work)

    async def keep_months(self) -> None:
        """Make the tables of the coming months; without them events are stored all the same."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self.keep_months_now)

    def keep_months_now(self) -> None:
        """`keep_months`, before anybody writes."""
        if not self._on_postgres:
            return
        try:
            made = self._write(lambda connection: keep_months(connection, time.time_ns()))
        except StorageError as error:
            log.error("months_not_made", why=error.message, next="events are kept in events_other meanwhile")
            return
        if made:
            log.info("months_made", tables=made)

    @property
    def engine(self) -> Engine:
        """For work that is no single transaction (`wutong center migrate`)."""
        return self._engine

    def close(self) -> None:
        """Wait for what runs, then close."""
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self._engine.dispose()

    def _write(self, work: Callable[[Connection], T], of_rooms: Collection[str] = ()) -> T:
        began_s = time.monotonic()
        for left in reversed(range(TRIES)):
            try:
                with self._engine.begin() as connection:
                    kept = work(connection)
                    if of_rooms and self.fence is not None:
                        self.fence(connection, of_rooms)
                self.write_durations.note(time.monotonic() - began_s)
                return kept
            except _REFUSED as error:
                if left and is_lost_race(error):
                    continue
                raise self._refused(error, "write") from error
        raise AssertionError("unreachable")

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection:
                return work(connection.execution_options(**self._reading))
        except _REFUSED as error:
            raise self._refused(error, "read") from error

    def _refused(self, error: Exception, act: Act) -> StorageError:
        self.failed[act] += 1
        refusal = refusal_of(error, act)
        log.error("database_refused", act=act, why=str(error)[:_WHY_CHARS], of_all=refusal.of_all)
        return refusal


def open_database(url: str, revision: str = "head", *, unfinished: bool = False, patient: bool = False) -> Database:
    """Connect and migrate; `ConfigError` when the database cannot be used. `revision`: an older one, for tests.

    `unfinished`: also one into which a store is being brought; `patient`: statements may last."""
    engine = new_engine(url, patient=patient)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                check_server(connection)
                # Two processes that start at one moment migrate one after the other, and neither gives up.
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text("SET LOCAL lock_timeout = 0"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
                _check_whole(connection, unfinished=unfinished)
            migrations = AlembicConfig()
            migrations.set_main_option("script_location", str(Path(__file__).resolve().parents[1] / "migrations"))
            migrations.attributes["connection"] = connection
            command.upgrade(migrations, revision)
    except ConfigError:
        engine.dispose()
        raise
    except SQLAlchemyError as error:
        engine.dispose()
        raise ConfigError(f"the database of the center cannot be opened: {words_of(error)}") from error
    database = Database(engine)
    if revision == "head":
        database.keep_months_now()
    return database


def insert_once(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Insert a row unless its key is taken; whether it was inserted."""
    # The row itself is asked for: how many rows an insert has made SQLAlchemy does not keep for psycopg.
    return connection.execute(_once(connection.dialect.name, table, returning=True), values).first() is not None


def insert_rows_once(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, many at a time; those whose key is taken are left out."""
    if rows:
        connection.execute(_once(connection.dialect.name, table, returning=False), list(rows))


def upsert(connection: Connection, table: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all of the same columns; where the columns `key` are taken, what stands there is replaced."""
    if rows:
        connection.execute(_replacing(connection.dialect.name, table, tuple(key), tuple(rows[0])), list(rows))


def inserting(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """`insert` with `ON CONFLICT`, in the words of this database."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@functools.cache
def _once(dialect: str, table: Table, *, returning: bool) -> Executable:
    """Made once, as is the next: to make it costs several times what it costs to run it."""
    statement = inserting(dialect, table).on_conflict_do_nothing()
    return statement.returning(*table.primary_key) if returning else statement


@functools.cache
def _replacing(dialect: str, table: Table, key: tuple[str, ...], columns: tuple[str, ...]) -> Executable:
    statement = inserting(dialect, table)
    values = {name: statement.excluded[name] for name in columns if name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=values)


def _check_whole(connection: Connection, *, unfinished: bool) -> None:
    if not unfinished and connection.execute(text("SELECT to_regclass(:name)"), {"name": MOVING}).scalar() is not None:
        raise ConfigError(
            "数据库迁移尚未完成，请再次运行 wutong center migrate (a store is being brought into this database and is "
            "not whole: run wutong center migrate again, which goes on where it stopped)"
        )
