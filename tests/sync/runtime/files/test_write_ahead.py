"""A new file that several services open at once is no error, and a file that stays locked is one in the end."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.runtime.files.write_ahead import write_ahead

OPENS = """
import sys
from pathlib import Path
from sync.room.checkpoints import Checkpoints
from sync.room.event_log import RoomLog
print("ready", flush=True)
sys.stdin.readline()
{"log": RoomLog, "checkpoints": Checkpoints}[sys.argv[2]](Path(sys.argv[1]))
"""


@pytest.fixture
def taken(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that has the file for itself."""
    with contextlib.closing(sqlite3.connect(tmp_path / "room.db", isolation_level=None)) as db:
        db.execute("CREATE TABLE t (a)")
        db.execute("BEGIN EXCLUSIVE")
        yield db


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another connection, which does not wait for the file."""
    with contextlib.closing(sqlite3.connect(tmp_path / "room.db", timeout=0, isolation_level=None)) as db:
        yield db


def test_it_waits_for_who_has_the_file(taken: sqlite3.Connection, impatient: sqlite3.Connection) -> None:
    refused = 0

    def execute(statement: str) -> None:
        nonlocal refused
        try:
            impatient.execute(statement)
        except sqlite3.OperationalError:
            refused += 1
            if refused == 3:
                taken.execute("ROLLBACK")
            raise

    write_ahead(execute)
    assert refused == 3
    assert impatient.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.usefixtures("taken")
def test_a_file_that_stays_locked_is_an_error_in_the_end(impatient: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        write_ahead(impatient.execute, patience_s=0.05)


def test_what_waiting_does_not_mend_is_said_at_once(impatient: sqlite3.Connection, tmp_path: Path) -> None:
    (tmp_path / "room.db").write_bytes(b"no database" * 1000)
    calls = []

    def execute(statement: str) -> None:
        calls.append(statement)
        impatient.execute(statement)

    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        write_ahead(execute)
    assert len(calls) == 1


def test_services_that_open_a_new_log_at_the_same_moment_all_can(tmp_path: Path) -> None:
    for round_ in range(3):
        file = tmp_path / f"{round_}" / "room.db"
        file.parent.mkdir()
        services = [
            subprocess.Popen(
                [sys.executable, "-c", OPENS, str(file), what],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for what in ("log", "checkpoints", "log", "checkpoints")
        ]
        for service in services:
            assert service.stdout is not None
            assert service.stdout.readline() == "ready\n"
        for service in services:
            assert service.stdin is not None
            service.stdin.write("now\n")
            service.stdin.flush()
        for service in services:
            _, said = service.communicate(timeout=60)
            assert service.returncode == 0, said
