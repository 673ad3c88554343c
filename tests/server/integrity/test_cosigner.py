"""Trees that are written down together: one transaction for all that wait, and nobody pays for another's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection, event, func, select, text

from server.integrity.cosigner import AT_ONCE, Cosigner
from server.store import tables as t
from server.store.database import Database, open_database
from sync.errors import LedgerError, StorageError


def row(hearing: str, size: int = 5, root: str = "aa", **more: Any) -> dict[str, Any]:
    fields = {"hearing": hearing, "size": size, "root": root, "room": "court1/c03", "last_number": size, "peaks": ""}
    return {**fields, "note": f"note of {hearing} {size} {root}", "refused": "", "stored_utc_ns": 0, **more}


class Writing:
    """A database, and how often it was written to."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.commits = 0
        self.cosigner = Cosigner(database)
        event.listen(database._engine, "commit", self._count)

    def _count(self, _connection: Connection) -> None:
        self.commits += 1

    async def count(self) -> int:
        query = select(func.count()).select_from(t.checkpoints)
        return await self.database.read(lambda c: c.execute(query).scalar_one())


@pytest_asyncio.fixture
async def writing(tmp_path: Path) -> AsyncIterator[Writing]:
    database = open_database(f"sqlite:///{tmp_path / 'center.db'}")
    made = Writing(database)
    task = asyncio.create_task(made.cosigner.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.to_thread(database.close)


async def test_all_that_wait_are_in_one_transaction_up_to_a_bound(writing: Writing) -> None:
    stored = await asyncio.gather(*(writing.cosigner.store(row(f"h{n}")) for n in range(AT_ONCE)))
    assert stored == [f"note of h{n} 5 aa" for n in range(AT_ONCE)]
    assert writing.commits == 1
    await asyncio.gather(*(writing.cosigner.store(row(f"i{n}")) for n in range(AT_ONCE + 1)))
    assert writing.commits == 3
    assert await writing.count() == 2 * AT_ONCE + 1


async def test_what_store_returns_is_on_disk_and_the_first_note_of_a_tree_stays(writing: Writing) -> None:
    first = await writing.cosigner.store(row("h1"))
    assert await writing.count() == 1
    assert await writing.cosigner.store(row("h1", note="another time")) == first


async def test_a_fork_undoes_nothing_that_is_beside_it(writing: Writing) -> None:
    await writing.cosigner.store(row("h1"))
    outcomes = await asyncio.gather(
        writing.cosigner.store(row("h2")),
        writing.cosigner.store(row("h1", root="bb")),
        writing.cosigner.store(row("h3")),
        return_exceptions=True,
    )
    assert outcomes[0] == "note of h2 5 aa"
    assert isinstance(outcomes[1], LedgerError)
    assert outcomes[1].code == "fork"
    assert outcomes[2] == "note of h3 5 aa"
    assert await writing.count() == 3


@pytest.mark.parametrize("bad", [{"note": None}, {"size": "nine"}, {"room": 2**70}], ids=str)
async def test_a_row_that_cannot_be_stored_costs_its_own_room_an_answer(writing: Writing, bad: dict[str, Any]) -> None:
    await writing.database.write(
        lambda c: c.execute(
            text(
                "CREATE TRIGGER whole BEFORE INSERT ON checkpoints WHEN typeof(NEW.size) <> 'integer' "
                "BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        )
    )
    rows = [row(f"h{n}", **(bad if n == 20 else {})) for n in range(40)]
    outcomes = await asyncio.gather(*(writing.cosigner.store(one) for one in rows), return_exceptions=True)
    failed = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, BaseException)]
    assert failed == [20]
    assert await writing.cosigner.store(row("later")) == "note of later 5 aa"


async def test_a_store_that_takes_nothing_is_asked_once_for_all_of_them(writing: Writing) -> None:
    tries = 0
    write = writing.database.write

    async def counted(work: Callable[[Connection], Any], *, of_rooms: Collection[str] = ()) -> Any:
        nonlocal tries
        tries += 1
        return await write(work, of_rooms=of_rooms)

    writing.database.write = counted  # type: ignore[method-assign]
    await write(lambda c: c.execute(text("ALTER TABLE checkpoints RENAME TO away")))
    outcomes = await asyncio.gather(*(writing.cosigner.store(row(f"h{n}")) for n in range(9)), return_exceptions=True)
    assert all(isinstance(outcome, StorageError) for outcome in outcomes)
    assert tries == 1
    await write(lambda c: c.execute(text("ALTER TABLE away RENAME TO checkpoints")))
    assert await writing.cosigner.store(row("h1")) == "note of h1 5 aa"


async def test_who_does_not_wait_any_more_changes_nothing_for_the_others(writing: Writing) -> None:
    tasks = [asyncio.create_task(writing.cosigner.store(row(f"h{n}"))) for n in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[0] == "note of h0 5 aa"
    assert outcomes[2] == "note of h2 5 aa"
