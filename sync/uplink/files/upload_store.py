"""Which files the center must still receive: a small SQLite file of which the uplink is the sole writer.

It can be lost without harm: it is rebuilt from the room's log, and the center knows what it has. So it is written with
`synchronous=NORMAL`.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sync.errors import StorageError
from sync.media.tracks import SOUND
from sync.record.bodies.evidence import DrawnBody, ExhibitBody
from sync.record.bodies.media import SegmentBody
from sync.record.bodies.signing import DocumentBody
from sync.record.event import Event
from sync.room.paths import page_picture_name
from sync.runtime.files.write_ahead import write_ahead

_SCHEMA = """
CREATE TABLE IF NOT EXISTS upload (
    key            TEXT PRIMARY KEY,
    kind           TEXT NOT NULL,
    hearing        TEXT NOT NULL,
    track          TEXT NOT NULL,
    place          INTEGER NOT NULL,
    file           TEXT NOT NULL,
    media_type     TEXT NOT NULL,
    upload         TEXT,
    sha256         TEXT,
    bytes          INTEGER,
    stored_utc_ns  INTEGER
);
CREATE INDEX IF NOT EXISTS upload_waiting ON upload (stored_utc_ns, sha256);
CREATE TABLE IF NOT EXISTS scanned (number INTEGER NOT NULL);
"""
NOTED_EVENTS = 500
_COLUMNS = "key, kind, hearing, track, place, file, media_type, upload, sha256, bytes, stored_utc_ns"


@dataclass(frozen=True, slots=True)
class Upload:
    """One file on its way. `file` is relative to the hearing's folder; `sha256` and `bytes` are None while it grows."""

    key: str
    kind: str
    hearing: str
    track: str
    index: int
    file: str
    media_type: str
    upload: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    stored_utc_ns: int | None = None

    @classmethod
    def growing(cls, hearing: str, track: str, index: int, file: str) -> Upload:
        """A segment that is still written."""
        kind = "audio/mp4" if track in SOUND else "video/mp4"
        return cls(f"segment/{hearing}/{track}/{index}", "segment", hearing, track, index, file, kind)

    @classmethod
    def of_event(cls, event: Event) -> list[Upload]:
        """What an event obliges the room to send; nothing when its body is not of the protocol."""
        try:
            if event.kind == "drawn" and event.hearing is not None:
                return cls._pictures(event.hearing, cast(DrawnBody, event.body))
            upload = cls._file(event)
        except (KeyError, TypeError, ValueError):
            return []
        return [] if upload is None else [upload]

    @classmethod
    def _pictures(cls, hearing: str, body: DrawnBody) -> list[Upload]:
        """Pictures of pages. The log does not say where they lie: `of` names the exhibit's folder."""
        return [
            cls(
                f"page/{hearing}/{body['exhibit']}/{int(p['page'])}@{int(p['scale'])}",
                "page",
                hearing,
                "",
                int(p["page"]),
                f"pages/{body['of']}/{page_picture_name(int(p['page']), int(p['scale']))}",
                "image/jpeg",
                sha256=str(p["sha256"]),
                bytes=int(p["bytes"]),
            )
            for p in body["pictures"]
        ]

    @classmethod
    def _file(cls, event: Event) -> Upload | None:
        if event.hearing is None:
            return None
        if event.kind == "segment":
            segment = cast(SegmentBody, event.body)
            track, index = str(segment["track"]), int(segment["index"])
            return cls(
                f"segment/{event.hearing}/{track}/{index}",
                "segment",
                event.hearing,
                track,
                index,
                str(segment["file"]),
                str(segment.get("mime", "video/mp4")).split(";")[0],
                sha256=str(segment["sha256"]),
                bytes=int(segment["bytes"]),
            )
        if event.kind == "exhibit":
            exhibit = cast(ExhibitBody, event.body)
            sha256 = str(exhibit["sha256"])
            return cls(
                f"exhibit/{event.hearing}/{sha256}",
                "exhibit",
                event.hearing,
                "",
                int(exhibit["number"]),
                f"exhibits/{sha256}",
                str(exhibit["media_type"]),
                sha256=sha256,
                bytes=int(exhibit["bytes"]),
            )
        if event.kind == "document":
            document = cast(DocumentBody, event.body)
            sha256 = str(document["sha256"])
            return cls(
                f"document/{event.hearing}/{sha256}",
                "document",
                event.hearing,
                "",
                0,
                str(document["file"]),
                "application/octet-stream",
                sha256=sha256,
                bytes=int(document["bytes"]),
            )
        return None


class UploadStore:
    """Safe to use from several threads of one process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._scanned: int | None = None
        self._noted = 0
        try:
            self._db = sqlite3.connect(path, timeout=10, check_same_thread=False)
            write_ahead(self._db.execute)
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise StorageError(
                f"{path} cannot be opened ({error}); delete it and start again: it is rebuilt from the room's log"
            ) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @property
    def scanned(self) -> int:
        """The last number of the room's log that was looked at."""
        if self._scanned is None:
            with self._transaction():
                row = self._db.execute("SELECT max(number) FROM scanned").fetchone()
            self._scanned = self._noted = int(row[0] or 0)
        return self._scanned

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            try:
                with self._db:
                    yield
            except sqlite3.Error as error:
                raise StorageError(f"what was uploaded cannot be noted ({error}); look at the room's disk") from error

    def take(self, events: Iterable[Event]) -> None:
        """Note what these events oblige the room to send; idempotent, and all of it or nothing.

        Most events oblige to nothing. How far the log was looked at is written down with the next that does, or after
        `NOTED_EVENTS`: what lies between is looked at again after a restart.
        """
        last = self.scanned
        uploads: list[Upload] = []
        for event in events:
            last = event.number
            uploads += Upload.of_event(event)
        if uploads or last - self._noted >= NOTED_EVENTS:
            with self._transaction():
                for upload in uploads:
                    self._insert(upload)
                self._db.execute("DELETE FROM scanned")
                self._db.execute("INSERT INTO scanned (number) VALUES (?)", (last,))
            self._noted = last
        self._scanned = last

    def begin(self, upload: Upload) -> Upload:
        """Note a growing segment, or return what is known of it."""
        with self._transaction():
            self._insert(upload)
            row = self._db.execute(f"SELECT {_COLUMNS} FROM upload WHERE key = ?", (upload.key,)).fetchone()  # noqa: S608 (constant)
        return Upload(*row)

    def _insert(self, upload: Upload) -> None:
        values: tuple[Any, ...] = (
            upload.key,
            upload.kind,
            upload.hearing,
            upload.track,
            upload.index,
            upload.file,
            upload.media_type,
            upload.sha256,
            upload.bytes,
        )
        self._db.execute(
            "INSERT INTO upload (key, kind, hearing, track, place, file, media_type, sha256, bytes)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET file = excluded.file,"
            " media_type = excluded.media_type, sha256 = coalesce(excluded.sha256, sha256),"
            " bytes = coalesce(excluded.bytes, bytes) WHERE stored_utc_ns IS NULL",
            values,
        )

    def set_upload(self, key: str, upload: str | None) -> None:
        """The center's id of the upload, or None to start anew."""
        with self._transaction():
            self._db.execute("UPDATE upload SET upload = ? WHERE key = ?", (upload, key))

    def set_stored(self, key: str, stored_utc_ns: int) -> None:
        """The center has it for good."""
        with self._transaction():
            self._db.execute("UPDATE upload SET stored_utc_ns = ? WHERE key = ?", (stored_utc_ns, key))

    def finished(self, *, limit: int, first: str | None = None) -> list[Upload]:
        """Files that are complete in the room and not yet receipted.

        Those of the hearing `first` come before all others; then what is small and looked at.
        """
        order = "hearing IS NOT ?, CASE WHEN kind = 'page' AND place = 1 THEN 0 ELSE 1 END, kind, rowid"
        where = "WHERE stored_utc_ns IS NULL AND sha256 IS NOT NULL"
        return self._select(f"{where} ORDER BY {order} LIMIT ?", (first, limit))

    def get(self, key: str) -> Upload | None:
        """What is known of one file."""
        found = self._select("WHERE key = ?", (key,))
        return found[0] if found else None

    def pending_bytes(self) -> int:
        """The size of all complete files that are not receipted."""
        with self._transaction():
            row = self._db.execute(
                "SELECT coalesce(sum(bytes), 0) FROM upload WHERE stored_utc_ns IS NULL AND sha256 IS NOT NULL"
            ).fetchone()
        return int(row[0])

    def pending(self) -> tuple[int, int]:
        """(files, bytes) of all complete files that are not receipted."""
        with self._transaction():
            row = self._db.execute(
                "SELECT count(*), coalesce(sum(bytes), 0) FROM upload"
                " WHERE stored_utc_ns IS NULL AND sha256 IS NOT NULL"
            ).fetchone()
        return int(row[0]), int(row[1])

    def forget_stored(self) -> None:
        """Whoever had it all is gone: everything is to be sent anew."""
        with self._transaction():
            self._db.execute("UPDATE upload SET stored_utc_ns = NULL, upload = NULL")

    def _select(self, rest: str, arguments: tuple[Any, ...]) -> list[Upload]:
        with self._transaction():
            rows = self._db.execute(f"SELECT {_COLUMNS} FROM upload {rest}", arguments).fetchall()  # noqa: S608 (constant)
        return [Upload(*row) for row in rows]
