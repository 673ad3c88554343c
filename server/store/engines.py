"""How the center connects: SQLite in its folder, or PostgreSQL 15 and newer by psycopg.

Promises: a commit is on disk when it returns, whatever the server's own default is; a connection that was lost is found
out and made anew, and none waits for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import ArgumentError

from server.database_address import read_url
from sync.errors import ConfigError
from sync.runtime.files.write_ahead import write_ahead

POOLED = 6
"""Connections that are kept: the writer, the readers, and one to spare."""
OLDEST = 150_000
CONNECT_S = 10
STATEMENT_S = 60
LOCK_S = 10
_KEEP_ALIVE = {
    "connect_timeout": CONNECT_S,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A server that was switched off is found out within half a minute, not when the kernel gives up."""
_DEFAULTS = (
    ("statement_timeout", f"{STATEMENT_S}s", "0"),
    ("lock_timeout", f"{LOCK_S}s", "0"),
    ("idle_in_transaction_session_timeout", f"{STATEMENT_S}s", "0"),
    ("synchronous_commit", "on", "off"),
)
"""A setting, what it becomes, and what it must be for that: what an administrator has set otherwise stays."""


def new_engine(url: str, *, patient: bool = False) -> Engine:
    """An engine of which nothing was asked yet; `patient`: for work that lasts, statements have no time limit."""
    parsed = read_url(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            if parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(parsed, hide_parameters=True)  # a file is not lost as a server is: nobody asks first
            event.listen(engine, "connect", _prepare_sqlite)
            return engine
        engine = create_engine(
            parsed,
            hide_parameters=True,  # what people said is in no log
            pool_pre_ping=True,
            pool_size=POOLED,
            pool_timeout=CONNECT_S + LOCK_S,
            connect_args=_arguments(parsed.query),
        )
    except ModuleNotFoundError as error:
        raise ConfigError(
            "中心使用 PostgreSQL 需要 psycopg (PostgreSQL needs the driver psycopg): pip install 'wutong[postgres]'"
        ) from error
    except (ArgumentError, ImportError, OSError) as error:
        raise ConfigError(f"the database of the center cannot be used: {type(error).__name__}") from error
    event.listen(engine, "connect", _prepare_patient if patient else _prepare_postgres)
    event.listen(engine, "before_cursor_execute", _without_nul, retval=True)
    return engine


def check_server(connection: Connection) -> None:
    """`ConfigError` when this PostgreSQL cannot keep what a receipt promises, or not all of the words."""
    row = connection.execute(
        text(
            "SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS coded,"
            " current_setting('fsync') AS synced, current_setting('full_page_writes') AS whole"
        )
    ).one()
    if row.version < OLDEST:
        raise ConfigError(f"PostgreSQL 15 or newer is needed, and this one says {row.version}; upgrade it")
    if row.coded != "UTF8":
        raise ConfigError(
            f"the database is encoded in {row.coded}; make it anew: CREATE DATABASE … TEMPLATE template0 ENCODING UTF8"
        )
    if "off" in (row.synced, row.whole):
        raise ConfigError(
            "the database server runs with fsync or full_page_writes off, and would lose what it receipts"
        )


def _arguments(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {"application_name": "wutong", **_KEEP_ALIVE}.items() if name not in query}


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # FULL: a receipt promises that the event survives a power cut.
    write_ahead(cursor.execute)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_postgres(connection: Any, _record: Any) -> None:
    _set(connection, _DEFAULTS)


def _prepare_patient(connection: Any, _record: Any) -> None:
    _set(connection, [one for one in _DEFAULTS if one[0] == "synchronous_commit"])
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    connection.commit()


def _without_nul(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    """PostgreSQL holds no NUL in a text, nor compares with one; whoever asks for one finds nothing, as with SQLite."""
    if isinstance(parameters, Mapping):
        return statement, {name: _text(value) for name, value in parameters.items()}
    if isinstance(parameters, list):
        return statement, [{name: _text(value) for name, value in row.items()} for row in parameters]
    return statement, parameters


def _text(value: Any) -> Any:
    return value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value


def _set(connection: Any, settings: Any) -> None:
    with connection.cursor() as cursor:
        for name, value, instead_of in settings:
            # For the session, not the transaction; what is set already by a role or a URL is somebody's decision.
            cursor.execute(
                "SELECT set_config(%s, %s, false) WHERE current_setting(%s) = %s", (name, value, name, instead_of)
            )
    connection.commit()
