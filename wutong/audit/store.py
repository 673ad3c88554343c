"""The audit log where it is kept: the center's store, and what a room's log holds of its heads."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID
from sqlalchemy import Connection, select

from server.config import Config
from server.store import tables as t
from server.store.audit_rows import as_it_lies, noted_digest, row_of
from server.store.database import Database, open_database
from sync.errors import ConfigError, LedgerError
from sync.room.paths import RoomPaths
from sync.runtime.keys.foreign_certificates import FOREIGN_ERRORS
from wutong.audit.copy import AuditCopy, CopiedHead, CopiedLeaf, HeldHead

KINDS = ("audit-head", "audit-back")
MAX_HELD = 100_000
MAX_CERTIFICATE_BYTES = 64 * 1024
NO_ROW = -1
"""Of a leaf that names none."""


def opened_store(config: Config) -> Database:
    """The center's database; the server may run beside it. `ConfigError` when there is none."""
    if not config.storage.database and not (config.storage.data / "center.db").is_file():
        raise ConfigError(f"{config.storage.data} is not the data folder of a center: it has no center.db")
    return open_database(config.database_url, patient=True)


def copy_of_store(database: Database) -> AuditCopy:
    """All of the log, as one reader sees it at one moment, whatever somebody has made of it."""
    return database.read_now(_copy)


def _copy(connection: Connection) -> AuditCopy:
    with as_it_lies(connection):
        return _copied(connection)


def _copied(connection: Connection) -> AuditCopy:
    rows = {row.row: row_of(row) for row in connection.execute(select(t.audit))}
    noted = connection.execute(select(t.audit_leaves).order_by(t.audit_leaves.c.place)).all()
    copy = AuditCopy([], [])
    for leaf in noted:
        if leaf.place != len(copy.leaves):
            copy.missing_place = len(copy.leaves)
            break
        number = leaf.row if type(leaf.row) is int else NO_ROW
        copy.leaves.append(CopiedLeaf(number, _digest(leaf.sha256), rows.get(number)))
    known = {leaf.row for leaf in noted}
    copy.unnoted = sorted(rows.keys() - known)
    heads = connection.execute(select(t.audit_heads).order_by(t.audit_heads.c.size))
    copy.heads = [CopiedHead(_text(head.note), _token(head.token)) for head in heads]
    copy.size = len(copy.leaves)
    devices = {r.room: _text(r.certificate) for r in connection.execute(select(t.devices).order_by(t.devices.c.row))}
    events = select(t.events.c.room, t.events.c.body).where(t.events.c.kind == "access").order_by(t.events.c.number)
    for room, body in connection.execute(events):
        text = _text(body)
        if not text or any(kind in text for kind in KINDS):
            copy.held += _held(room, text, devices.get(room, ""))
    return copy


def held_by_room(data: Path) -> list[HeldHead]:
    """The heads in a room's own log, from its data folder; `ConfigError` when it has none. A certificate that cannot be
    read is for who judges: they believe none of its heads, and say so."""
    layout = RoomPaths(data)
    if not layout.log.is_file():
        raise ConfigError(f"{data} is not the data folder of a room: it has no log")
    certificate, room = "", str(data)
    if layout.device_certificate.is_file():
        certificate = layout.device_certificate.read_bytes()[:MAX_CERTIFICATE_BYTES].decode("ascii", "replace")
        room = _named(certificate) or room
    query = "SELECT body FROM event WHERE kind = 'access' AND key LIKE 'audit-head/%' ORDER BY number DESC LIMIT ?"
    try:
        with closing(sqlite3.connect(f"file:{layout.log}?mode=ro", uri=True)) as db:
            bodies = [_text(body) for (body,) in db.execute(query, (MAX_HELD,))]
    except sqlite3.Error as error:
        raise ConfigError(f"the log of the room in {data} cannot be read: {error}") from error
    return [held for body in bodies for held in _held(room, body, certificate)]


def _named(certificate: str) -> str:
    """Whose a certificate says that it is; nothing when it says nothing."""
    try:
        subject = x509.load_pem_x509_certificate(certificate.encode()).subject
        return str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    except (*FOREIGN_ERRORS, IndexError):
        return ""


def _held(room: str, text: str, certificate: str) -> list[HeldHead]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return [HeldHead(room, "", certificate)]  # it may have been one, and is said to be none
    if not isinstance(body, dict) or body.get("what") not in KINDS or not isinstance(body.get("note"), str):
        return []
    return [HeldHead(room, body["note"], certificate, body["what"] == "audit-back")]


def _digest(value: object) -> bytes:
    try:
        return noted_digest(value)
    except LedgerError:
        return b""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _token(value: object) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else b""
