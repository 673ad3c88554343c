"""JSON that others wrote: what is returned is bounded, and what is refused is refused with one error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.record.milliseconds import to_ms
from sync.text.strict_json import MAX_DEPTH, UnreadableError, read_strict

LIMIT = 200_000
HUGE = st.integers(-(10**400), 10**400) | st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64])
FOREIGN = st.recursive(
    st.none() | st.booleans() | HUGE | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a_ns", "b", "_ns"]), inner),
    max_leaves=12,
)


def _integers(value: Any) -> list[int]:
    if isinstance(value, dict | list):
        return [n for one in (value.values() if isinstance(value, dict) else value) for n in _integers(one)]
    return [value] if isinstance(value, int) else []


@settings(max_examples=200, deadline=None)
@given(FOREIGN)
def test_what_is_read_fits_a_database_and_can_be_written_again(value: Any) -> None:
    try:
        read = read_strict(json.dumps(value).encode(), limit=LIMIT)
    except UnreadableError:
        return
    assert "\0" not in json.dumps(read, allow_nan=False, ensure_ascii=False).encode().decode()
    assert all(-(2**63) <= n < 2**63 for n in _integers(read))


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2),
        b'{"numbers": [9223372036854775808]}',
        b'{"a_ns": ' + b"1" * 400 + b"}",
        b'{"a_ns": ' + b"1" * 5000 + b"}",
        b'{"a": -9223372036854775809}',
        b'{"a": 1e999}',
        b'{"a": 0.' + b"1" * 1000 + b"}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\\ud800"}',
        b'{"\\uDFFF": 1}',
        b'["x", {"a": ["\\udc00\\ud83d"]}]',
        b'{"a": "\\u0000"}',
        b"\xed\xa0\x80",
        b"\xff\xfe",
        b"",
        b" " * (LIMIT + 1),
    ],
)
def test_it_is_refused(text: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_strict(text, limit=LIMIT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'{"a": "\ud83d\ude00"}', {"a": "\U0001f600"}),
        (rb'{"a": "\\u0000 \\ud800"}', {"a": r"\u0000 \ud800"}),
        (rb'{"a": "\\\\u0000"}', {"a": r"\\u0000"}),
    ],
)
def test_whole_pairs_and_text_that_speaks_of_escapes_are_read(text: bytes, value: Any) -> None:
    assert read_strict(text, limit=LIMIT) == value


def test_what_people_paste_is_mended_and_what_old_records_hold_is_read() -> None:
    assert read_strict(rb'{"a": "x\ud800y\u0000z"}', limit=LIMIT, mend=True) == {"a": "x\ufffdyz"}
    assert read_strict(rb'{"a": "\u0000"}', limit=LIMIT, nul=True) == {"a": "\0"}
    for twice in (rb'{"\ud800": 1, "\udbff": 2}', rb'{"a": 1, "a\u0000": 2}'):
        with pytest.raises(UnreadableError):
            read_strict(twice, limit=LIMIT, mend=True)


def test_what_is_just_within_the_bounds_is_read() -> None:
    assert read_strict(b"[9223372036854775807, -9223372036854775808, 1e308]", limit=LIMIT) == [
        2**63 - 1,
        -(2**63),
        1e308,
    ]
    assert read_strict(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, limit=LIMIT)
    assert to_ms(read_strict(b'{"a_ns": 9223372036854775807}', limit=LIMIT))
