"""The quick writer of leaves says, byte for byte, what the general writer of canonical JSON says."""

from __future__ import annotations

import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.errors import LedgerError
from sync.ledger.leaf import _written, leaf_of, read_leaf
from sync.record.event import Event

INT = st.integers(-(2**53) + 1, 2**53 - 1)
FLOAT = st.floats(allow_nan=False, allow_infinity=False, min_value=-(2**53) + 1, max_value=2**53 - 1) | st.sampled_from(
    [
        0.0,
        -0.0,
        1.0,
        1e-4,
        9.9e-5,
        1e-6,
        1e-7,
        5e-324,
        1e15,
        123456789012345.6,
        1e14 + 0.5,
        0.1,
        -2.5,
        4503599627370497.5,
    ]
)
TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
KEY = TEXT | st.sampled_from(["a", "z", "é", "￿", "𐀀", '"', "\n", "\x7f"])
VALUE = st.recursive(
    st.none() | st.booleans() | INT | FLOAT | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=5),
    max_leaves=20,
)
TIMES = st.dictionaries(st.sampled_from(["at_ns", "to_ns"]), st.integers(-(2**63), 2**63 - 1))


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEY, VALUE | TIMES, max_size=5), TIMES)
def test_both_writers_agree_and_the_reader_takes_it(body: dict[str, object], times: dict[str, object]) -> None:
    event = Event(7, "h", "mark", 1_795_000_000_000_000_001, -5, {**body, **times})
    leaf = leaf_of(event)
    assert leaf == rfc8785.dumps(_written(event.to_json(), 0))
    # Text that looks like a time under such a key is read back as one; nothing else changes.
    assert leaf_of(read_leaf(leaf)) == leaf


def test_depth_is_bounded_the_same_way_by_both() -> None:
    def nested(levels: int) -> Event:
        value: object = 1
        for _ in range(levels):
            value = [value]
        return Event(1, "h", "mark", 1, 1, {"v": value})

    for levels in range(25, 36):
        try:
            leaf = leaf_of(nested(levels))
        except LedgerError:
            assert levels > 28
            continue
        assert leaf_of(read_leaf(leaf)) == leaf
