"""Looking into an SQLite file from outside, and a guard that no test and no part of Wutong leaves one open.

`with sqlite3.connect(…)` commits and does not close. Python 3.13 warns of a connection that is thrown away open, which
is an error here; `watch` does the same for the Pythons before it, and says where it was opened.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The file's connection; what was changed is committed when the block ends without an error."""
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as db, db:
        yield db


def rows(path: Path, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """What a query finds."""
    with opened(path) as db:
        return db.execute(query, parameters).fetchall()


class _Watched(sqlite3.Connection):
    def __init__(self, *args: Any, **named: Any) -> None:
        self._is_open = False
        super().__init__(*args, **named)
        self._is_open = True
        self._opened_at = "".join(traceback.format_stack(limit=8)[:-2])

    def close(self) -> None:
        self._is_open = False
        super().close()

    def __del__(self) -> None:
        if self._is_open:
            super().close()
            warnings.warn(f"unclosed database, opened at\n{self._opened_at}", ResourceWarning, stacklevel=2)


def watch() -> None:
    """Make each connection of this process one that warns when it is thrown away open."""
    if sys.version_info >= (3, 13):
        return
    connect = sqlite3.connect

    def watched(*args: Any, **named: Any) -> Any:
        return connect(*args, **{"factory": _Watched, **named})

    sqlite3.connect = sqlite3.dbapi2.connect = watched
