"""The Merkle tree against RFC 6962's own definition, and its proofs against every index and size."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import LedgerError
from sync.ledger.tree import (
    Tree,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_by_inclusion,
    root_of,
)

LEAVES = [leaf_hash(bytes([n])) for n in range(40)]


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, word by word, over what is hashed as leaves."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(by_definition(leaves[:half]), by_definition(leaves[half:]))


@pytest.mark.parametrize("size", range(40))
def test_the_root_is_that_of_the_rfc(size: int) -> None:
    assert root_of(LEAVES[:size]) == by_definition(LEAVES[:size])


def test_the_known_answer_of_the_certificate_transparency_vectors() -> None:
    data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    root = root_of(leaf_hash(bytes.fromhex(leaf)) for leaf in data)
    assert root.hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(st.integers(1, 40), st.data())
def test_a_tree_goes_on_from_its_peaks(size: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, size))
    first = Tree()
    for digest in LEAVES[:cut]:
        first.append(digest)
    second = Tree(first.size, first.peaks)
    for digest in LEAVES[cut:size]:
        second.append(digest)
    assert second.root() == by_definition(LEAVES[:size])


@given(st.integers(1, 40), st.data())
def test_an_inclusion_proof_leads_to_the_root_and_no_other_place_does(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(LEAVES[:size], index)
    root = by_definition(LEAVES[:size])
    assert root_by_inclusion(LEAVES[index], index, size, path) == root
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index)) if size > 1 else None
    if other is not None:
        with contextlib.suppress(LedgerError):  # a path that does not even fit the place is refused
            assert root_by_inclusion(LEAVES[index], other, size, path) != root
    with pytest.raises(LedgerError):
        root_by_inclusion(LEAVES[index], index, size, [*path, LEAVES[0]])
    if path:
        with pytest.raises(LedgerError):
            root_by_inclusion(LEAVES[index], index, size, path[:-1])
    with pytest.raises(LedgerError):
        root_by_inclusion(LEAVES[index], size, size, path)


def test_an_inner_node_is_no_leaf() -> None:
    inner = node_hash(LEAVES[0], LEAVES[1])
    path = [node_hash(LEAVES[2], LEAVES[3])]
    assert root_by_inclusion(inner, 0, 2, path) == root_of(LEAVES[:4])  # as a hash it would fit: hence leaves only
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != inner


def test_a_tree_with_the_wrong_peaks_is_refused() -> None:
    with pytest.raises(LedgerError):
        Tree(3, [LEAVES[0]])
    with pytest.raises(LedgerError):
        inclusion_proof(LEAVES[:3], 3)
