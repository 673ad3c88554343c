"""The database of the center: SQLite (WAL, a commit is on disk when it returns) or what the URL names.

Writes go through one thread, one transaction after the other; reads run beside them. The schema is brought up to date
at start by the migrations in `server/migrations`.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import structlog
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from sync.errors import ConfigError, StorageError
from sync.runtime.metrics import DurationBuckets
from sync.runtime.write_ahead import write_ahead

log = structlog.get_logger(__name__)

T = TypeVar("T")

READERS = 4
_WHY_CHARS = 2000
_NOT_WRITTEN = (
    "中心存储未能写入，本次内容未被确认，请联系管理员查看日志 "
    "(the record store refused a write; nothing of it was receipted; the log says why)"
)
_NOT_READ = (
    "中心存储无法读取，请联系管理员查看磁盘和日志 (the record store cannot be read; look at the center's disk and log)"
)


class Database:
    """One engine with its writing thread and its readers."""

    def __init__(self, engine: Engine) -> None:
        """Use `open_database`."""
        self._engine = engine
        self._writer = ThreadPoolExecutor(1, "db-writer")
        self._readers = ThreadPoolExecutor(READERS, "db-reader")
        self.full_text = engine.dialect.name == "sqlite"
        """Whether `utterance_folded` exists."""
        self.write_durations = DurationBuckets()
        """How long each transaction took that was kept."""
        self.failed: Counter[str] = Counter()
        """What was refused: `read` or `write`."""
        self.waiting = 0
        """Transactions that are being written or wait for it."""

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction; it is on disk when this returns. `StorageError` if it could not be kept.

        What was asked for is done, also when whoever asked leaves before it is its turn.
        """
        self.waiting += 1
        writing = asyncio.get_running_loop().run_in_executor(self._writer, self._write, work)
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

    def close(self) -> None:
        """Wait for what runs, then close."""
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self._engine.dispose()

    def _write(self, work: Callable[[Connection], T]) -> T:
        began_s = time.monotonic()
        try:
            with self._engine.begin() as connection:
                kept = work(connection)
        except SQLAlchemyError as error:
            self.failed["write"] += 1
            log.error("database_refused", act="write", why=str(error)[:_WHY_CHARS])
            raise StorageError(_NOT_WRITTEN) from error
        self.write_durations.note(time.monotonic() - began_s)
        return kept

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            self.failed["read"] += 1
            log.error("database_refused", act="read", why=str(error)[:_WHY_CHARS])
            raise StorageError(_NOT_READ) from error


def open_database(url: str, revision: str = "head") -> Database:
    """Connect and migrate; `ConfigError` when the database cannot be used. `revision`: an older one, for tests."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, ImportError, OSError) as error:
        raise ConfigError(f"the database of the center cannot be used: {error}") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    try:
        with engine.begin() as connection:
            migrations = AlembicConfig()
            migrations.set_main_option("script_location", str(Path(__file__).resolve().parents[1] / "migrations"))
            migrations.attributes["connection"] = connection
            command.upgrade(migrations, revision)
    except SQLAlchemyError as error:
        engine.dispose()
        raise ConfigError(f"the database of the center cannot be opened: {error}") from error
    return Database(engine)


def insert_once(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Insert a row unless its key is taken; whether it was inserted."""
    dialect = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return connection.execute(dialect(table).values(**values).on_conflict_do_nothing()).rowcount == 1


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # FULL: a receipt promises that the event survives a power cut.
    write_ahead(cursor.execute)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
