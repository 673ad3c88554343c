"""A leaf of the audit log's ledger: one row as canonical JSON (RFC 8785), and the only way to read it back.

The moment is decimal text, because JSON's numbers do not hold nanoseconds of UTC. `read_row` takes exactly the bytes
that `leaf_of_row` makes, so two readers can never see two rows in one leaf. A row that names a person has one field
more; the leaf of one that names nobody is what it was before there were people.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from sync.errors import LedgerError

MAX_ROW_BYTES = 64 * 1024
"""Of a leaf; the largest row that is written has a few kilobytes."""
_FIELDS = {"row", "utc_ns", "what", "role", "address", "detail", "granted"}
_TEXTS = ("what", "role", "address", "detail")
_PERSON = "person"
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
"""Canonical for what a row is made of: texts, whole numbers below 2^53, yes and no, under names in ASCII."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row of the audit log. `utc_ns` is UTC in nanoseconds, `row` its number in the table."""

    row: int
    utc_ns: int
    what: str
    role: str
    address: str
    detail: str
    granted: bool
    person: str = ""
    """Who it was, by the center's list of people; empty where that is not known."""


def leaf_of_row(row: AuditRow) -> bytes:
    """The canonical bytes of a row; `LedgerError` "leaf" when something in it is no text: no such row was written."""
    value = {name: getattr(row, name) for name in _FIELDS} | {"utc_ns": str(row.utc_ns)}
    if row.person != "":
        value[_PERSON] = row.person
    try:
        return _ENCODER.encode(value).encode()
    except (UnicodeEncodeError, TypeError) as error:
        raise LedgerError(f"row {row.row} of the audit log holds what is no text", code="leaf") from error


def read_row(data: bytes) -> AuditRow:
    """The row that a leaf says; `LedgerError` "leaf" for anything that `leaf_of_row` would not have written."""
    if len(data) > MAX_ROW_BYTES:
        raise LedgerError(f"a row of {len(data)} bytes is larger than any honest one", code="leaf")
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"a row is not JSON: {error}", code="leaf") from error
    if not isinstance(value, dict) or set(value) - {_PERSON} != _FIELDS:
        raise LedgerError("a row lacks a field, or has one too many", code="leaf")
    row = _checked(value)
    if leaf_of_row(row) != data:
        raise LedgerError(f"row {row.row} is not in canonical form", code="leaf")
    return row


def _checked(value: dict[str, Any]) -> AuditRow:
    number, moment, granted = value["row"], value["utc_ns"], value["granted"]
    if type(number) is not int or not 0 <= number < 1 << 53 or type(granted) is not bool:
        raise LedgerError("a row's number is none, or it does not say whether something was granted", code="leaf")
    if not isinstance(moment, str) or not _DECIMAL.fullmatch(moment):
        raise LedgerError(f"row {number} has no moment", code="leaf")
    texts = {name: value[name] for name in (*_TEXTS, _PERSON) if name in value}
    if not all(isinstance(text, str) for text in texts.values()):
        raise LedgerError(f"row {number} has a field that is no text", code="leaf")
    return AuditRow(row=number, utc_ns=int(moment), granted=granted, **texts)
