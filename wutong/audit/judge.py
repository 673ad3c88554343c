"""Whether an audit log is what was written: nothing changed, taken away, put in between or put in another order.

In this order: (1) each row is its leaf, and each row is one; (2) every head is the center's and the tree has its root;
(3) so has it at each head that a room holds; (4) how much has come since the last head; (5) the time-stamp tokens. What
differs is named by its row; where the leaf was changed along with its row, by the rows between two heads, which is a
minute of the log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.errors import LedgerError
from sync.ledger import note as notes
from sync.ledger import token as tokens
from sync.ledger.audit_head import AuditHead, read_head
from sync.ledger.keys import check_certificate
from sync.ledger.range_proof import root_by_range
from sync.ledger.tree import Tree
from sync.runtime.units import NS_PER_S
from wutong.audit.copy import AuditCopy, HeldHead
from wutong.verify.verdict import Reason, Verdict, false, gap, heaviest, lacking, remark, unended

MOST = 100
"""Reasons of one kind; the others say nothing more."""


@dataclass(frozen=True, slots=True)
class AuditJudgment:
    """The verdict on an audit log, with its reasons."""

    rows: int
    reasons: tuple[Reason, ...]

    @property
    def verdict(self) -> Verdict:
        """The heaviest reason's."""
        return heaviest(self.reasons)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        reasons = [reason.to_json() for reason in self.reasons]
        return {"audit": True, "verdict": self.verdict.word, "rows": self.rows, "reasons": reasons}


def judge_audit(copy: AuditCopy, key: Ed25519PublicKey | None, roots: Sequence[x509.Certificate] = ()) -> AuditJudgment:
    """Judge; without the center's `key` nothing is believed, without `roots` no token is looked at."""
    reasons = _rows(copy)
    if key is None:
        reasons.append(lacking("no-center-key"))
    elif not copy.heads:
        reasons.append(lacking("audit-no-head"))
    else:
        reasons += _heads(copy, key, roots)
    return AuditJudgment(len(copy.leaves), tuple(reasons))


def _rows(copy: AuditCopy) -> list[Reason]:
    reasons: list[Reason] = []
    before = -1
    for leaf in copy.leaves:
        if leaf.now is None:
            reasons.append(false("audit-row-missing", leaf.row))
        elif leaf.changed:
            reasons.append(false("audit-row-changed", leaf.row))
        elif leaf.now.what == "ledger" and leaf.now.role == "center":
            reasons.append(gap("audit-before", leaf.now.detail[:100]))
        if leaf.row <= before:
            reasons.append(false("audit-row-order", leaf.row))
        before = max(before, leaf.row)
        if len(reasons) >= MOST:
            break
    if copy.missing_place is not None:
        after = copy.leaves[-1].row if copy.leaves else 0
        reasons.append(false("audit-leaf-missing", copy.missing_place + 1, after))
    return reasons + [false("audit-row-added", number) for number in copy.unnoted[:MOST]]


def _heads(copy: AuditCopy, key: Ed25519PublicKey, roots: Sequence[x509.Certificate]) -> list[Reason]:
    reasons: list[Reason] = []
    heads: list[tuple[AuditHead, bytes | None]] = []
    for copied in copy.heads:
        try:
            heads.append((read_head(copied.note, key)[1], copied.token))
        except LedgerError as error:
            reasons.append(false("audit-head", error.message))
    heads.sort(key=lambda pair: pair[0].size)
    for (one, _), (next_one, _) in pairwise(heads):
        if next_one.last_row <= one.last_row:  # a clock may be set back, the numbers of rows never
            reasons.append(false("audit-head-order", next_one.size))
    held = [(one, _read_held(one, key, reasons)) for one in copy.held]
    wanted = {head.size for head, _ in heads} | {head.size for _, head in held if head is not None}
    known = _roots(copy, wanted)
    reasons += _compared(copy, [head for head, _ in heads], known)
    reasons += _held(copy, held, known)
    last = max((head.size for head, _ in heads), default=0)
    if (unsigned := copy.first + len(copy.leaves) - last) > 0 and last:
        reasons.append(unended("audit-unsigned", unsigned, copy.leaves[-unsigned].row if copy.first == 0 else ""))
    return reasons[: 4 * MOST] + _tokens(heads, roots)


def _roots(copy: AuditCopy, wanted: set[int]) -> dict[int, bytes]:
    """size -> the root of the tree of the first `size` leaves, as far as the copy tells it."""
    if copy.path is not None:
        try:
            return {copy.size: root_by_range([leaf.sha256 for leaf in copy.leaves], copy.first, copy.size, copy.path)}
        except LedgerError:
            return {copy.size: b""}
    tree, roots = Tree(), {}
    for leaf in copy.leaves:
        tree.append(leaf.sha256)
        if tree.size in wanted:
            roots[tree.size] = tree.root()
    return roots


def _compared(copy: AuditCopy, heads: Sequence[AuditHead], known: dict[int, bytes]) -> list[Reason]:
    good = 0
    for head in heads:
        root = known.get(head.size)
        if root is None and copy.path is None:
            return [false("audit-cut", head.size, len(copy.leaves))]
        if root is not None and root != head.root:
            return [false("audit-root", good + 1, head.last_row)]
        good = head.last_row if root is not None else good
    if copy.path is not None and not any(head.size == copy.size for head in heads):
        return [lacking("audit-no-head")]
    return []


def _read_held(one: HeldHead, key: Ed25519PublicKey, reasons: list[Reason]) -> AuditHead | None:
    """The head that a room holds; whose word it is that the room had it is looked at where there is a certificate."""
    try:
        note, head = read_head(one.note, key)
        if one.certificate:
            lines = [data for name, data in note.lines if name == one.room and len(data) > 12]
            at = dt.datetime.fromtimestamp(int.from_bytes(lines[0][4:12], "big") if lines else 0, dt.UTC)
            device = check_certificate(one.certificate.encode(), one.room, key, at)
            if notes.signed_by(note, notes.Verifier(one.room, device, notes.COSIGNATURE)) is None:
                raise LedgerError("the room has not countersigned it", code="signature")
    except (LedgerError, ValueError, OverflowError, OSError) as error:
        reasons.append(remark("audit-held-unread", one.room, str(getattr(error, "message", error))))
        return None
    return head


def _held(copy: AuditCopy, held: Sequence[tuple[HeldHead, AuditHead | None]], known: dict[int, bytes]) -> list[Reason]:
    reasons: list[Reason] = []
    fits: list[tuple[int, int, str]] = []
    for one, head in held:
        if head is None:
            continue
        root = known.get(head.size)
        if one.back:
            reasons.append(false("audit-back", one.room, head.size))
        if root is None and copy.path is None:
            reasons.append(false("audit-held-cut", one.room, head.size, len(copy.leaves)))
        elif root is not None and root != head.root:
            reasons.append(false("audit-held-differs", one.room, head.size))
        elif root is not None:
            fits.append((head.size, head.utc_ns, one.room))
    if fits:
        size, utc_ns, room = max(fits)
        reasons.append(remark("audit-held", size, room, _when(utc_ns)))
    else:
        reasons.append(remark("audit-not-held"))
    return reasons


def _tokens(heads: Sequence[tuple[AuditHead, bytes | None]], roots: Sequence[x509.Certificate]) -> list[Reason]:
    newest: Reason | None = None
    for head, token in heads:
        if token is None or not roots:
            continue
        try:
            at = tokens.verify(token, head.to_text(), roots)
        except LedgerError as error:
            return [false("audit-token", head.size, error.message)]
        newest = remark("audit-stamped", head.size, f"{at:%Y-%m-%d %H:%M:%S} UTC")
    return [] if newest is None else [newest]


def _when(utc_ns: int) -> str:
    return f"{dt.datetime.fromtimestamp(utc_ns // NS_PER_S, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
