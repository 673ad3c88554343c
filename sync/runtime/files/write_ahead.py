"""SQLite's write-ahead log, turned on also where several services open a new file at the same moment.

The change of mode takes the file for itself. Two that want it would wait for each other, so SQLite refuses one of them
without waiting, whatever its time-out: the services of a room all open its log when the machine starts.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

PATIENCE_S = 10.0
_PAUSE_S = 0.01


def is_locked(error: sqlite3.Error) -> bool:
    """Whether somebody else only uses the file or the table just now."""
    # The low byte is the kind of error, the others say which of it; an error of the module itself has no code.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def write_ahead(execute: Callable[[str], object], *, patience_s: float = PATIENCE_S) -> None:
    """Turn it on by `execute`, a connection's or a cursor's; `sqlite3.Error` when it cannot be within `patience_s`."""
    deadline_s = time.monotonic() + patience_s
    while True:
        try:
            execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if not is_locked(error) or time.monotonic() > deadline_s:
                raise
        time.sleep(_PAUSE_S)
