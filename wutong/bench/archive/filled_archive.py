"""Brings a made archive into a database that has none of somebody else's: some thousand hearings a transaction.

What is there stays, and what is missing is added, so a run that was cut goes on. Nothing is held in memory but one
piece. On PostgreSQL by COPY, with the indexes of words made when all rows are there; on SQLite by plain inserts.
"""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Connection, Table, func, insert, select, text

from server.store import tables as t
from server.store.database import Database
from sync.errors import ConfigError
from wutong.bench.archive.made_hearings import PREFIX, MadeHearings, MadeRows, columns_of

PIECE = 2000
INDEXES = {
    "utterances_grams": "CREATE INDEX IF NOT EXISTS utterances_grams ON utterances USING gin (grams)",
    "hearings_grams": "CREATE INDEX IF NOT EXISTS hearings_grams ON hearings USING gin (grams)",
}
"""Of PostgreSQL, as the migrations have them: many rows are indexed at once much sooner than one after the other."""
SOON = 50_000
"""From so many hearings on that are added the indexes are made anew."""


def fill(database: Database, hearings: int, console: Console) -> int:
    """Add what is missing of so many hearings, and return how many were added; `ConfigError` where there are others."""
    made = MadeHearings()
    first = database.read_now(_there)
    if first >= hearings:
        return 0
    on_postgres = database.dialect == "postgresql"
    anew = on_postgres and hearings - first > SOON
    if anew:
        run(database, *(f"DROP INDEX IF EXISTS {name}" for name in INDEXES))
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("making hearings", total=hearings, completed=first)
        for rows in made.pieces(first, hearings, PIECE):
            with database.engine.begin() as connection:
                for table, values in _tables(rows):
                    if values and on_postgres:
                        _copy(connection, table, values)
                    elif values:
                        connection.execute(insert(table), values)
            bar.advance(task, len(rows.hearings))
    if on_postgres:
        console.print("making the indexes of words …")
        run(database, *INDEXES.values(), "VACUUM ANALYZE")
    return hearings - first


def run(database: Database, *statements: str) -> None:
    """Statements that are no transaction."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))


def _there(connection: Connection) -> int:
    h = t.hearings.c
    ours = select(func.max(h.id), func.count()).where(h.id.startswith(PREFIX, autoescape=True))
    last, count = connection.execute(ours).one()
    if connection.execute(select(func.count()).select_from(t.hearings)).scalar_one() != count:
        raise ConfigError("this database has hearings that are not the benchmark's: name an empty one")
    return 0 if last is None else MadeHearings.number_of(str(last)) + 1


def _tables(rows: MadeRows) -> list[tuple[Table, list[dict[str, Any]]]]:
    return [
        (t.hearings, rows.hearings),
        (t.utterances, rows.utterances),
        (t.levels, rows.levels),
        (t.sealed_parts, rows.sealed_parts),
    ]


def _copy(connection: Connection, table: Table, values: list[dict[str, Any]]) -> None:
    names = columns_of(values)
    driver: Any = connection.connection.driver_connection
    columns = ", ".join(f'"{name}"' for name in names)
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in values:
            copy.write_row([row[name] for name in names])
