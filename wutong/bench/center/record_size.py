"""How large the center's record is: rows and bytes of its database, and bytes of what rooms have uploaded."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RecordSize:
    """At one moment."""

    database_bytes: int
    rows: int
    upload_bytes: int
    """Of objects and of uploads that are none yet, each file once."""

    @classmethod
    def of(cls, data: Path) -> RecordSize:
        """Look into a center's data folder; the center may be at work. Blocks."""
        database = sqlite3.connect(f"file:{data / 'center.db'}?mode=ro", uri=True, timeout=10)
        with contextlib.closing(database):
            database.execute("BEGIN")  # one moment for all that is asked
            (pages,) = database.execute("PRAGMA page_count").fetchone()
            (free,) = database.execute("PRAGMA freelist_count").fetchone()
            (size,) = database.execute("PRAGMA page_size").fetchone()
            schema = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall()
            # An index of words is a table with others below it, and no row of it is a fact.
            indexes = tuple(name for name, sql in schema if (sql or "").upper().startswith("CREATE VIRTUAL"))
            tables = [name for name, _ in schema if not name.startswith(("sqlite_", *indexes))]
            rows = sum(
                database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 (names of its own)
                for name in tables
            )
        return cls((pages - free) * size, rows, _bytes_below(data / "objects", data / "uploads"))


def _bytes_below(*folders: Path) -> int:
    sizes: dict[int, int] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            with contextlib.suppress(OSError):
                found = path.stat()
                if path.is_file():
                    sizes[found.st_ino] = found.st_size
    return sum(sizes.values())
