"""A leaf of the ledger: one event of a hearing as canonical JSON (RFC 8785), and the only way to read it back.

JSON's numbers hold integers only up to 2^53, a hundred days of nanoseconds; so in a leaf every integer whose key ends
in `_ns` is written as decimal text. `read_leaf` takes exactly the bytes that `leaf_of` makes: other spacing, another
order of keys, a key twice, NaN or a number in another form is refused, so two readers can never see two things.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import rfc8785

from sync.errors import LedgerError
from sync.record.event import Event
from sync.text.strict_json import read_strict

MAX_LEAF_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 32
_FIELDS = {"number", "hearing", "kind", "room_ns", "utc_ns", "body"}
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,18})")


class _OddError(Exception):
    """Something that only the general writer of canonical JSON can write."""


def leaf_of(event: Event) -> bytes:
    """The canonical bytes of an event of a hearing; `LedgerError` when it cannot be said in canonical JSON."""
    if event.hearing is None:
        raise LedgerError(f"event {event.number} belongs to no hearing; only a hearing has a ledger", code="leaf")
    value = event.to_json()
    try:
        try:
            # Several times as fast as the general writer, for what events are made of; `_plain` says when they agree.
            return _ENCODER.encode(_plain(value)).encode()
        except _OddError:
            return rfc8785.dumps(_written(value, 0))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise LedgerError(f"event {event.number} cannot be a leaf: {error}", code="leaf") from error


def read_leaf(data: bytes) -> Event:
    """The event that a leaf says; `LedgerError` for anything that `leaf_of` would not have written."""
    if len(data) > MAX_LEAF_BYTES:
        raise LedgerError(f"a leaf of {len(data)} bytes is larger than any honest one", code="leaf")
    try:
        value = read_strict(data, limit=MAX_LEAF_BYTES, nul=True)
        if not isinstance(value, dict) or set(value) != _FIELDS:
            raise LedgerError("a leaf lacks a field, or has one too many", code="leaf")
        if not isinstance(value["number"], int) or not isinstance(value["kind"], str) or value["hearing"] is None:
            raise LedgerError("a leaf's number, kind or hearing is of a wrong type", code="leaf")
        event = Event.from_json(_read(value, 0))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise LedgerError(f"a leaf is not what a ledger holds: {error}", code="leaf") from error
    if leaf_of(event) != data:
        raise LedgerError(f"the leaf of event {event.number} is not in canonical form", code="leaf")
    return event


def _written(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise LedgerError("an event is nested too deeply to be a leaf", code="leaf")
    if isinstance(value, Mapping):
        return {
            key: str(item) if key.endswith("_ns") and type(item) is int else _written(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_written(item, depth + 1) for item in value]
    if isinstance(value, float) and abs(value) >= 1 << 53:
        raise LedgerError(f"{value} is too large to be read back as it was written", code="leaf")
    return value


def _plain(value: Any, depth: int = 0) -> Any:
    """`_written` in one quick pass, for values of which Python's own JSON is the canonical one; else `_OddError`."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if depth >= MAX_DEPTH:
        raise _OddError
    if kind is dict:
        made = {}
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                raise _OddError  # the order of keys is by UTF-16
            item_kind = type(item)
            if item_kind is str:
                made[key] = item
            elif item_kind is int and key.endswith("_ns"):
                made[key] = str(item)
            else:
                made[key] = _plain(item, depth + 1)
        return made
    if kind is list:
        return [_plain(item, depth + 1) for item in value]
    if kind is int and -(1 << 53) < value < 1 << 53:
        return value
    if kind is float:
        if 1e-4 <= abs(value) < 1e15:
            return int(value) if value.is_integer() else value
        if value == 0:
            return 0
    raise _OddError


def _read(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise LedgerError("a leaf is nested too deeply", code="leaf")
    if isinstance(value, dict):
        return {
            key: int(item)
            if key.endswith("_ns") and isinstance(item, str) and _DECIMAL.fullmatch(item)
            else _read(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_read(item, depth + 1) for item in value]
    return value
