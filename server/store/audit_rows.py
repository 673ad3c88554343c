"""The only way into the audit log: rows are appended, each with the leaf that it is in the log's tree.

Promises: a row and its leaf are written in one transaction, and the order of leaves is the order in which rows were
committed, whoever writes them (the center, or `wutong export` beside it). Nothing here changes or removes a row.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, text

from server.store import tables as t
from sync.errors import LedgerError
from sync.ledger.audit_leaf import AuditRow, leaf_of_row
from sync.ledger.tree import HASH_BYTES, leaf_hash


def append_rows(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append rows (`utc_ns`, `what`, `role`, `address`, `detail`, `granted`, and `person` where it is somebody whom the
    center knows) to the audit log."""
    if connection.dialect.name == "postgresql":
        # SQLite has one writer in any case; here two might each take the same place.
        connection.execute(text("LOCK TABLE audit_leaves IN SHARE ROW EXCLUSIVE MODE"))
    place = -1
    for values in rows:
        row = {**values, **{name: _text(values[name]) for name in ("what", "role", "address", "detail")}}
        row["person"] = _text(values.get("person", ""))
        number = int(connection.execute(insert(t.audit).values(**row).returning(t.audit.c.row)).scalar_one())
        if place < 0:  # the row that was just written keeps every other writer out until the end
            last = connection.execute(select(func.max(t.audit_leaves.c.place))).scalar()
            place = 0 if last is None else int(last) + 1
        digest = leaf_hash(leaf_of_row(AuditRow(row=number, **row)))
        connection.execute(insert(t.audit_leaves).values(place=place, row=number, sha256=digest.hex()))
        place += 1


def row_of(row: Row[Any]) -> AuditRow:
    """A row of the table as the ledger has it."""
    granted = bool(row.granted)
    return AuditRow(row.row, row.utc_ns, row.what, row.role, row.address, row.detail, granted, row.person)


def noted_digest(value: object) -> bytes:
    """The hash of a leaf as the table has it; `LedgerError` "fork" for what nobody here has written."""
    try:
        digest = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        digest = b""
    if len(digest) != HASH_BYTES:
        raise LedgerError("the hash of a leaf of the audit log is none", code="fork")
    return digest


@contextlib.contextmanager
def as_it_lies(connection: Connection) -> Iterator[None]:
    """Within, what somebody has put into SQLite in place of a text comes as what is no text, for who judges it, and
    does not keep the rows around it from being read."""
    raw: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite" or raw is None:
        yield
        return
    before, raw.text_factory = raw.text_factory, lambda data: data.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        raw.text_factory = before


def _text(value: object) -> str:
    """What a database can hold: half of a pair of surrogates, or a NUL, is no text."""
    return str(value).encode("utf-8", "replace").decode().replace("\0", "�")
