"""Whether checkpoints say what the center holds: judged in a thread, those of one hearing in one walk over its events.

Promises, of each head, the smallest first: (1) a device of this room has signed it that is certified and not revoked
now, as the store says at this moment, (2) every event of the hearing up to the last one named is stored, no more and no
fewer, (3) the tree over them continues the one that was witnessed before and has the root that was signed. What was
folded for a smaller head is not folded again for a larger one. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from server.integrity.waiting_heads import AskedHead
from server.store import tables as t
from server.store.events import event_of
from sync.errors import LedgerError, StorageError
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.leaf import leaf_of
from sync.ledger.note import Verifier
from sync.ledger.tree import HASH_BYTES, Tree, leaf_hash

# Made once: to make them costs more than to ask them, and each checkpoint asks all.
_E, _C = t.events.c, t.checkpoints.c
_BETWEEN = (_E.hearing == bindparam("of")) & (_E.number <= bindparam("last")) & (_E.number > bindparam("after"))
_OWNER = select(_E.room).where(_E.hearing == bindparam("of")).limit(1)
_WITNESSED = (
    select(_C.size, _C.root, _C.last_number, _C.peaks, _C.note)
    .where(_C.hearing == bindparam("of"), _C.refused == "", _C.size <= bindparam("most"))
    .order_by(_C.size.desc())
    .limit(1)
)
_COUNTED = select(func.count(), func.max(_E.number)).where(_BETWEEN)
_LEAVES = select(t.events).where(_BETWEEN).order_by(_E.number)


@dataclass(frozen=True, slots=True)
class HeadFinding:
    """What was found of a head: `known` is the stored note when this very tree was witnessed before; else `signer` and
    `peaks` are for its cosignature, unless it is `refused`, events are `missing`, or a stored one is `unreadable`."""

    asked: AskedHead
    known: str = ""
    signer: Verifier | None = None
    peaks: tuple[bytes, ...] = ()
    cosigned: str = ""
    """The note with the center's own line, which nobody gets before it is on disk."""
    refused: LedgerError | None = None
    missing: bool = False
    unreadable: StorageError | None = None


@dataclass(frozen=True, slots=True)
class _Base:
    """A tree that was found to be the one over what is stored, from which a larger one goes on."""

    size: int
    last_number: int
    peaks: tuple[bytes, ...]


class _MissingError(Exception):
    """Not all events are here yet."""


def examine(
    connection: Connection,
    heads: Sequence[AskedHead],
    counted: int,
    signer_of: Callable[[Connection, AskedHead], Verifier],
) -> list[HeadFinding]:
    """What is to be said of heads of one hearing of one room, given by their size.

    `counted`: up to that number all stored events are in the trees that were witnessed. `signer_of` gives who signed a
    head and may; `LedgerError` when nobody did.
    """
    base: _Base | None = None
    found: list[HeadFinding] = []
    for asked in heads:
        try:
            signer = signer_of(connection, asked)
            known, grown = _judge(connection, asked.room, asked.head, counted, base)
        except _MissingError:
            found.append(HeadFinding(asked, missing=True))
        except LedgerError as error:
            found.append(HeadFinding(asked, refused=error))
        except StorageError as error:
            found.append(HeadFinding(asked, unreadable=error))
        else:
            found.append(HeadFinding(asked, known, signer, grown.peaks))
            base = grown
    return found


def _judge(connection: Connection, room: str, head: Checkpoint, counted: int, base: _Base | None) -> tuple[str, _Base]:
    """(the stored note where this very tree was witnessed, the tree itself); `LedgerError` "fork" when the tree that
    `head` says is not the one over the stored events."""
    owner = connection.execute(_OWNER, {"of": head.hearing}).scalar()
    if owner is None:
        raise _MissingError
    if owner != room:
        raise LedgerError("the hearing is another room's", code="form")
    before = connection.execute(_WITNESSED, {"of": head.hearing, "most": head.size}).first()
    size, last = (before.size, before.last_number) if before is not None and before.last_number <= counted else (0, -1)
    if base is not None and size < base.size <= head.size:
        # The smaller head was counted a moment ago, by the same walk.
        size, last = base.size, base.last_number
    upto = {"of": head.hearing, "last": head.last_number}
    more, newest = connection.execute(_COUNTED, {**upto, "after": last}).one()
    count = size + more
    if count > head.size:
        raise LedgerError(f"the room signed {head.size} leaves, {count} are here", code="fork")
    if count < head.size or (newest if more else last) != head.last_number:
        raise _MissingError
    if before is not None and before.size == head.size:
        if before.root != head.root.hex():
            raise LedgerError("another tree of this size was witnessed", code="fork")
        return str(before.note), _Base(before.size, before.last_number, tuple(_peaks(before.peaks)))
    begin = _Base(0, -1, ()) if before is None else _Base(before.size, before.last_number, tuple(_peaks(before.peaks)))
    if base is not None and begin.size < base.size <= head.size:
        begin = base
    tree = Tree(begin.size, begin.peaks)
    # Closed also where it ends early: a statement that is still read from keeps its connection at what was then.
    with connection.execute(_LEAVES, {**upto, "after": begin.last_number}) as rows:
        for row in rows:
            try:
                event = event_of(row)
            except ValueError as error:
                raise StorageError(f"event {row.number} of {room} is damaged in the record store") from error
            tree.append(leaf_hash(leaf_of(event)))
    if tree.size != head.size or tree.root() != head.root:
        raise LedgerError(f"the tree over the {head.size} stored leaves has another root", code="fork")
    return "", _Base(tree.size, head.last_number, tree.peaks)


def _peaks(text: str) -> list[bytes]:
    data = bytes.fromhex(text)
    return [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]
