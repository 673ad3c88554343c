"""`wutong center move-objects`: the record's files from the folder into the bucket, or back, one after the other.

Promises: a file counts as moved when it was read back from where it went and has its hash. Interrupted at any moment it
is run again, and goes on. Nothing is deleted unless that was asked for, and then only from a folder that the center
does not use any more, each file behind being read back. The center may run: what comes meanwhile goes where it is told
to keep it, and the next run fetches it. A file that is missing or damaged is named, and holds up no other.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Row, Select, func, select

from server.config import Config, load_config
from server.objects.object_folder import ObjectFolder
from server.objects.object_store import ObjectStore
from server.objects.opened import open_bucket, open_folder
from server.store import tables as t
from server.store.database import Database, open_database
from sync.errors import ConfigError, StorageError
from sync.runtime.files.digests import checks_of
from sync.runtime.files.readable_file import local_file

Goal = Literal["s3", "folder"]

AGAIN = "再次运行同一命令即可继续 (nothing is lost; run the same command again, it goes on where it stopped)"
ROWS_AT_ONCE = 500
MOST_NAMED = 20


@dataclass
class MoveOutcome:
    """What a run has done: numbers of files."""

    there: int = 0
    moved: int = 0
    removed: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Stores:
    """From where to where; `spare` is a folder of this machine for a file that is on its way."""

    source: ObjectStore
    target: ObjectStore
    spare: Path


def move_objects(config: Path, to: Goal, *, remove: bool, console: Console) -> MoveOutcome:
    """Move all files of the record, and say what to change; `ConfigError` or `StorageError` says why not."""
    loaded = load_config(config)
    if remove and (to != "s3" or loaded.storage.objects != "s3"):
        raise ConfigError(
            "--remove 只删除中心已不再使用的目录中的文件 (--remove deletes from the folder, and only while "
            'storage.objects is "s3" in center.toml: move, change that, restart the center, then use --remove)'
        )
    folder, bucket = open_folder(loaded), open_bucket(loaded)
    bucket.look()
    if bucket.lacks:
        raise StorageError(f"{bucket.lacks}；{AGAIN}")
    if bucket.wants:
        console.print(bucket.wants)
    stores = Stores(folder, bucket, _spare(loaded)) if to == "s3" else Stores(bucket, folder, _spare(loaded))
    database = open_database(loaded.database_url, patient=True)
    try:
        outcome, unfit = _move(database, stores, console)
        if unfit:
            raise StorageError(_words_of_unfit(unfit))
        if remove:
            outcome.removed = _remove(database, folder, bucket, console)
    except StorageError as error:
        raise StorageError(f"{error.message}；{AGAIN}") from error
    except KeyboardInterrupt:
        console.print(AGAIN)
        raise
    finally:
        database.close()
    _say_what_next(loaded, to, outcome, console)
    return outcome


def _spare(config: Config) -> Path:
    return config.storage.data / "moving"


def _move(database: Database, stores: Stores, console: Console) -> tuple[MoveOutcome, list[str]]:
    """Copy what is not there yet; also the names of what cannot be copied."""
    outcome, unfit = MoveOutcome(), []
    shutil.rmtree(stores.spare, ignore_errors=True)  # of a run that was killed
    there = _Listing(stores.target.names())
    with _bar(console) as bar:
        task = bar.add_task("移动文件 files", total=_bytes(database))
        for sha256, size in objects_of(database):
            if there.has(sha256, size):
                outcome.there += 1
            elif _copy(stores, sha256, size):
                outcome.moved += 1
                outcome.bytes += size
            else:
                unfit.append(sha256)
            bar.advance(task, size)
    return outcome, unfit


def _copy(stores: Stores, sha256: str, size: int) -> bool:
    """Whether the source had it as its name says; `StorageError` where it did not arrive so."""
    source = stores.source.file(sha256)
    if not source.is_file():
        return False
    stores.spare.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=stores.spare) as spare:
        file = local_file(source, Path(spare) / sha256)
        if not stores.target.take(file, sha256, size):
            return False
    if checks_of(stores.target.file(sha256)).sha256 != sha256:
        raise StorageError(f"{sha256} 读回时不一致，未移动 (it is another file when it is read back; not moved)")
    return True


def _remove(database: Database, folder: ObjectFolder, bucket: ObjectStore, console: Console) -> int:
    """Delete from the folder what is read back whole from the bucket; how many."""
    count = 0
    with _bar(console) as bar:
        task = bar.add_task("核对并删除 read back, remove", total=_bytes(database))
        for sha256, size in objects_of(database):
            if folder.file(sha256).is_file():
                if checks_of(bucket.file(sha256)).sha256 != sha256:
                    raise StorageError(
                        f"{sha256} 读回时不一致，未删除 (another one when it is read back; it was not deleted)"
                    )
                folder.remove(sha256)
                count += 1
            bar.advance(task, size)
    return count


class _Listing:
    """What a store lists, asked for in the order in which it lists it, so that nothing is kept in memory."""

    def __init__(self, names: Iterator[tuple[str, int]]) -> None:
        self._names = names
        self._next = next(names, None)

    def has(self, sha256: str, size: int) -> bool:
        while self._next is not None and self._next[0] < sha256:
            self._next = next(self._names, None)
        return self._next == (sha256, size)


def objects_of(database: Database) -> Iterator[tuple[str, int]]:
    """(SHA-256, bytes) of all that the record names, in the order of the hashes."""
    after = ""
    o = t.objects.c
    while True:
        query = select(o.sha256, o.bytes).where(o.sha256 > after).order_by(o.sha256).limit(ROWS_AT_ONCE)
        rows = _rows(database, query)
        if not rows:
            return
        for row in rows:
            yield str(row.sha256), int(row.bytes)
        after = str(rows[-1].sha256)


def _rows(database: Database, query: Select[Any]) -> list[Row[Any]]:
    return database.read_now(lambda connection: list(connection.execute(query)))


def _bytes(database: Database) -> int:
    query = select(func.coalesce(func.sum(t.objects.c.bytes), 0))
    return int(database.read_now(lambda connection: connection.execute(query).scalar()) or 0)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn(), console=console
    )


def _words_of_unfit(unfit: list[str]) -> str:
    named = ", ".join(unfit[:MOST_NAMED]) + (" …" if len(unfit) > MOST_NAMED else "")
    return (
        f"{len(unfit)} 个文件在来源中缺失或已损坏，其余已移动 ({len(unfit)} files that the record names are missing or "
        f"damaged where they are moved from; all others were moved; look for the copies in the rooms): {named}"
    )


def _say_what_next(config: Config, to: Goal, outcome: MoveOutcome, console: Console) -> None:
    console.print(
        f"已移动并核对 {outcome.moved} 个文件，{outcome.there} 个此前已在目标中 ({outcome.moved} files moved and read "
        f"back, {outcome.there} were there before)"
    )
    if outcome.removed:
        console.print(f"已从目录删除 {outcome.removed} 个文件 ({outcome.removed} files deleted from the folder)")
    if config.storage.objects != to:
        console.print("在 center.toml 中改为 (write into center.toml):\n")
        console.print(f'[storage]\nobjects = "{to}"\n', markup=False)
        console.print(
            "重启中心后请再运行一次 (restart the center, then run this once more: it fetches what came meanwhile)"
        )
