"""The proof that leaves that follow one another are in a tree: the roots of all complete parts on both sides of them.

One proof for a whole stretch, of at most two hashes for each level of the tree, where inclusion proofs would be one for
each leaf. Order: as the tree is walked from left to right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sync.errors import LedgerError
from sync.ledger.tree import HASH_BYTES, node_hash, root_of

MAX_PATH = 128


def range_proof(digests: Sequence[bytes], first: int, end: int) -> list[bytes]:
    """The proof for the leaves [first, end) of the tree over all `digests`; `LedgerError` when there are none such."""
    _check(len(digests), first, end)

    def walk(low: int, high: int) -> Iterator[bytes]:
        if high <= first or low >= end:
            yield root_of(digests[low:high])
        elif not (first <= low and high <= end):
            middle = low + _half(high - low)
            yield from walk(low, middle)
            yield from walk(middle, high)

    return list(walk(0, len(digests)))


def root_by_range(leaves: Sequence[bytes], first: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root of a tree of `size` leaves to which a proof leads; `LedgerError` when it does not fit."""
    end = first + len(leaves)
    _check(size, first, end)
    if len(path) > MAX_PATH or any(len(node) != HASH_BYTES for node in path):
        raise LedgerError("the proof of a stretch is not one of a tree", code="proof")
    nodes = iter(path)

    def walk(low: int, high: int) -> bytes:
        if high <= first or low >= end:
            node = next(nodes, None)
            if node is None:
                raise LedgerError("the proof of a stretch is too short", code="proof")
            return node
        if first <= low and high <= end:
            return root_of(leaves[low - first : high - first])
        middle = low + _half(high - low)
        return node_hash(walk(low, middle), walk(middle, high))

    root = walk(0, size)
    if next(nodes, None) is not None:
        raise LedgerError("the proof of a stretch is too long", code="proof")
    return root


def _check(size: int, first: int, end: int) -> None:
    if not 0 <= first < end <= size < 1 << 62:
        raise LedgerError(f"a tree of {size} leaves has no stretch from {first} to {end}", code="proof")


def _half(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
