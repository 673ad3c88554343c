"""The PostgreSQL store that is filled: each piece of rows and how far it brings the copy are one transaction.

So whatever ends the copy, and whenever, the next run goes on behind the last piece that is there. While the table
`moving` is there no center starts on the store (`server.store.database`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, Text, text
from sqlalchemy.exc import OperationalError

from server.store import tables as t
from server.store.database import MOVING, Database
from server.store.partitions import Month, event_numbers, made_months, make_months, month_of
from sync.errors import ConfigError, StorageError
from wutong.center.source import Values, quoted

_BATCH = 2000

of_moving = MetaData()
moving = Table(
    MOVING,
    of_moving,
    Column("name", String(64), primary_key=True),
    Column("last", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
)
"""Of each table that was begun: the number of the last row of the source that is there."""


class TornTableError(StorageError):
    """Rows of an earlier run are there under keys that the source has given to others since."""


class TargetStore:
    """A store that is empty, or was left by an earlier run from the same source."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._months: set[Month] = set()

    def begin(self, source: str) -> dict[str, int]:
        """How far each table is; `ConfigError` when this store is another center's, or another source's half."""
        with self._engine.begin() as connection:
            if connection.execute(text("SELECT to_regclass(:name)"), {"name": MOVING}).scalar() is None:
                self._demand_empty(connection)
                of_moving.create_all(connection)
            rows = connection.execute(moving.select()).all()
            self._months = made_months(connection)
        if any(row.source != source for row in rows):
            raise ConfigError(
                "目标数据库中是另一个中心的未完成迁移 (the database holds the beginning of another store): "
                "name another database, or make this one anew"
            )
        return {str(row.name): int(row.last) for row in rows}

    def put(self, table: Table, rows: Sequence[Values], last: int, source: str) -> None:
        """Keep a piece, and that it is kept."""
        with self._said(table), self._engine.begin() as connection:
            if table is t.events:
                self._make_months(connection, rows)
                self._copy(connection, event_numbers, [_number_of(row) for row in rows])
            self._copy(connection, table, rows)
            note = text(
                f"INSERT INTO {MOVING} (name, last, source) VALUES (:name, :last, :source)"  # noqa: S608 (constant)
                " ON CONFLICT (name) DO UPDATE SET last = excluded.last"
            )
            connection.execute(note, {"name": table.name, "last": last, "source": source})

    def empty(self, table: Table) -> None:
        """Take a table out again, to be copied anew."""
        with self._engine.begin() as connection:
            names = [table.name, event_numbers.name] if table is t.events else [table.name]
            connection.execute(text(f"TRUNCATE {', '.join(map(quoted, names))}"))
            connection.execute(moving.delete().where(moving.c.name == table.name))

    def finish(self) -> None:
        """The store is whole: new rows are numbered behind those that came, and a center may start on it."""
        with self._engine.begin() as connection:
            for table in t.metadata.sorted_tables:
                if isinstance(table.autoincrement_column, Column):
                    of = {"name": quoted(table.name), "column": table.autoincrement_column.name}
                    newest = f"(SELECT max({quoted(of['column'])}) FROM {of['name']})"  # noqa: S608 (names of ours)
                    sequence = "pg_get_serial_sequence(:name, :column)"
                    connection.execute(
                        text(f"SELECT setval({sequence}, coalesce({newest}, 1), {newest} IS NOT NULL)"),
                        of,
                    )
            of_moving.drop_all(connection)
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))

    def all_rows(self, table: Table) -> Iterator[Values]:
        """All rows of a table, in any order."""
        yield from self._stream(f"SELECT {_columns(table)} FROM {quoted(table.name)}", {})  # noqa: S608 (names of ours)

    def events(self, hearings: Sequence[str]) -> Iterator[Values]:
        """As `SourceStore.events`."""
        query = (
            "SELECT hearing, number, kind, room_ns, utc_ns, body FROM events WHERE hearing = ANY(:names)"
            ' ORDER BY hearing COLLATE "C", number'
        )
        yield from self._stream(query, {"names": list(hearings)})

    def audit(self) -> Iterator[Values]:
        """As `SourceStore.audit`."""
        yield from self._stream(
            'SELECT l.place, l.sha256, l."row", a.utc_ns, a.what, a.role, a.address, a.detail, a.granted, a.person'
            ' FROM audit_leaves l LEFT JOIN audit a ON a."row" = l."row" ORDER BY l.place',
            {},
        )

    def _stream(self, query: str, values: dict[str, Any]) -> Iterator[Values]:
        with self._engine.connect().execution_options(stream_results=True, yield_per=_BATCH) as connection:
            for row in connection.execute(text(query), values):
                yield tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)

    @staticmethod
    def _demand_empty(connection: Connection) -> None:
        for table in t.metadata.sorted_tables:
            there = text(f"SELECT EXISTS (SELECT FROM {quoted(table.name)})")  # noqa: S608 (names of ours)
            if connection.execute(there).scalar():
                raise ConfigError(
                    f"目标数据库不是空的 (the database is not empty: its table {table.name} has rows, and no move"
                    " into it is under way); name another database"
                )

    @staticmethod
    def _copy(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
        driver: Any = connection.connection.driver_connection
        with (
            driver.cursor() as cursor,
            cursor.copy(f"COPY {quoted(table.name)} ({_columns(table)}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)

    @contextlib.contextmanager
    def _said(self, table: Table) -> Iterator[None]:
        """COPY goes past SQLAlchemy, and so do its errors."""
        driver: Any = self._engine.dialect.dbapi
        try:
            yield
        except driver.IntegrityError as error:
            raise TornTableError(f"the table {table.name} cannot be copied: {error}") from error
        except driver.Error as error:
            raise OperationalError("COPY", None, error) from error

    def _make_months(self, connection: Connection, rows: Sequence[Values]) -> None:
        place = list(t.events.columns).index(t.events.c.stored_utc_ns)
        missing = {month_of(row[place]) for row in rows} - self._months
        if missing:
            make_months(connection, missing)
            self._months |= missing


def _number_of(row: Values) -> Values:
    named = dict(zip(t.events.columns.keys(), row, strict=True))
    return tuple(named[name] for name in event_numbers.columns.keys())  # noqa: SIM118 (a collection of columns)


def _columns(table: Table) -> str:
    return ", ".join(quoted(column.name) for column in table.columns)
