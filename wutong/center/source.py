"""The SQLite store that is moved: read from its first row to its last by one reader, while nobody else has it open.

In SQLite's write-ahead mode whoever has a file open, a running center above all, keeps a lock on it, and a reader that
wants it for itself is told so. Nothing is written here, and nothing is held in memory but what one piece has.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Table
from sqlalchemy.dialects import sqlite as sqlite_words

from sync.errors import ConfigError
from sync.runtime.files.write_ahead import is_locked

PIECE_ROWS = 2000
PIECE_BYTES = 4 << 20
PATIENCE_S = 2.0
Values = tuple[Any, ...]
"""Of a row, in the order of its table's columns."""


class SourceStore:
    """`with` opens and closes it; `ConfigError` while it is in use, or when it is no store."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._db: sqlite3.Connection | None = None

    def __enter__(self) -> SourceStore:
        if not self._file.is_file():
            raise ConfigError(f"{self._file} is not there: this center has no SQLite store")
        self._db = sqlite3.connect(self._file, timeout=PATIENCE_S, isolation_level=None)
        self._db.text_factory = _text
        try:
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("BEGIN EXCLUSIVE")
            self._db.execute("SELECT count(*) FROM alembic_version").fetchone()
        except sqlite3.Error as error:
            self.__exit__()
            if is_locked(error):
                raise ConfigError(
                    f"{self._file} 正在使用，请先停止中心 (the store is in use: stop the center and every command"
                    " beside it, then run this again): systemctl stop wutong-center"
                ) from error
            raise ConfigError(f"{self._file} cannot be read as a center's store: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        return int(self._rows(f"SELECT count(*) FROM {quoted(table.name)}")[0][0])  # noqa: S608 (names of ours)

    def pieces(self, table: Table, after: int) -> Iterator[tuple[list[Values], int]]:
        """The rows behind the one numbered `after` in the order in which they were written, some at a time; with each
        piece the number of its last row."""
        columns = ", ".join(quoted(column.name) for column in table.columns)
        query = f"SELECT rowid, {columns} FROM {quoted(table.name)} WHERE rowid > ? ORDER BY rowid"  # noqa: S608 (names of ours)
        make = converter(table)
        rows: list[Values] = []
        size, last = 0, after
        for row in self._cursor(query, (after,)):
            last = int(row[0])
            rows.append(make(row[1:]))
            size += sum(len(value) for value in row[1:] if isinstance(value, str | bytes))
            if len(rows) >= PIECE_ROWS or size >= PIECE_BYTES:
                yield rows, last
                rows, size = [], 0
        if rows:
            yield rows, last

    def all_rows(self, table: Table) -> Iterator[Values]:
        """All rows of a table, in any order."""
        for rows, _ in self.pieces(table, -(2**63)):
            yield from rows

    def hearings(self, after: str, most: int) -> list[str]:
        """The next hearings of which there are events, by their names."""
        query = "SELECT DISTINCT hearing FROM events WHERE hearing > ? ORDER BY hearing LIMIT ?"
        return [str(name) for (name,) in self._rows(query, (after, most))]

    def events(self, hearings: Sequence[str]) -> Iterator[Values]:
        """(hearing, number, kind, room_ns, utc_ns, body) of these hearings, one hearing after the other, by number."""
        marks = ", ".join("?" * len(hearings))
        query = (
            "SELECT hearing, number, kind, room_ns, utc_ns, body FROM events"  # noqa: S608 (marks alone)
            f" WHERE hearing IN ({marks}) ORDER BY hearing, number"
        )
        yield from self._cursor(query, hearings)

    def audit(self) -> Iterator[Values]:
        """(place, leaf, row, utc_ns, what, role, address, detail, granted, person) of the audit log, by its leaves."""
        yield from self._cursor(
            "SELECT l.place, l.sha256, l.row, a.utc_ns, a.what, a.role, a.address, a.detail, a.granted, a.person"
            " FROM audit_leaves l LEFT JOIN audit a ON a.row = l.row ORDER BY l.place",
            (),
        )

    def identity(self) -> str:
        """What tells this store from another: the first of what it was told."""
        first = "SELECT room, number, sha256 FROM events ORDER BY rowid LIMIT 1"
        leaf = "SELECT sha256 FROM audit_leaves ORDER BY place LIMIT 1"
        return repr([*self._rows(first), *self._rows(leaf)])

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[Values]:
        return list(self._cursor(query, values))

    def _cursor(self, query: str, values: Sequence[Any]) -> Iterable[Values]:
        if self._db is None:
            raise ConfigError("the store is not open")
        return self._db.execute(query, tuple(values))


def quoted(name: str) -> str:
    """A name as both databases take it, `row` and `by` included."""
    return sqlite_words.dialect().identifier_preparer.quote_identifier(name)


def converter(table: Table) -> Any:
    """What makes a row of SQLite one that PostgreSQL gives back equal: truth is no number there, and NUL no text."""
    truths = [isinstance(column.type, Boolean) for column in table.columns]

    def make(row: Sequence[Any]) -> Values:
        return tuple(_value(value, truth=truth) for value, truth in zip(row, truths, strict=True))

    return make


def _value(value: Any, *, truth: bool) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "�")
    return bool(value) if truth and value is not None else value


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
