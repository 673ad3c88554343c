"""A center's store moved to PostgreSQL: everything, once, whatever interrupts it, and never beside a running center."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from sqlalchemy import insert, select, text
from typer.testing import CliRunner

from server.events.admission import read_event
from server.integrity.audit_ledger import AuditLedger
from server.store import tables as t
from server.store.archive.filters import WordFilter
from server.store.database import Database, open_database
from server.store.files import FileEntry
from server.store.reader import RecordReader
from server.store.rights.sight import Sight
from server.store.writer import RecordWriter
from sync.errors import ConfigError, StorageError
from sync.http.rights.people import write_private
from tests.support.files import databases
from tests.support.peers.center_peers import event, opening, said
from tests.support.peers.postgres_server import PASSWORD, PostgresServer
from wutong.center.migrate import migrate
from wutong.center.target import TargetStore
from wutong.cli import app

pytestmark = pytest.mark.process

ROOM = "court1/c03"
KEY = Ed25519PrivateKey.generate()
ROW = {"utc_ns": 1, "what": "level", "role": "archivist", "address": "", "detail": "理由", "granted": True}
MINE = "wutong.center.source"


class Move:
    """A center on SQLite with two hearings, and an empty PostgreSQL."""

    def __init__(self, folder: Path, server: PostgresServer) -> None:
        self.server, self.name = server, server.new_database()
        self.config = folder / "center.toml"
        self.config.write_text('[storage]\ndata = "center"\n')
        self.file = folder / "center" / "center.db"
        self.secret = folder / "secret"
        write_private(self.secret, PASSWORD)
        self.to = server.url(self.name, password=None)
        self.said = StringIO()

    @property
    def source(self) -> str:
        return f"sqlite:///{self.file}"

    @property
    def target(self) -> str:
        return self.server.url(self.name)

    def fill(self, lines: int = 30, *, first: int = 1) -> None:
        asyncio.run(self._fill(lines, first))

    async def _fill(self, lines: int, first: int) -> None:
        database = open_database(self.source)
        try:
            writer = RecordWriter(database)
            for hearing in ("h1", "h2"):
                number = first + (1000 if hearing == "h2" else 0)
                story = [opening(number, hearing=hearing)]
                story += [said(number + n, f"张三说第{number + n}句%_\\", hearing=hearing) for n in range(1, lines)]
                story.append(event(number + lines, "pause", {"reason": "recess"}, hearing=hearing))
                await writer.store_events([read_event(ROOM, json.dumps(one).encode()) for one in story])
            row = {
                "utc_ns": first,
                "what": "level",
                "role": "archivist",
                "address": "",
                "detail": "理由",
                "granted": True,
            }
            await writer.set_level("h2", "restricted", lambda before, row=row: row, ("hearing", "h2"))  # type: ignore[misc]
            planned = {"id": "d1", "time": "09:00", "case_no": "(2026)黑1号"}
            day = {"date": f"2026-11-{first % 28 + 1:02}", "hearings": [planned]}
            await writer.set_docket(ROOM, json.dumps(day), "inspector", "")
            await writer.store_object(FileEntry(ROOM, "h1", "segment", "bench", first, "ab" * 32), 5)
            await AuditLedger(database, KEY, lambda told: None).sign()
            stamp = t.audit_heads.update().values(token=b"\x00\xffstamp")
            await database.write(lambda connection: connection.execute(stamp))
        finally:
            database.close()

    def run(self) -> None:
        migrate(self.config, self.to, self.secret, Console(file=self.said, width=200))


@pytest.fixture
def move(tmp_path: Path, postgres: PostgresServer) -> Move:
    made = Move(tmp_path, postgres)
    made.fill()
    return made


def with_store(url: str, work: Callable[[Database], Any]) -> Any:
    database = open_database(url)
    try:
        return work(database)
    finally:
        database.close()


def rows(url: str) -> dict[str, set[str]]:
    """Everything that a store holds."""

    def read(database: Database) -> dict[str, set[str]]:
        return database.read_now(
            lambda c: {
                table.name: {repr(tuple(row)) for row in c.execute(select(table))} for table in t.metadata.sorted_tables
            }
        )

    found: dict[str, set[str]] = with_store(url, read)
    return found


def hits(url: str, words: str) -> list[str]:
    async def search(database: Database) -> list[dict[str, Any]]:
        return (await RecordReader(database).search(words, WordFilter(), Sight.everything())).rows

    return [hit["utterance"] for hit in with_store(url, lambda database: asyncio.run(search(database)))]


def test_everything_is_there_and_found_and_goes_on(move: Move) -> None:
    before = rows(move.source)
    assert all(before[name] for name in ("events", "utterances", "audit", "audit_heads", "files", "levels", "dockets"))
    move.run()
    assert rows(move.target) == before == rows(move.source)
    assert hits(move.target, "张三 第5") == hits(move.source, "张三 第5") != []
    with_store(move.target, lambda database: asyncio.run(goes_on(database)))


async def goes_on(database: Database) -> None:
    """A store that was moved is as good as one that was filled here: numbers, owners and rows go on behind the old."""
    writer = RecordWriter(database)
    again = read_event(ROOM, json.dumps(said(2, "张三说第2句%_\\")).encode())
    conflict = read_event(ROOM, json.dumps(said(3, "别的")).encode())
    foreign = read_event("court1/c04", json.dumps(said(1, "抢")).encode())
    new = read_event(ROOM, json.dumps(said(500, "新的一句")).encode())
    outcome = await writer.store_events([again, conflict, foreign, new])
    assert (outcome.conflicts, outcome.foreign) == ([conflict], [foreign])
    assert sorted(outcome.receipts[ROOM]) == [2, 500]
    await writer.audit([ROW] * 3)
    head = await AuditLedger(database, KEY, lambda told: None).sign()
    assert head is not None
    count = await database.read(lambda c: c.execute(text("SELECT count(*) FROM audit")).scalar())
    assert head.size == count, "the new rows stand behind those that came, in one tree that is signed on"


def test_it_says_what_to_write_into_the_configuration_and_shows_no_password(move: Move) -> None:
    move.run()
    shown = move.said.getvalue()
    assert f'database = "postgresql://center@127.0.0.1:{move.server.port}/{move.name}"' in shown
    assert f'database_password_file = "{move.secret}"' in shown
    assert PASSWORD not in shown


@pytest.mark.parametrize("after", [0, 1, 2, 5, 9])
def test_interrupted_between_any_two_pieces_it_goes_on(move: Move, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    monkeypatch.setattr(f"{MINE}.PIECE_ROWS", 7)
    put, left = TargetStore.put, [after]

    def stopping(self: TargetStore, *piece: Any) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        put(self, *piece)

    monkeypatch.setattr(TargetStore, "put", stopping)
    runs = 0
    while True:
        runs += 1
        left[0] = after + runs
        try:
            move.run()
        except KeyboardInterrupt:
            with pytest.raises(ConfigError, match=r"尚未完成.*wutong center migrate"):
                open_database(move.target)
            continue
        break
    assert runs > 1
    assert "再次运行同一命令" in move.said.getvalue()
    assert rows(move.target) == rows(move.source)


def test_killed_at_any_moment_it_goes_on(move: Move, tmp_path: Path) -> None:
    move.fill(100, first=2000)
    code = f"import {MINE} as s; s.PIECE_ROWS = 5; from wutong.cli import main; main()"
    command = [sys.executable, "-c", code, "center", "migrate", "--config", str(move.config), "--to", move.to]
    command += ["--password-file", str(move.secret)]
    with move.server.connect(move.name) as look:
        for wanted in (1, 80, 160):
            process = spawn(command, tmp_path / "said")
            while copied(look) < wanted:
                assert process.poll() is None, (tmp_path / "said").read_text()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.02)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    process = spawn(command, tmp_path / "said")
    assert process.wait() == 0, (tmp_path / "said").read_text()
    assert rows(move.target) == rows(move.source)


def spawn(command: list[str], said_to: Path) -> subprocess.Popen[bytes]:
    with said_to.open("wb") as log:
        return subprocess.Popen(command, stderr=log, stdout=log)


def copied(look: psycopg.Connection[Any]) -> int:
    """Rows of events that are there; before its first transaction there is no table."""
    with contextlib.suppress(psycopg.errors.UndefinedTable):
        [(count,)] = look.execute("SELECT count(*) FROM events")
        return int(count)
    return 0


def test_what_the_center_wrote_between_two_runs_is_there_as_well(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(TargetStore, "finish", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            move.run()
    move.fill(10, first=3000)  # also changes lines that were copied: the docket, the state of both hearings
    move.run()
    assert rows(move.target) == rows(move.source)


def test_a_copy_that_is_not_the_same_is_never_called_whole(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as spoiled:
        spoiled.setattr("wutong.center.migrate.same_table", lambda *_: False)
        with pytest.raises(StorageError, match="is another one in the copy"):
            move.run()
    with pytest.raises(ConfigError, match="尚未完成"):
        open_database(move.target)
    move.run()
    assert rows(move.target) == rows(move.source)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE events SET body = replace(body, '第5句', '第6句')", "ledgers of 1 hearings differ, h1"),
        ("UPDATE audit SET detail = '别的理由'", "audit log's tree"),
    ],
)
def test_the_ledgers_are_compared_beside_the_rows(
    move: Move, monkeypatch: pytest.MonkeyPatch, statement: str, says: str
) -> None:
    compared = []

    def same(_source: Any, target: TargetStore, table: Any) -> bool:
        if table is t.metadata.sorted_tables[-1]:
            move.server.run(statement, database=move.name)
        compared.append(table.name)
        return True

    monkeypatch.setattr("wutong.center.migrate.same_table", same)
    with pytest.raises(StorageError, match=says):
        move.run()
    assert len(compared) == len(t.metadata.sorted_tables)


def test_while_the_center_runs_it_is_refused(move: Move) -> None:
    running = open_database(move.source)
    try:
        running.read_now(lambda connection: connection.execute(text("SELECT 1")))
        with pytest.raises(ConfigError, match="请先停止中心"):
            move.run()
    finally:
        running.close()
    move.run()


def test_while_it_copies_no_center_starts_on_the_source(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = []

    def begin(self: TargetStore, source: str) -> dict[str, int]:
        with databases.opened(move.file) as other:
            other.execute("PRAGMA busy_timeout = 0")
            with pytest.raises(sqlite3.OperationalError) as locked:
                other.execute("SELECT * FROM events")
            refused.append(str(locked.value))
        return start(self, source)

    start = TargetStore.begin
    monkeypatch.setattr(TargetStore, "begin", begin)
    move.run()
    assert refused == ["database is locked"]


def test_a_database_that_is_anothers_is_left_alone(move: Move) -> None:
    level = insert(t.levels).values(hearing="h9", level="open")
    with_store(move.target, lambda d: asyncio.run(d.write(lambda c: c.execute(level))))
    with pytest.raises(ConfigError, match="不是空的"):
        move.run()


def test_half_of_another_store_is_not_gone_on_with(move: Move, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(TargetStore, "finish", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            move.run()
    (tmp_path / "other").mkdir()
    other = Move(tmp_path / "other", move.server)
    other.fill(first=77)
    other.name, other.to = move.name, move.to
    with pytest.raises(ConfigError, match="另一个中心"):
        other.run()


def test_done_once_it_is_not_done_again(move: Move) -> None:
    move.run()
    with pytest.raises(ConfigError, match="不是空的"):
        move.run()


@pytest.mark.parametrize("host", ["127.0.0.1", "h", "h:port", "/run/x"])
def test_a_password_on_the_command_line_is_refused_and_not_repeated(move: Move, host: str) -> None:
    to = f"postgresql://center:hidden-word@{host}/x"
    done = CliRunner().invoke(app, ["center", "migrate", "--config", str(move.config), "--to", to])
    assert isinstance(done.exception, ConfigError)
    assert "--password-file" in done.exception.message or "postgresql://USER" in done.exception.message
    assert "hidden-word" not in done.exception.message + done.output


def test_the_url_may_come_with_its_password_by_the_environment(move: Move) -> None:
    done = CliRunner().invoke(
        app, ["center", "migrate", "--config", str(move.config)], env={"WUTONG_CENTER_TO": move.target}
    )
    assert done.exit_code == 0, done.output
    assert PASSWORD not in done.output
    assert rows(move.target) == rows(move.source)


@pytest.mark.parametrize("to", ["sqlite:///x.db", "mysql://h/x", "words"])
def test_only_a_postgresql_is_moved_to(move: Move, to: str) -> None:
    move.to = to
    with pytest.raises(ConfigError, match="postgresql://USER"):
        move.run()
    assert not (Path.cwd() / "x.db").exists()
