"""A room's data from the machine before: its log, its media and what it still held for the center, from its disk.

For a machine that broke down and whose disk can be read. A room has one log, so it is taken over before this machine
has one of its own: before it is enrolled. Keys are not taken over: this machine is a device of its own, and what the
one before had not sent leaves with this one's signature. The log comes last, so that a copy that was broken off is no
room's log, and is begun again. Refused: a machine that has a log, a folder that is no room's data, a disk too small.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sync.errors import ConfigError, StorageError
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.runtime.files.durable_files import sync_folder

SPARE_BYTES = 1024**3
"""What stays free."""
_COPY_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What came from the machine before."""

    files: int
    size_bytes: int
    last_number: int
    """Of its log."""
    pending_events: int
    """Those that the center had not receipted."""


def take_over(old: Path, new: Path) -> TakenOver:
    """Copy the data folder `old` to `new`, which keeps what it has; `ConfigError` or `StorageError` says why not."""
    there, here = RoomPaths(old), RoomPaths(new)
    if not there.log.is_file():
        raise ConfigError(
            f"{old} 不是法庭的数据目录，没有 room.db (this is no data folder of a room: it has no room.db)"
        )
    if here.log.exists():
        raise ConfigError(
            f"{new} 已有自己的日志，不能再接收旧设备的数据 (this machine has a log of its own: take the data "
            "over before it is enrolled, into an empty data folder)"
        )
    logs = [there.log.with_name(there.log.name + "-wal"), there.log]
    try:
        files = [path for path in _files(there) if path not in logs]
        size = sum(path.stat().st_size for path in [*files, *(log for log in logs if log.exists())])
        new.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(new).free
        if free < size + SPARE_BYTES:
            raise StorageError(
                f"磁盘空间不足，需要 {size / 1e9:.1f} GB，剩余 {free / 1e9:.1f} GB "
                "(the disk of this machine is too small)"
            )
        for path in files:
            _copy(path, new / path.relative_to(old))
        for log in logs:
            if log.exists():
                _copy(log, new / log.relative_to(old))
    except OSError as error:
        raise StorageError(
            f"不能复制 {error.filename}：{error.strerror} (it cannot be copied; run it again)"
        ) from error
    room_log = RoomLog(here.log)
    try:
        return TakenOver(len(files), size, room_log.last_number(), room_log.pending_count())
    finally:
        room_log.close()


def _files(there: RoomPaths) -> Iterator[Path]:
    """All files but keys, sockets, self-tests and what an earlier database had in memory; links lead nowhere."""
    left_out = {there.keys, there.signer, there.log.parent / "run", there.selftests}
    for folder, folders, names in os.walk(there.data):
        at = Path(folder)
        folders[:] = sorted(name for name in folders if at / name not in left_out and not (at / name).is_symlink())
        for name in sorted(names):
            path = at / name
            if path.is_file() and not path.is_symlink() and not name.endswith("-shm"):
                yield path


def _copy(source: Path, target: Path) -> None:
    """A file with its mode and times, on disk when this returns, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    known = source.stat()
    if target.exists() and (target.stat().st_size, target.stat().st_mtime_ns) == (known.st_size, known.st_mtime_ns):
        return  # of a copy that was broken off
    part = target.with_name(target.name + ".part")
    with source.open("rb") as reading, part.open("wb") as writing:
        shutil.copyfileobj(reading, writing, _COPY_BYTES)
        writing.flush()
        os.fsync(writing.fileno())
    shutil.copystat(source, part)
    part.replace(target)
    sync_folder(target.parent)
