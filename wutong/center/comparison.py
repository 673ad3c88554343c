"""Whether two stores say the same: row by row, and by the ledgers that stand on the rows.

A table is compared by how many rows it has and by a sum over the hashes of all of them, which is the same in any order;
a hearing by the root of the tree over its events, and the audit log by the root over its rows, each made anew on both
sides. Nothing is held in memory but one hearing's peaks.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Table

from sync.errors import LedgerError
from sync.ledger.audit_leaf import AuditRow, leaf_of_row
from sync.ledger.leaf import leaf_of
from sync.ledger.tree import Tree, leaf_hash
from sync.record.event import Event
from wutong.center.source import SourceStore, Values
from wutong.center.target import TargetStore

AT_ONCE = 200
_SUM = 1 << 256


class _Side(Protocol):
    def all_rows(self, table: Table) -> Iterator[Values]: ...
    def events(self, hearings: Sequence[str]) -> Iterator[Values]: ...
    def audit(self) -> Iterator[Values]: ...


@dataclass(frozen=True, slots=True)
class TableDigest:
    """What a table holds, whatever the order of its rows."""

    rows: int
    sum: str


def digest_of(rows: Iterable[Values]) -> TableDigest:
    """Count and sum the hashes."""
    count = total = 0
    for row in rows:
        total = (total + int.from_bytes(hashlib.sha256(repr(row).encode("utf-8", "replace")).digest(), "big")) % _SUM
        count += 1
    return TableDigest(count, f"{total:064x}")


def same_table(source: SourceStore, target: TargetStore, table: Table) -> bool:
    """Whether both have the same rows of it."""
    return digest_of(source.all_rows(table)) == digest_of(target.all_rows(table))


def differing_hearings(source: SourceStore, target: TargetStore, told: Callable[[int], None]) -> list[str]:
    """The hearings whose trees differ; `told` hears of each hundred or so that were looked at."""
    differ: list[str] = []
    after = ""
    while names := source.hearings(after, AT_ONCE):
        ours, theirs = hearing_heads(source, names), hearing_heads(target, names)
        differ += [name for name in names if ours.get(name) != theirs.get(name)]
        told(len(names))
        after = names[-1]
    return differ


def hearing_heads(side: _Side, hearings: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Of each hearing the size and the root of its tree."""
    heads = {}
    for name, rows in itertools.groupby(side.events(hearings), key=lambda row: str(row[0])):
        tree = Tree()
        for hearing, number, kind, room_ns, utc_ns, body in rows:
            try:
                tree.append(leaf_hash(leaf_of(Event(number, hearing, kind, room_ns, utc_ns, json.loads(body)))))
            except (ValueError, LedgerError):  # damaged in the source: then it is so on both sides, byte for byte
                tree.append(hashlib.sha256(str(body).encode("utf-8", "replace")).digest())
        heads[name] = (tree.size, tree.root().hex())
    return heads


def audit_head(side: _Side) -> tuple[int, str, str]:
    """Of the audit log: how many leaves, the root over them, and the root over the rows as they are."""
    noted, made = Tree(), Tree()
    for place, leaf, number, *row in side.audit():
        if place != noted.size:
            break
        noted.append(bytes.fromhex(leaf))
        if row[0] is not None:
            utc_ns, what, role, address, detail, granted, person = row
            said = AuditRow(number, utc_ns, what, role, address, detail, bool(granted), person)
            made.append(leaf_hash(leaf_of_row(said)))
    return noted.size, noted.root().hex(), made.root().hex()
