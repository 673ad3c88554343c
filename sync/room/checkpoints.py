"""The signed tree heads of a room, in the room's log file: which the center has witnessed, and which still wait.

A checkpoint is stored before it is sent and never signed twice for one size. What waits for the center is the newest of
each hearing and every seal's; `witnessed` adds the center's cosignature. Safe to open in several processes.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync.errors import StorageError
from sync.runtime.files.write_ahead import write_ahead

_SCHEMA = """
CREATE TABLE IF NOT EXISTS checkpoint (
    hearing    TEXT NOT NULL,
    size       INTEGER NOT NULL,
    seal       INTEGER NOT NULL,
    note       TEXT NOT NULL,
    witnessed  TEXT,
    refused    TEXT,
    waiting    INTEGER NOT NULL DEFAULT 1,
    token      BLOB,
    token_sent INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (hearing, size)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS checkpoint_waiting ON checkpoint (hearing, size) WHERE waiting = 1;
CREATE INDEX IF NOT EXISTS checkpoint_seal ON checkpoint (hearing, size) WHERE seal = 1;
"""
_COLUMNS = "hearing, size, seal, note, witnessed, refused, token"


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """One checkpoint. `note` is signed by the device; `witnessed` is the same note with the center's cosignature."""

    hearing: str
    size: int
    seal: bool
    note: str
    witnessed: str | None
    refused: str | None
    """Why the center refused it: `fork`, `signature`, `device` or `form`."""
    token: bytes | None
    """The time-stamp token over its text."""

    @property
    def best(self) -> str:
        """The note with all signatures that there are."""
        return self.witnessed or self.note


class Checkpoints:
    """Every method is one transaction, may block for a file sync, and may be called from any thread."""

    def __init__(self, log: Path) -> None:
        """`log` is the file of `sync.room.event_log`."""
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(log, timeout=10, check_same_thread=False, isolation_level=None)
            write_ahead(self._db.execute)
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise StorageError(f"the checkpoints in {log} cannot be opened ({error})") from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def add(self, hearing: str, size: int, note: str, *, seal: bool) -> None:
        """Keep a new tree head; earlier ones of the hearing wait no more, but seals do."""
        self._write(
            (
                "UPDATE checkpoint SET waiting = 0 WHERE hearing = ? AND size < ? AND waiting = 1 AND seal = 0",
                (hearing, size),
            ),
            (
                "INSERT OR IGNORE INTO checkpoint (hearing, size, seal, note) VALUES (?, ?, ?, ?)",
                (hearing, size, seal, note),
            ),
        )

    def last(self, hearing: str) -> StoredCheckpoint | None:
        """The newest of a hearing."""
        return self._one("WHERE hearing = ? ORDER BY size DESC LIMIT 1", (hearing,))

    def get(self, hearing: str, size: int) -> StoredCheckpoint | None:
        """That of a size."""
        return self._one("WHERE hearing = ? AND size = ?", (hearing, size))

    def of_hearing(self, hearing: str) -> list[StoredCheckpoint]:
        """All of a hearing, the smallest first."""
        return self._many("WHERE hearing = ? ORDER BY size", (hearing,))

    def last_witnessed(self, hearing: str) -> StoredCheckpoint | None:
        """The largest that the center has countersigned."""
        return self._one("WHERE hearing = ? AND witnessed IS NOT NULL ORDER BY size DESC LIMIT 1", (hearing,))

    def last_refused(self, hearing: str) -> StoredCheckpoint | None:
        """The largest that the center has refused, if nothing larger was witnessed."""
        found = self._one(
            "WHERE hearing = ? AND (witnessed IS NOT NULL OR refused IS NOT NULL) ORDER BY size DESC LIMIT 1",
            (hearing,),
        )
        return found if found is not None and found.witnessed is None else None

    def waiting(self, limit: int = 64) -> list[StoredCheckpoint]:
        """What the center has not answered: the newest of each hearing and every seal's."""
        return self._many("WHERE waiting = 1 ORDER BY hearing DESC, size LIMIT ?", (limit,))

    def witnessed(self, hearing: str, size: int, note: str) -> None:
        """The center countersigned: keep its note."""
        self._write(
            (
                "UPDATE checkpoint SET witnessed = ?, refused = NULL, waiting = 0 WHERE hearing = ? AND size = ?",
                (note, hearing, size),
            )
        )

    def refused(self, hearing: str, size: int, why: str) -> None:
        """The center refused. It goes on waiting: what is wrong may be put right, by an enrollment for instance."""
        self._write(
            (
                "UPDATE checkpoint SET refused = ? WHERE hearing = ? AND size = ? AND witnessed IS NULL",
                (why, hearing, size),
            )
        )

    def unstamped(self, limit: int = 16) -> list[StoredCheckpoint]:
        """Seals' checkpoints, newest hearing first, without a time-stamp token."""
        return self._many("WHERE seal = 1 AND token IS NULL ORDER BY hearing DESC, size LIMIT ?", (limit,))

    def stamped(self, hearing: str, size: int, token: bytes) -> None:
        """Keep a time-stamp token."""
        self._write(("UPDATE checkpoint SET token = ? WHERE hearing = ? AND size = ?", (token, hearing, size)))

    def tokens_to_send(self, limit: int = 16) -> list[StoredCheckpoint]:
        """Tokens that the center does not have yet, of checkpoints that it has witnessed."""
        return self._many(
            "WHERE seal = 1 AND token IS NOT NULL AND token_sent = 0 AND witnessed IS NOT NULL LIMIT ?", (limit,)
        )

    def token_sent(self, hearing: str, size: int) -> None:
        """The center has the token."""
        self._write(("UPDATE checkpoint SET token_sent = 1 WHERE hearing = ? AND size = ?", (hearing, size)))

    def unfinished(self) -> list[str]:
        """Hearings whose last event is no seal, or one without a checkpoint, oldest first.

        Reads the whole index, so it is for the start only.
        """
        rows = self._rows(
            "SELECT e.hearing FROM event e JOIN (SELECT max(number) AS number FROM event WHERE hearing IS NOT NULL "
            "GROUP BY hearing) l ON e.number = l.number WHERE e.kind <> 'seal' OR NOT EXISTS (SELECT 1 FROM checkpoint "
            "c WHERE c.hearing = e.hearing AND c.size = json_extract(e.body, '$.leaves') + 1) ORDER BY e.number",
            (),
        )
        return [str(hearing) for (hearing,) in rows]

    def _one(self, where: str, arguments: tuple[Any, ...]) -> StoredCheckpoint | None:
        found = self._many(where, arguments)
        return found[0] if found else None

    def _many(self, where: str, arguments: tuple[Any, ...]) -> list[StoredCheckpoint]:
        rows = self._rows(f"SELECT {_COLUMNS} FROM checkpoint {where}", arguments)  # noqa: S608 (constants)
        return [StoredCheckpoint(h, size, bool(seal), note, w, r, token) for h, size, seal, note, w, r, token in rows]

    def _rows(self, query: str, arguments: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._db.execute(query, arguments).fetchall()
            except sqlite3.Error as error:
                raise StorageError(f"the room's checkpoints cannot be read ({error}); look at its disk") from error

    def _write(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                for query, arguments in statements:
                    self._db.execute(query, arguments)
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise StorageError(f"a checkpoint could not be kept ({error}); it is tried again") from error
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
