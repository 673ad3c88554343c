"""The reader of everybody's JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sync.record.milliseconds import to_ms
from sync.text.strict_json import MAX_DEPTH, UnreadableError, read_strict


def target(data: bytes) -> None:
    try:
        value = read_strict(data, limit=1 << 16)
    except UnreadableError:
        return
    text = json.dumps(value, allow_nan=False)
    assert read_strict(text.encode(), limit=1 << 20) == value
    to_ms(value)


def seeds() -> Iterator[bytes]:
    yield b'{"a_ns": 9223372036854775807, "b": [1.5e3, -0.0, null, true, "\\u3042\\ud83d\\ude00"]}'
    yield b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    yield b'{"a": 1, "a": 2}'
    yield b'[1e308, 0.1, -9223372036854775808, "\\ud800"]'


FOUND = (b'{"a_ns": [1.5e3, -0.0, null, true]}', b'{"a_ns": {"b_ns": true}}')
"""A time that is no number."""
