"""`wutong center migrate`: a center's store from SQLite to PostgreSQL, row by row, and compared when it is there.

Refused while the center runs. Interrupted at any moment it is run again, and goes on. What the source has changed in
between is found by the comparison and copied anew, so the center may be started on SQLite again until it is done.
"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Table
from sqlalchemy.exc import SQLAlchemyError

from server.config import load_config
from server.database_address import read_url, shown_url, with_password
from server.store import tables as t
from server.store.database import open_database
from server.store.refusals import words_of
from sync.errors import ConfigError, StorageError
from wutong.center.comparison import audit_head, differing_hearings, same_table
from wutong.center.source import SourceStore
from wutong.center.target import TargetStore, TornTableError

AGAIN = "再次运行同一命令即可继续 (nothing is lost; run the same command again, it goes on where it stopped)"


def migrate(config: Path, to: str, password_file: Path | None, console: Console) -> None:
    """Copy, compare, and say what to change; `ConfigError` or `StorageError` says why not."""
    loaded = load_config(config)
    if loaded.storage.database:
        raise ConfigError(f"this center's database is {shown_url(loaded.storage.database)} already, not SQLite")
    if read_url(to).get_backend_name() != "postgresql":
        raise ConfigError("--to is no address of a PostgreSQL: write postgresql://USER@HOST/NAME")
    file = loaded.storage.data / "center.db"
    with SourceStore(file):
        pass  # In use, it must not be brought to the new form either.
    open_database(loaded.database_url).close()
    database = open_database(with_password(to, password_file), unfinished=True, patient=True)
    try:
        with SourceStore(file) as source:
            _move(source, TargetStore(database), console)
    except SQLAlchemyError as error:
        raise StorageError(f"{words_of(error)}；{AGAIN}") from error
    except KeyboardInterrupt:
        console.print(AGAIN)
        raise
    finally:
        database.close()
    _say_what_next(file, to, password_file, console)


def _move(source: SourceStore, target: TargetStore, console: Console) -> None:
    identity = source.identity()
    done = target.begin(identity)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )
    with bar:
        for table in t.metadata.sorted_tables:
            _copy(source, target, table, done.get(table.name, 0), identity, bar)
        for table in t.metadata.sorted_tables:
            _compare(source, target, table, identity, bar)
        task = bar.add_task("对比 compare: ledgers", total=None)
        differ = differing_hearings(source, target, lambda count: bar.advance(task, count))
        if differ:
            raise StorageError(f"the ledgers of {len(differ)} hearings differ, {differ[0]} first; the copy is not used")
        if audit_head(source) != audit_head(target):
            raise StorageError("the audit log's tree is another one in the copy, which is not used")
        target.finish()


def _copy(source: SourceStore, target: TargetStore, table: Table, after: int, identity: str, bar: Progress) -> None:
    total = source.count(table)
    task = bar.add_task(f"复制 copy: {table.name}", total=total, completed=min(after, total))
    try:
        for rows, last in source.pieces(table, after):
            target.put(table, rows, last, identity)
            bar.advance(task, len(rows))
    except TornTableError:
        if not after:
            raise
        target.empty(table)
        _copy(source, target, table, 0, identity, bar)
    bar.update(task, completed=total)


def _compare(source: SourceStore, target: TargetStore, table: Table, identity: str, bar: Progress) -> None:
    task = bar.add_task(f"对比 compare: {table.name}", total=1)
    if not same_table(source, target, table):
        # Written to since an earlier run, which took its rows as they were then.
        target.empty(table)
        _copy(source, target, table, 0, identity, bar)
        if not same_table(source, target, table):
            raise StorageError(
                f"the table {table.name} is another one in the copy, which is not used; the log says more"
            )
    bar.update(task, completed=1)


def _say_what_next(file: Path, to: str, password_file: Path | None, console: Console) -> None:
    console.print("迁移完成，每一行和每次庭审的账本都已核对 (moved; every row and every ledger is the same)")
    console.print("在 center.toml 中改为 (write into center.toml):\n")
    console.print("[storage]")
    console.print(f'database = "{shown_url(to)}"')
    if password_file is not None:
        console.print(f'database_password_file = "{password_file.resolve()}"')
    console.print(
        f"\n然后启动中心。{file} 已不再使用，请改名保存 (then start the center, and keep {file.name} under another"
        " name: nothing is written to it any more)"
    )
