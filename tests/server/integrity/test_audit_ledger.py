"""The audit log's heads: signed as it grows, over the rows as they are, and never over a log that was changed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text
from structlog.testing import capture_logs

from server.integrity.audit_ledger import AGAIN_S, LOOK_S, SIGN_S, AuditLedger
from server.store.database import Database, open_database
from server.store.writer import RecordWriter
from sync.errors import LedgerError, StorageError
from sync.ledger.audit_head import read_head
from sync.ledger.audit_leaf import leaf_of_row
from sync.ledger.tree import leaf_hash, root_of
from tests.support.paths import ROOT

KEY = Ed25519PrivateKey.generate()


class Ledger:
    """A ledger over a database, with a clock that the test turns."""

    def __init__(self, database: Database) -> None:
        self.database, self.now_s, self.told = database, 0.0, list[str]()
        self.record = RecordWriter(database)
        self.again()

    def again(self) -> None:
        """As after a restart."""
        self.ledger = AuditLedger(self.database, KEY, self.told.append, monotonic_s=lambda: self.now_s)

    async def note(self, *details: str) -> None:
        await self.record.audit([audit_row(detail) for detail in details])

    async def heads(self) -> list[int]:
        query = text("SELECT size FROM audit_heads ORDER BY size")
        return [row.size for row in await self.database.read(lambda c: list(c.execute(query)))]

    async def spoil(self, statement: str) -> None:
        await self.database.write(lambda c: c.execute(text(statement)))


def audit_row(detail: str) -> dict[str, Any]:
    return {"utc_ns": 1, "what": "view", "role": "inspector", "address": "a", "detail": detail, "granted": True}


@pytest.fixture
def opened(database_url: str) -> Iterator[Ledger]:
    database = open_database(database_url)
    yield Ledger(database)
    database.close()


async def test_a_head_is_over_every_row_and_told_to_the_rooms(opened: Ledger) -> None:
    await opened.note("a", "b")
    await opened.note("c")
    head = await opened.ledger.sign()
    assert head is not None
    from server.store.audit_rows import row_of

    rows = await opened.database.read(lambda c: list(c.execute(text("SELECT * FROM audit ORDER BY row"))))
    assert head.root == root_of(leaf_hash(leaf_of_row(row_of(row))) for row in rows)
    assert (head.size, head.last_row) == (3, rows[-1].row)
    [told] = opened.told
    assert read_head(json.loads(told)["audit_head"], KEY.public_key())[1] == head
    assert await opened.ledger.sign() is None, "nothing has come since"


async def test_it_is_signed_within_a_minute_of_growing_and_not_at_each_look(opened: Ledger) -> None:
    await opened.note("a")
    await opened.ledger.step()
    assert await opened.heads() == [1], "what a start finds is signed at once"
    await opened.note("b")
    await opened.ledger.step()
    await opened.note("c")
    opened.now_s = SIGN_S - 1
    await opened.ledger.step()
    assert await opened.heads() == [1]
    opened.now_s = SIGN_S
    await opened.ledger.step()
    assert await opened.heads() == [1, 3]
    opened.now_s = 10 * SIGN_S
    await opened.ledger.step()
    assert await opened.heads() == [1, 3], "what does not grow is not signed again"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_leaves SET sha256 = replace(sha256, substr(sha256, 1, 1), 'x') WHERE place = 1",
        "DELETE FROM audit_leaves WHERE place = 1",
        "DELETE FROM audit_leaves WHERE place > 0",
        "UPDATE audit_leaves SET place = place + 10",
        "UPDATE audit_heads SET root = '00', note = replace(note, 'row 3', 'row 2')",
    ],
)
@pytest.mark.parametrize("restart", [True, False])
async def test_a_log_that_does_not_continue_what_was_signed_is_not_signed(
    opened: Ledger, statement: str, restart: bool
) -> None:
    await opened.note("a", "b", "c")
    await opened.ledger.sign()
    await opened.spoil(statement)
    await opened.spoil(
        "INSERT INTO audit (utc_ns, what, role, address, detail, granted) VALUES (1,'x','x','x','x',true)"
    )
    if restart:
        opened.again()
    if not restart and "audit_heads" not in statement and statement.endswith("place = 1"):
        # Its own memory of the tree is older than the fault: what it signs still says the old leaves.
        assert await opened.ledger.sign() is None
        return
    with pytest.raises(LedgerError):
        await opened.ledger.sign()
    assert await opened.heads() == [3]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET detail = 'z' WHERE detail = 'b'", "DELETE FROM audit WHERE detail = 'b'"],
)
async def test_a_row_that_changes_before_it_was_signed_is_not_signed(opened: Ledger, statement: str) -> None:
    await opened.note("a", "b", "c")
    await opened.spoil(statement)
    with pytest.raises(LedgerError, match="leaf 1"):
        await opened.ledger.sign()
    await opened.ledger.step()  # says so in the log, and goes on looking
    assert await opened.heads() == []


async def test_two_processes_sign_by_turns_and_none_looks_at_a_leaf_twice(opened: Ledger) -> None:
    other = Ledger(opened.database)
    await opened.note("a", "b")
    head = await opened.ledger.sign()
    for size, signer in ((3, other), (4, opened), (5, other), (6, opened)):
        await opened.note(str(size))
        head = await signer.ledger.sign()
        assert head is not None
        assert head.size == size
    assert head is not None
    rows = await opened.database.read(lambda c: list(c.execute(text("SELECT sha256 FROM audit_leaves ORDER BY place"))))
    assert head.root == root_of(bytes.fromhex(row.sha256) for row in rows)
    await opened.spoil("UPDATE audit_leaves SET sha256 = 'x' WHERE place < 4")
    await opened.note("7")
    assert await other.ledger.sign() is not None, "from what it has looked at it goes on"
    assert await opened.heads() == [2, 3, 4, 5, 6, 7]
    fresh = Ledger(opened.database)
    with pytest.raises(LedgerError):
        await fresh.ledger.sign()


async def test_a_head_that_could_not_be_kept_is_signed_at_the_next_look(
    opened: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened.note("a")
    with monkeypatch.context() as broken:

        async def full(self: Database, work: object) -> None:
            raise StorageError("the disk is full")

        broken.setattr(Database, "write", full)
        await opened.ledger.step()
    assert (await opened.heads(), opened.told) == ([], [])
    await opened.ledger.step()
    assert await opened.heads() == [1]
    assert len(opened.told) == 1


CUT = ("DELETE FROM audit WHERE row > 2", "DELETE FROM audit_leaves WHERE place > 1")


@pytest.mark.parametrize("grown", [0, 2, 3, 9])
async def test_a_running_center_signs_nothing_over_a_log_that_was_cut_however_it_grows_again(
    opened: Ledger, grown: int
) -> None:
    await opened.note("a", "b", "c", "d")
    await opened.ledger.step()
    for statement in CUT:
        await opened.spoil(statement)
    await opened.note(*[str(n) for n in range(grown)])
    for _ in range(2):
        opened.now_s += AGAIN_S + SIGN_S
        with capture_logs() as logs:
            await opened.ledger.step()
            opened.now_s += SIGN_S
            await opened.ledger.step()
        assert [one["event"] for one in logs] == ["audit_ledger_broken"]
        assert await opened.heads() == [4]


async def test_a_broken_log_is_said_again_and_again_and_not_read_at_each_look(
    opened: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened.note("a", "b")
    await opened.ledger.sign()
    await opened.spoil("DELETE FROM audit_leaves WHERE place = 0")
    opened.again()
    await opened.note("c")
    read = 0
    real = AuditLedger._read

    def counted(self: AuditLedger, connection: Connection) -> Any:
        nonlocal read
        read += 1
        return real(self, connection)

    monkeypatch.setattr(AuditLedger, "_read", counted)
    with capture_logs() as logs:
        while opened.now_s < 3 * AGAIN_S:
            await opened.ledger.step()
            opened.now_s += LOOK_S
    assert [one["event"] for one in logs] == ["audit_ledger_broken"] * 3
    assert read == 3
    assert await opened.heads() == [2]


EDITS = [
    "UPDATE audit SET {field} = x'00ff' WHERE row = 2",
    "UPDATE audit SET {field} = CAST(x'00ff' AS TEXT) WHERE row = 2",
    "UPDATE audit SET {field} = 1.5 WHERE row = 2",
]


@pytest.mark.parametrize("restart", [True, False])
@pytest.mark.parametrize(
    "statement",
    [
        *(edit.format(field=name) for name in ("detail", "what", "role", "address", "utc_ns") for edit in EDITS),
        *(f"UPDATE audit_leaves SET sha256 = {value} WHERE place = 1" for value in ("'zz'", "x'00'", "5", "'00'")),
        "UPDATE audit_leaves SET row = 'x' WHERE place = 1",
        *(f"UPDATE audit_heads SET note = {value}" for value in ("x'00'", "'x'", "5")),
        "UPDATE audit_heads SET size = 'x'",
    ],
)
async def test_one_edited_value_of_any_kind_ends_no_ledger_and_is_not_signed(
    opened: Ledger, statement: str, restart: bool
) -> None:
    if opened.database.dialect != "sqlite":
        pytest.skip("a column of PostgreSQL holds nothing but its type")
    await opened.note("a")
    if "heads" in statement:
        await opened.note("b")
    await opened.ledger.sign()
    if "heads" not in statement:
        await opened.note("b")
    await opened.spoil(statement)
    await opened.note("c")
    if restart:
        opened.again()
    with capture_logs() as logs:
        await opened.ledger.step()
        opened.now_s += SIGN_S
        await opened.ledger.step()
    assert "audit_ledger_broken" in [one["event"] for one in logs]
    query = text("SELECT count(*) AS n FROM audit_heads")
    assert [row.n for row in await opened.database.read(lambda c: list(c.execute(query)))] == [1]


async def test_rows_of_two_writers_have_one_order(opened: Ledger, database_url: str) -> None:
    other = open_database(database_url)
    try:
        writers = [opened.record, RecordWriter(other)]
        await asyncio.gather(*(writers[n % 2].audit([audit_row(str(n))] * 3) for n in range(40)))
    finally:
        other.close()
    head = await opened.ledger.sign()
    assert head is not None
    assert head.size == 120


async def test_the_rows_of_before_the_ledger_are_its_first_leaves_and_said_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'center.db'}"
    old = open_database(url, "0007")

    def fill(connection: Connection) -> None:
        statement = "INSERT INTO audit (utc_ns, what, role, address, detail, granted) VALUES (:n,'view','r','a',:d,1)"
        for n in range(5):
            connection.execute(text(statement), {"n": n, "d": f"线 {n}"})

    await old.write(fill)
    old.close()
    database = open_database(url)
    try:
        head = await AuditLedger(database, KEY, lambda said: None).sign()
        rows = await database.read(lambda c: list(c.execute(text("SELECT what, detail FROM audit ORDER BY row"))))
    finally:
        database.close()
    assert head is not None
    assert head.size == 6
    assert (rows[-1].what, json.loads(rows[-1].detail)["before"]) == ("ledger", 5)


def test_nothing_else_writes_to_the_audit_log() -> None:
    wanted = re.compile(r"(insert|update|delete)\(t\.audit\)")
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ("server", "wutong", "sync")
        for path in (ROOT / folder).rglob("*.py")
        if wanted.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["server/store/audit_rows.py"], "a row without a leaf is a row that nobody can prove"
