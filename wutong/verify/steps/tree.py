"""Step 5: the leaves are those whose roots were signed, at every checkpoint; of an excerpt, by inclusion proofs."""

from __future__ import annotations

from collections.abc import Iterator

from sync.errors import LedgerError
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.tree import Tree, root_by_inclusion
from wutong.export import forms
from wutong.verify.case import ExportCase
from wutong.verify.verdict import Reason, false, lacking


def run(case: ExportCase) -> Iterator[Reason]:
    """Reasons `root-differs`, `fork`, `leaves-short`, `leaves-unsigned`, `last-number`, `proof`, `proof-count`."""
    points = [c.point for c in case.checkpoints if c.point is not None]
    roots: dict[int, bytes] = {}
    for point in points:
        if roots.setdefault(point.size, point.root) != point.root:
            yield false("fork", point.size)
    if case.is_excerpt:
        yield from _proofs(case, points)
        return
    if not points:
        return
    yield from _roots(case, points)
    count, last = len(case.leaves), points[-1]
    if last.size < count:
        yield lacking("leaves-unsigned", count, last.size)


def _roots(case: ExportCase, points: list[Checkpoint]) -> Iterator[Reason]:
    by_size = {point.size: point for point in points}
    tree = Tree()
    largest = max(by_size)
    if largest > len(case.leaves):
        yield false("leaves-short", largest, len(case.leaves))
    for digest, event in zip(case.digests, case.events, strict=True):
        tree.append(digest)
        point = by_size.get(tree.size)
        if point is None:
            continue
        if tree.root() != point.root:
            yield false("root-differs", tree.size)
            return  # every later one differs as well
        if event is not None and event.number != point.last_number:
            yield false("last-number", point.last_number)


def _proofs(case: ExportCase, points: list[Checkpoint]) -> Iterator[Reason]:
    proofs = case.proofs or []
    if forms.PROOFS in case.trouble:
        yield false("proof", "?", case.trouble[forms.PROOFS])
    if len(proofs) != len(case.leaves):
        yield false("proof-count", len(case.leaves), len(proofs))
    if not points:
        return
    head, previous = points[-1], -1
    for place, (digest, proof) in enumerate(zip(case.digests, proofs, strict=False)):
        try:
            if proof.size != head.size:
                raise LedgerError(f"it is of a tree of {proof.size}, the checkpoint of {head.size}", code="proof")
            if proof.index <= previous:
                raise LedgerError("its index does not rise", code="proof")
            if root_by_inclusion(digest, proof.index, proof.size, proof.path) != head.root:
                raise LedgerError("it leads to another root", code="proof")
        except LedgerError as error:
            yield false("proof", place, error.message)
        previous = proof.index
