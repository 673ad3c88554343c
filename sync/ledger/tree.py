"""The Merkle tree of RFC 6962 (section 2.1) over the leaves of one hearing: roots and inclusion proofs.

`Tree` keeps only the roots of its complete subtrees (at most 64 hashes), so a root costs little at any size and a
witness can go on from where it was; it holds every leaf itself, so nobody needs a proof of consistency. Hashes are
SHA-256, 32 bytes; leaf and inner node are told apart by the first byte that is hashed (0 or 1), so neither can be given
for the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from sync.errors import LedgerError

HASH_BYTES = 32


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of a leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows; `peaks` are the roots of its complete subtrees, the largest first."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if size < 0 or len(peaks) != size.bit_count() or any(len(peak) != HASH_BYTES for peak in peaks):
            raise LedgerError(f"a tree of {size} leaves does not have {len(peaks)} peaks", code="tree")
        self.size = size
        self._peaks = list(peaks)

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """With `size`, all that is needed to go on."""
        return tuple(self._peaks)

    def append(self, digest: bytes) -> None:
        """Add the hash of the next leaf."""
        carried, size = digest, self.size
        while size & 1:
            carried = node_hash(self._peaks.pop(), carried)
            size >>= 1
        self._peaks.append(carried)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it is; of an empty one, the hash of nothing."""
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(digests: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    tree = Tree()
    for digest in digests:
        tree.append(digest)
    return tree.root()


def inclusion_proof(digests: Sequence[bytes], index: int) -> list[bytes]:
    """Audit path of leaf `index` in the tree over all `digests` (RFC 6962, 2.1.1), the nearest node first."""
    size = len(digests)
    if not 0 <= index < size:
        raise LedgerError(f"leaf {index} is not in a tree of {size}", code="proof")
    if size == 1:
        return []
    half = _half(size)
    if index < half:
        return [*inclusion_proof(digests[:half], index), root_of(digests[half:])]
    return [*inclusion_proof(digests[half:], index - half), root_of(digests[:half])]


def root_by_inclusion(digest: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a proof leads to (RFC 9162, 2.1.3.2); `LedgerError` when its length does not fit index and size."""
    if not 0 <= index < size:
        raise LedgerError(f"a proof says leaf {index} of {size}", code="proof")
    at, last, root = index, size - 1, digest
    for node in path:
        if last == 0 or len(node) != HASH_BYTES:
            raise LedgerError("a proof is longer than its tree is high", code="proof")
        if at & 1 or at == last:
            root = node_hash(node, root)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            root = node_hash(root, node)
        at >>= 1
        last >>= 1
    if last:
        raise LedgerError("a proof is shorter than its tree is high", code="proof")
    return root


def _half(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
