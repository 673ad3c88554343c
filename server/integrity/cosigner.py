"""Where cosigned trees are written down: all that wait in one transaction, up to `AT_ONCE` of them.

Promises: what `store` returns is on disk. While one transaction is being synced those that come wait for the next, so a
disk that takes long makes the next transaction larger and nobody's wait longer than two of them. A tree that cannot be
stored because of what it is costs its own room an answer, and no other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from server.store import tables as t
from server.store.database import Database, insert_once
from server.store.refusals import LeaseLostError, is_of_content
from sync.errors import LedgerError

AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class _Unstored:
    row: Mapping[str, Any]
    """Of the table `checkpoints`, with the cosigned note."""
    stored: asyncio.Future[str]


class Cosigner:
    """All methods belong to one event loop; `run` must run while somebody waits for `store`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._waiting: deque[_Unstored] = deque()
        self._come = asyncio.Event()

    async def store(self, row: Mapping[str, Any]) -> str:
        """The note that is on disk for this tree: another process may have been first. `LedgerError` "fork" where
        another tree of its size is, `StorageError` when nothing could be kept."""
        stored: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Unstored(row, stored))
        self._come.set()
        return await stored

    async def run(self) -> None:
        """Store for ever."""
        while True:
            await self._come.wait()
            batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            if not self._waiting:
                self._come.clear()
            await self._commit(batch)

    async def _commit(self, batch: list[_Unstored]) -> None:
        rows = [one.row for one in batch]
        try:
            rooms = {str(row["room"]) for row in rows}
            stored = await self._db.write(lambda c: [_store(c, row) for row in rows], of_rooms=rooms)
            outcomes: list[str | Exception] = list(stored)
        except Exception as error:  # noqa: BLE001  # whoever waits for it says it, and the others go on
            if len(batch) > 1 and is_of_content(error):
                half = len(batch) // 2
                await self._commit(batch[:half])
                await self._commit(batch[half:])
                return
            if isinstance(error, LeaseLostError) and (others := [b for b in batch if b.row["room"] not in error.rooms]):
                await self._commit(others)
                batch = [one for one in batch if one not in others]
            outcomes = [error] * len(batch)
        for one, outcome in zip(batch, outcomes, strict=True):
            if one.stored.done():
                continue  # who waited for it was canceled
            if isinstance(outcome, Exception):
                one.stored.set_exception(outcome)
            else:
                one.stored.set_result(outcome)


def _store(connection: Connection, row: Mapping[str, Any]) -> str | LedgerError:
    """The note that is stored. A fork is an answer and no error here: it must not undo what is beside it."""
    if insert_once(connection, t.checkpoints, dict(row)):
        return str(row["note"])
    # Another process has judged one of this size meanwhile, or this tree was refused before.
    c = t.checkpoints.c
    witnessed = select(c.root, c.note).where(c.hearing == row["hearing"], c.size == row["size"], c.refused == "")
    first = connection.execute(witnessed).first()
    if first is None or first.root != row["root"]:
        return LedgerError("another tree of this size was witnessed", code="fork")
    return str(first.note)
