"""The ledger of the audit log: its head is signed by the center's key while it grows, and given out of the house.

Promises: a head is signed at least `SIGN_S` after the log has grown, and at the end of the process, over the rows as
they are in the table at that moment; it is stored, and told to every room, which keeps it in a log of its own
(`edge.integrity.audit_witness`). Where an authority is named, the newest head gets a time-stamp token every
`STAMP_S`. Refuses: to sign what does not continue the head before, a log that has become shorter above all. Then a row
was changed, taken away or put in between behind the center's back; that is looked at again, and said again, every
`AGAIN_S`, and `wutong verify --audit` says which row it is.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import structlog
from sqlalchemy import Connection, func, select, update

from server.store import tables as t
from server.store.audit_rows import as_it_lies, noted_digest, row_of
from server.store.database import Database, insert_once
from sync.errors import LedgerError, StorageError
from sync.ledger.audit_head import AuditHead, name_of, read_head, sign_head
from sync.ledger.audit_leaf import leaf_of_row
from sync.ledger.signing_key import SigningKey
from sync.ledger.tree import Tree, leaf_hash
from sync.uplink.timestamp_authority import token_over

log = structlog.get_logger(__name__)

LOOK_S = 5.0
SIGN_S = 45.0
"""With the time between two looks, less than a minute."""
STAMP_S = 3600.0
AGAIN_S = 300.0
"""So long after an authority did not answer, or a broken ledger was said: to look at one costs the whole table."""
PIECE = 5000
"""Rows read at a time."""


class AuditLedger:
    """All methods belong to one event loop."""

    def __init__(
        self,
        database: Database,
        key: SigningKey,
        publish: Callable[[str], object],
        *,
        tsa_url: str = "",
        utc_ns: Callable[[], int] = time.time_ns,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`publish` gives a text to every room; empty `tsa_url`: no authority is asked."""
        self._db = database
        self._key = key
        self._publish = publish
        self._tsa_url = tsa_url
        self._utc_ns = utc_ns
        self._monotonic_s = monotonic_s
        self._tree: Tree | None = None
        """Over the rows of the head that was stored last."""
        self._last_leaf: bytes | None = None
        """The last leaf of it, where this process has read it."""
        self._grown_s: float | None = None
        self._stamp_s = float("-inf")
        self._look_s = float("-inf")

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.step()
            await asyncio.sleep(LOOK_S)

    async def step(self) -> None:
        """Sign when it is time to, and ask for a token when it is time for one."""
        now = self._monotonic_s()
        try:
            if now >= self._look_s and await self._has_grown():
                await self.sign()
            await self._stamp()
        except StorageError as error:
            log.error("audit_head_waits", why=error.message)
        except LedgerError as error:
            self._look_s = now + AGAIN_S
            log.error("audit_ledger_broken", why=error.message, next="wutong verify --audit says which row it is")

    async def sign(self) -> AuditHead | None:
        """Sign a head over all rows now, if there are more than were signed; `LedgerError` "fork" when one changed."""
        tree, last_row, last_leaf = await self._db.read(self._read)
        if last_row is None:
            self._keep(tree, last_leaf)
            return None
        head = AuditHead(name_of(self._key.public_key()), tree.size, tree.root(), last_row, self._utc_ns())
        note = (await asyncio.to_thread(sign_head, head, self._key)).to_text()
        values = {"size": head.size, "root": head.root.hex(), "note": note, "signed_utc_ns": head.utc_ns}
        await self._db.write(lambda connection: insert_once(connection, t.audit_heads, values))
        self._keep(tree, last_leaf)  # only now: a head that is not on disk is signed at the next look
        self._publish(json.dumps({"audit_head": note}))
        return head

    def _keep(self, tree: Tree, last_leaf: bytes | None) -> None:
        self._tree, self._last_leaf, self._grown_s = tree, last_leaf, None

    async def _has_grown(self) -> bool:
        if self._tree is None:
            return True
        size = await self._db.read(self._checked_size)
        if size == self._tree.size:
            return False
        now = self._monotonic_s()
        self._grown_s = now if self._grown_s is None else self._grown_s
        return now - self._grown_s >= SIGN_S

    def _checked_size(self, connection: Connection) -> int:
        assert self._tree is not None
        return _check_continues(connection, self._tree, self._last_leaf)

    def _read(self, connection: Connection) -> tuple[Tree, int | None, bytes | None]:
        """The tree over all leaves, the last row of it when it is larger than what was signed, and its last leaf."""
        c = t.audit_heads.c
        last = connection.execute(select(c.size, c.root, c.note).order_by(c.size.desc()).limit(1)).first()
        signed = 0 if last is None else last.size
        tree, last_leaf = self._tree, self._last_leaf
        if tree is None or not isinstance(signed, int) or tree.size > signed:
            tree, last_leaf = Tree(), None
        if tree.size != signed:
            # Another process has signed since: from what this one has looked at it goes on, and no leaf is read twice.
            _check_continues(connection, tree, last_leaf)
            tree, last_leaf = self._signed_tree(connection, tree, last_leaf, signed)
        if last is not None:
            _, head = read_head(last.note, self._key.public_key())
            if (head.size, head.root) != (tree.size, tree.root()):
                raise LedgerError(f"the first {signed} rows are not those that were signed", code="fork")
        _check_continues(connection, tree, last_leaf)
        tree, last_row = Tree(tree.size, tree.peaks), None
        while rows := _leaves(connection, tree.size):
            for place, digest, row in rows:
                if place != tree.size:
                    raise LedgerError(f"the leaf {tree.size} is missing", code="fork")
                if row is None or leaf_hash(leaf_of_row(row_of(row))) != digest:
                    raise LedgerError(f"the row of leaf {place} is not the one that was written", code="fork")
                tree.append(digest)
                last_row, last_leaf = int(row.row), digest
        return tree, last_row, last_leaf

    @staticmethod
    def _signed_tree(
        connection: Connection, begun: Tree, last_leaf: bytes | None, size: int
    ) -> tuple[Tree, bytes | None]:
        """`begun` goes on over the leaves up to this size as they were noted, and the last of them. Whether each row
        still is its leaf is what the verifier says."""
        tree, c = Tree(begun.size, begun.peaks), t.audit_leaves.c
        query = select(c.place, c.sha256).where(c.place >= tree.size, c.place < size).order_by(c.place)
        for place, digest in connection.execute(query):
            if place != tree.size:
                raise LedgerError(f"the leaf {tree.size} is missing", code="fork")
            last_leaf = noted_digest(digest)
            tree.append(last_leaf)
        return tree, last_leaf

    async def _stamp(self) -> None:
        now = self._monotonic_s()
        if not self._tsa_url or now < self._stamp_s:
            return
        c = t.audit_heads.c
        query = select(c.size, c.note, c.token).order_by(c.size.desc()).limit(1)
        newest = await self._db.read(lambda connection: connection.execute(query).first())
        if newest is None or newest.token is not None:
            return
        self._stamp_s = now + AGAIN_S
        try:
            _, head = read_head(newest.note, self._key.public_key())
            token = await token_over(self._tsa_url, head.to_text())
        except (httpx.HTTPError, TimeoutError, LedgerError) as error:
            log.warning("audit_head_not_stamped", why=str(error) or type(error).__name__)
            return
        self._stamp_s = now + STAMP_S
        stamp = update(t.audit_heads).where(c.size == newest.size).values(token=token)
        await self._db.write(lambda connection: connection.execute(stamp))


def _check_continues(connection: Connection, tree: Tree, last_leaf: bytes | None) -> int:
    """How many leaves the table has, by the place of the last one; `LedgerError` "fork" when they cannot continue those
    of `tree`: a log that was cut, also when it has grown again since."""
    c = t.audit_leaves.c
    last = connection.execute(select(func.max(c.place))).scalar()
    size = last + 1 if isinstance(last, int) else 0
    if size < tree.size:
        raise LedgerError(f"the log has {size} rows, and {tree.size} were signed", code="fork")
    if last_leaf is not None:
        there = connection.execute(select(c.sha256).where(c.place == tree.size - 1)).scalar()
        if noted_digest(there) != last_leaf:
            raise LedgerError(f"the leaf {tree.size - 1} is not the one that was signed", code="fork")
    return size


def _leaves(connection: Connection, first: int) -> list[tuple[int, bytes, Any]]:
    """(place, hash, row or None) of the next leaves."""
    leaves = t.audit_leaves.c
    query = select(leaves.place, leaves.row, leaves.sha256).where(leaves.place >= first).order_by(leaves.place)
    with as_it_lies(connection):
        found = connection.execute(query.limit(PIECE)).all()
        rows: dict[int, Any] = {}
        for at in range(0, len(found), 500):
            numbers = [leaf.row for leaf in found[at : at + 500]]
            rows |= {row.row: row for row in connection.execute(select(t.audit).where(t.audit.c.row.in_(numbers)))}
    return [(leaf.place, noted_digest(leaf.sha256), rows.get(leaf.row)) for leaf in found]
