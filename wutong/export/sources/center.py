"""A hearing out of the center's store: what was receipted and witnessed, whether the room is reachable or not."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, select

from server.access.classification import Classifications
from server.config import Config
from server.integrity.enrollment import center_key
from server.objects.opened import open_objects
from server.store import tables as t
from server.store.audit_rows import append_rows
from server.store.database import open_database
from server.store.files import belongs
from server.store.reader import RecordReader
from server.store.rights.sealed_parts import parts_and_lifted
from server.store.writer import RecordWriter
from sync.errors import ConfigError, LedgerError
from sync.ledger.keys import CENTER, public_pem
from sync.ledger.note import Verifier, read_note, signed_by
from sync.ledger.signing_key import SigningKey
from sync.record.bodies.evidence import DrawnPicture
from sync.record.bodies.media import AccessBody
from sync.record.event import Event
from sync.record.sealed_parts import SealedPart
from sync.record.signing import Document
from sync.record.timeline import Exhibit, Segment
from sync.runtime.files.readable_file import ReadableFile

T = TypeVar("T")


class CenterSource:
    """`config` is the center's; the server may run beside it."""

    by = "center"

    def __init__(self, config: Config, hearing: str) -> None:
        self.hearing = hearing
        if not config.storage.database and not (config.storage.data / "center.db").is_file():
            raise ConfigError(f"{config.storage.data} is not the data folder of a center: it has no center.db")
        self._data = config.storage.data
        self._objects = open_objects(config)
        self._db = open_database(config.database_url)
        events = select(t.events).where(t.events.c.hearing == hearing).order_by(t.events.c.number)
        rows = self._read(lambda connection: connection.execute(events).all())
        self._events = [Event(r.number, r.hearing, r.kind, r.room_ns, r.utc_ns, json.loads(r.body)) for r in rows]
        if not any(event.kind == "open" for event in self._events):
            self.close()
            raise ConfigError(f"the center has no hearing {hearing} (or not its opening yet)")
        self.room = str(rows[0].room)
        self.level = asyncio.run(self._level())
        c = t.checkpoints.c
        notes = select(c.note, c.token, c.last_number).where(c.hearing == hearing, c.refused == "").order_by(c.size)
        self._checkpoints = self._read(lambda connection: connection.execute(notes).all())

    def close(self) -> None:
        """Let go of the database."""
        self._db.close()

    def sealed_parts(self) -> Sequence[SealedPart]:
        """Those of the room, and its own."""
        parts, _ = self._read(lambda connection: parts_and_lifted(connection, [self.hearing]))
        return list(parts.get(self.hearing, {}).values())

    def events(self) -> Sequence[Event]:
        """All events that the center holds."""
        return self._events

    def checkpoints(self) -> Sequence[str]:
        """Those that the center has countersigned."""
        return [str(row.note) for row in self._checkpoints]

    def device(self) -> bytes | None:
        """The certificate of the device that signed the last checkpoint."""
        if not self._checkpoints:
            return None
        note = read_note(str(self._checkpoints[-1].note))
        d = t.devices.c
        query = select(d.public_key, d.certificate).where(d.room == self.room).order_by(d.row.desc())
        for row in self._read(lambda connection: connection.execute(query).all()):
            try:
                key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(row.public_key))
                if signed_by(note, Verifier(self.room, key)) is not None:
                    return str(row.certificate).encode()
            except (LedgerError, ValueError):
                continue
        return None

    def token(self) -> bytes | None:
        """The token of the last seal's checkpoint."""
        seals = {event.number for event in self._events if event.kind == "seal"}
        sealed = [row.token for row in self._checkpoints if row.last_number in seals]
        return bytes(sealed[-1]) if sealed and sealed[-1] is not None else None

    def segment(self, segment: Segment) -> ReadableFile | None:
        """Objects are named by their content."""
        return self._object("segment", segment.sha256)

    def exhibit(self, sha256: str) -> ReadableFile | None:
        """Likewise."""
        return self._object("exhibit", sha256)

    def picture(self, exhibit: Exhibit, picture: DrawnPicture) -> ReadableFile | None:
        """Likewise."""
        return self._object("page", picture["sha256"])

    def document(self, document: Document) -> ReadableFile | None:
        """Likewise."""
        return self._object("document", document.sha256)

    def signer(self) -> tuple[str, SigningKey] | None:
        """The center."""
        return CENTER, center_key(self._data)

    def center_public(self) -> bytes | None:
        """Its own."""
        return public_pem(center_key(self._data).public_key())

    def note_access(self, detail: AccessBody) -> None:
        """Onto the audit log, with the level."""
        row = {
            "utc_ns": time.time_ns(),
            "what": str(detail.get("what", "export"))[:32],
            "role": "operator",
            "address": "local",
            "detail": json.dumps({**detail, "level": self.level}, ensure_ascii=False),
            "granted": True,
        }
        asyncio.run(self._db.write(lambda connection: append_rows(connection, [row])))

    async def _level(self) -> str:
        """As the server would say now: the opening may not be folded into its table of hearings yet."""
        classifications = Classifications(RecordWriter(self._db), RecordReader(self._db))
        classifications.take(None, await self._db.read(lambda connection: classifications.read(connection, None)))
        opening = next(event for event in self._events if event.kind == "open")
        classifications.take_opening(self.hearing, opening.body.get("case"))
        return classifications.of(self.hearing).value

    def _read(self, work: Callable[[Connection], T]) -> T:
        return asyncio.run(self._db.read(work))

    def _object(self, kind: str, sha256: str) -> ReadableFile | None:
        """What the hearing's own room stored as a part of it: an event that only names a hash brings nothing along."""
        mine = belongs(self.room, self.hearing, kind) & (t.files.c.sha256 == sha256)
        if self._read(lambda connection: connection.execute(select(t.files.c.place).where(mine)).first()) is None:
            return None
        file = self._objects.file(sha256)
        return file if file.is_file() else None
