"""The tables of a new center, made once for all tests of this process: a file that is copied is there at once."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path


def new_store(path: Path) -> Path:
    """A new SQLite store with the tables of today at `path`; where one is already, it stays."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_tables())
    return path


@functools.cache
def _tables() -> bytes:
    from server.store.database import open_database

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "center.db"
        open_database(f"sqlite:///{file}").close()
        assert [one.name for one in Path(folder).iterdir()] == [file.name], "what is not in the file would be lost"
        return file.read_bytes()
