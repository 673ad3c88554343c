"""The room's log: every durable fact of a room in one numbered order, and which of them the center has not receipted.

One SQLite file (WAL, `synchronous=FULL`) that the services of the room append to; a commit is on disk when `append`
returns. The log keeps everything; the *outbox* is the list of numbers that the center has not yet receipted, and only
`forget` shortens it. Appending with a `key` is idempotent, so a service that restarts may say a thing again.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import structlog

from sync.errors import LedgerError, StorageError
from sync.record.event import AFTER_SEAL, DAMAGED, Event, seal_key
from sync.runtime.files.write_ahead import is_locked, write_ahead

log = structlog.get_logger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    hearing  TEXT,
    kind     TEXT NOT NULL,
    room_ns  INTEGER NOT NULL,
    utc_ns   INTEGER NOT NULL,
    key      TEXT UNIQUE,
    body     TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_hearing ON event (hearing, number);
CREATE TABLE IF NOT EXISTS outbox (number INTEGER PRIMARY KEY REFERENCES event (number));
"""

_COLUMNS = "event.number, event.hearing, event.kind, event.room_ns, event.utc_ns, event.body"


def _is_sealed(db: sqlite3.Connection, hearing: str) -> bool:
    return db.execute("SELECT 1 FROM event WHERE key = ?", (seal_key(hearing, 0),)).fetchone() is not None


def _last_of(db: sqlite3.Connection, hearing: str | None) -> int | None:
    row = db.execute("SELECT max(number) FROM event WHERE hearing = ?", (hearing,)).fetchone()
    return None if row is None else row[0]


def _event(row: tuple[Any, ...], *, mark: bool = False) -> Event:
    number, hearing, kind, room_ns, utc_ns, body = row
    try:
        read = json.loads(body)
        if not isinstance(read, dict):
            raise TypeError("its body is no object")
    except (TypeError, ValueError, RecursionError) as error:
        if mark:
            log.error("event_damaged", number=number, hearing=hearing, kind=kind, why=str(error))
            return Event(number, hearing, kind, room_ns, utc_ns, {DAMAGED: str(error)})
        raise StorageError(f"event {number} in the room's log is damaged ({error}); look at the room's disk") from error
    return Event(number, hearing, kind, room_ns, utc_ns, read)


class RoomLog:
    """Safe to share between the threads of a process, and to open in several processes."""

    def __init__(self, path: Path, *, patient: bool = False) -> None:
        """`patient`: the file is opened at the first use, so that nobody waits for the disk here; when it cannot be,
        that is an error of each use, and is tried again at the next.
        """
        self._path = path
        self._patient = patient
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        if not patient:
            with self._lock:
                self._open()

    def _open(self) -> sqlite3.Connection:
        """The connection; call it with the lock held."""
        if self._connection is not None:
            return self._connection
        if self._closed:
            raise StorageError("the room's log was closed; this service is stopping")
        db: sqlite3.Connection | None = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self._path, timeout=10, check_same_thread=False, isolation_level=None)
            write_ahead(db.execute)
            db.execute("PRAGMA synchronous=FULL")
            db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            if db is not None:
                db.close()
            raise StorageError(
                f"the room's log {self._path} cannot be opened ({error}); recording is not affected;"
                " see 'The room's log is damaged' in docs/operations.md"
            ) from error
        self._connection = db
        return db

    def _failed(self, error: sqlite3.Error) -> None:
        """A patient log forgets a connection to a damaged file, so that it finds the one that is put in its place."""
        if self._patient and self._connection is not None and not is_locked(error):
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def append(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        hearing: str | None,
        room_ns: int,
        utc_ns: int,
        key: str | None = None,
        after: int | None = None,
    ) -> Event:
        """Write one fact and put it into the outbox; on disk when this returns.

        With a `key` that was used before, nothing is written and the earlier event is returned. With `after`, it is
        written only while that is the number of the hearing's last event, else `LedgerError` "moved". Of a hearing
        that is sealed only `AFTER_SEAL` is taken: anything else becomes a fact of the room, with the hearing in `of`.
        """
        text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        with self._lock:
            db = self._open()
            try:
                db.execute("BEGIN IMMEDIATE")
                try:
                    if key is not None:
                        row = db.execute(f"SELECT {_COLUMNS} FROM event WHERE key = ?", (key,)).fetchone()  # noqa: S608 (constant)
                        if row is not None:
                            return _event(row)
                    if hearing is not None and kind not in AFTER_SEAL and _is_sealed(db, hearing):
                        text = json.dumps({**body, "of": hearing}, ensure_ascii=False, sort_keys=True, allow_nan=False)
                        hearing = None
                    if after is not None and _last_of(db, hearing) != after:
                        raise LedgerError(f"something was said after event {after}; look again", code="moved")
                    cursor = db.execute(
                        "INSERT INTO event (hearing, kind, room_ns, utc_ns, key, body) VALUES (?, ?, ?, ?, ?, ?)",
                        (hearing, kind, room_ns, utc_ns, key, text),
                    )
                    number = cursor.lastrowid
                    assert number is not None
                    db.execute("INSERT INTO outbox (number) VALUES (?)", (number,))
                    db.execute("COMMIT")
                finally:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
            except sqlite3.Error as error:
                self._failed(error)
                raise StorageError(f"the room's log refused a {kind} ({error}); it will be said again") from error
        return Event(number, hearing, kind, room_ns, utc_ns, json.loads(text))

    def begin_at(self, number: int) -> bool:
        """Number the first event so, where there is none yet; whether there was none.

        Another machine was this room before, and the center has what that one said by its numbers."""
        with self._lock:
            db = self._open()
            try:
                db.execute("BEGIN IMMEDIATE")
                try:
                    if db.execute("SELECT 1 FROM event LIMIT 1").fetchone() is not None:
                        return False
                    db.execute("DELETE FROM sqlite_sequence WHERE name = 'event'")
                    db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('event', ?)", (number - 1,))
                    db.execute("COMMIT")
                    return True
                finally:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
            except sqlite3.Error as error:
                self._failed(error)
                raise StorageError(f"the room's log cannot be begun ({error}); look at the room's disk") from error

    def since(self, number: int, *, limit: int = 1000, mark: bool = False) -> list[Event]:
        """Events after `number`, oldest first. A damaged one is a `StorageError`; with `mark`, `DAMAGED`."""
        return self._select("FROM event WHERE number > ? ORDER BY number LIMIT ?", (number, limit), mark=mark)

    def of_hearing(self, hearing: str, kinds: Iterable[str] = (), *, mark: bool = False) -> list[Event]:
        """The events of a hearing, oldest first: all, or those of some kinds. `mark` as in `since`."""
        wanted = tuple(kinds)
        some = f" AND kind IN ({','.join('?' * len(wanted))})" if wanted else ""
        return self._select(f"FROM event WHERE hearing = ?{some} ORDER BY number", (hearing, *wanted), mark=mark)

    def last_number(self) -> int:
        """The number of the last event; 0 when there is none."""
        return int(self._rows("SELECT coalesce(max(number), 0) FROM event")[0][0])

    def last_opened(self) -> str | None:
        """The hearing that was opened last, or None if the room never had one."""
        rows = self._rows("SELECT hearing FROM event WHERE kind = 'open' ORDER BY number DESC LIMIT 1")
        return str(rows[0][0]) if rows else None

    def last_of_kind(self, kind: str) -> Event | None:
        """The newest event of a kind, of whatever hearing."""
        found = self._select("FROM event WHERE kind = ? ORDER BY number DESC LIMIT 1", (kind,))
        return found[0] if found else None

    def opened_last(self, limit: int) -> list[str]:
        """The hearings that were opened last, oldest first."""
        rows = self._rows("SELECT hearing FROM event WHERE kind = 'open' ORDER BY number DESC LIMIT ?", (limit,))
        return [str(hearing) for (hearing,) in reversed(rows)]

    def keys(self, prefix: str) -> set[str]:
        """All keys that were used and begin with `prefix` (ASCII)."""
        rows = self._rows("SELECT key FROM event WHERE key >= ? AND key < ?", (prefix, prefix + "\x7f"))
        return {str(key) for (key,) in rows}

    def pending(self, *, limit: int = 64, after: int = 0, mark: bool = False) -> list[Event]:
        """What the center has not receipted, oldest first. `mark` as in `since`."""
        return self._select(
            "FROM event JOIN outbox USING (number) WHERE number > ? ORDER BY number LIMIT ?", (after, limit), mark=mark
        )

    def pending_of(self, hearing: str, *, limit: int = 64, after: int = 0, mark: bool = False) -> list[Event]:
        """Of one hearing, what the center has not receipted, oldest first. `mark` as in `since`."""
        rest = (
            "FROM event JOIN outbox USING (number) WHERE hearing = ? AND number > ?"
            " AND number >= (SELECT min(number) FROM outbox) ORDER BY number LIMIT ?"
        )
        return self._select(rest, (hearing, after, limit), mark=mark)

    def latest_hearing(self) -> str | None:
        """Of which hearing something was said last."""
        rows = self._rows("SELECT hearing FROM event WHERE hearing IS NOT NULL ORDER BY number DESC LIMIT 1")
        return None if not rows else str(rows[0][0])

    def pending_count(self) -> int:
        """How many events wait for a receipt."""
        return int(self._rows("SELECT count(*) FROM outbox")[0][0])

    def oldest_pending_utc_ns(self) -> int | None:
        """When the oldest event was said that waits for a receipt; None when none does."""
        rows = self._rows("SELECT utc_ns FROM event JOIN outbox USING (number) ORDER BY number LIMIT 1")
        return None if not rows else int(rows[0][0])

    def forget(self, numbers: Iterable[int]) -> None:
        """The center has these for good: take them out of the outbox (they stay in the log)."""
        with self._lock:
            db = self._open()
            try:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("DELETE FROM outbox WHERE number = ?", [(n,) for n in numbers])
                db.execute("COMMIT")
            except sqlite3.Error as error:
                raise StorageError(f"a receipt could not be noted ({error}); the center will repeat it") from error
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def _select(self, rest: str, arguments: tuple[Any, ...], *, mark: bool = False) -> list[Event]:
        return [_event(row, mark=mark) for row in self._rows(f"SELECT {_COLUMNS} {rest}", arguments)]

    def _rows(self, query: str, arguments: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            db = self._open()
            try:
                return db.execute(query, arguments).fetchall()
            except sqlite3.Error as error:
                self._failed(error)
                raise StorageError(f"the room's log cannot be read ({error}); look at the room's disk") from error
