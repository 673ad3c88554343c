"""The forms of the audit log's ledger: one leaf for a row, one text for a head, one proof for a stretch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import LedgerError
from sync.ledger.audit_head import AuditHead, name_of, read_head, sign_head
from sync.ledger.audit_leaf import AuditRow, leaf_of_row, read_row
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.note import sign
from sync.ledger.range_proof import range_proof, root_by_range
from sync.ledger.tree import root_of

KEY = Ed25519PrivateKey.generate()
ROW = AuditRow(7, 1_795_000_000_000_000_001, "view", "inspector", "10.0.0.9", '{"hearing":"h1"}', True)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(TEXT, TEXT, st.integers(0, 2**53 - 1), st.integers(-(2**62), 2**62), st.booleans(), TEXT)
def test_a_leaf_is_canonical_json_and_reads_back_as_the_row(
    what: str, detail: str, number: int, utc_ns: int, granted: bool, person: str
) -> None:
    row = AuditRow(number, utc_ns, what, "inspector", "::1", detail, granted, person)
    leaf = leaf_of_row(row)
    assert read_row(leaf) == row
    assert leaf == rfc8785.dumps(json.loads(leaf))


def test_a_row_that_names_nobody_is_the_leaf_of_before_and_no_name_is_put_in_or_taken_out_of_one() -> None:
    before = leaf_of_row(ROW)
    assert b"person" not in before
    named = leaf_of_row(replace(ROW, person="0123456789abcdef"))
    assert read_row(named).person == "0123456789abcdef"
    assert len({before, named, leaf_of_row(replace(ROW, person="fedcba9876543210"))}) == 3


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        leaf_of_row(ROW).replace(b'"role"', b'"person":"","role"'),
        leaf_of_row(ROW).replace(b'"role"', b'"person":7,"role"'),
        leaf_of_row(ROW).replace(b'"role"', b'"persons":"x","role"'),
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b" " + leaf_of_row(ROW),
        leaf_of_row(ROW).replace(b'"row":7', b'"row":7.0'),
        leaf_of_row(ROW).replace(b'"row":7', b'"row":07'),
        leaf_of_row(ROW).replace(b'"row":7', b'"row":true'),
        leaf_of_row(ROW).replace(b'"row":7', b'"row":7,"row":8'),
        leaf_of_row(ROW).replace(b'"row":7', b'"row":' + b"9" * 5000),
        leaf_of_row(ROW).replace(b"1795", b"+1795"),
        leaf_of_row(ROW).replace(b"true", b"1"),
        leaf_of_row(ROW).replace(b"view", b"\\ud800"),
        leaf_of_row(AuditRow(7, 1, "view", "", "", "x" * 70_000, True)),
    ],
)
def test_what_no_log_would_have_written_is_no_row(leaf: bytes) -> None:
    with pytest.raises(LedgerError):
        read_row(leaf)


def head(**more: int) -> AuditHead:
    values = {"size": 3, "last_row": 3, "utc_ns": 1_795_000_000_000_000_000, **more}
    return AuditHead(name_of(KEY.public_key()), root=bytes(32), **values)


def test_a_head_is_of_one_center_and_signed_by_it() -> None:
    note, read = read_head(sign_head(head(), KEY).to_text(), KEY.public_key())
    assert (read, note.text) == (head(), head().to_text())
    other = Ed25519PrivateKey.generate()
    with pytest.raises(LedgerError):
        read_head(sign_head(head(), other).to_text(), KEY.public_key())
    foreign = AuditHead("0" * 16, 3, bytes(32), 3, 1)
    with pytest.raises(LedgerError, match="another center"):
        read_head(sign_head(foreign, KEY).to_text(), KEY.public_key())


def test_a_checkpoint_of_a_hearing_is_no_head_and_a_head_is_no_checkpoint() -> None:
    checkpoint = Checkpoint("court1/c03", "h1", 3, bytes(32), 3, 1)
    with pytest.raises(LedgerError):
        read_head(sign(checkpoint.to_text(), "wutong-center", KEY).to_text(), KEY.public_key())
    with pytest.raises(LedgerError):
        Checkpoint.from_text(head().to_text())


@pytest.mark.parametrize(
    "change",
    [("\n3\n", "\n03\n"), ("row 3", "row 9223372036854775808"), ("\n3\n", "\n0\n"), ("AAA=", "AA=="), ("utc", "UTC")],
)
def test_a_head_has_one_form(change: tuple[str, str]) -> None:
    with pytest.raises(LedgerError):
        AuditHead.from_text(head().to_text().replace(*change))


def test_a_stretch_of_any_tree_is_proven_and_no_other_stretch_is() -> None:
    digests = [hashlib.sha256(bytes([n])).digest() for n in range(21)]
    for size in (1, 2, 3, 8, 13, 21):
        tree = digests[:size]
        for first in range(size):
            for end in range(first + 1, size + 1):
                path = range_proof(tree, first, end)
                assert root_by_range(tree[first:end], first, size, path) == root_of(tree)
                changed = [*tree[first : end - 1], bytes(32)]
                assert root_by_range(changed, first, size, path) != root_of(tree)
                with pytest.raises(LedgerError):
                    root_by_range(tree[first:end], first, size, [*path, bytes(32)])
                if path:
                    with pytest.raises(LedgerError):
                        root_by_range(tree[first:end], first, size, path[:-1])


@pytest.mark.parametrize(("first", "size"), [(-1, 3), (3, 3), (2, 3), (0, 1 << 62), (0, 1)])
def test_a_stretch_that_is_not_in_the_tree_has_no_proof(first: int, size: int) -> None:
    with pytest.raises(LedgerError):
        root_by_range([bytes(32)] * 2, first, size, [])


def test_a_tree_as_large_as_numbers_go_takes_no_time() -> None:
    assert len(root_by_range([bytes(32)], 0, (1 << 62) - 1, [bytes(32)] * 62)) == 32
