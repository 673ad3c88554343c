"""The second copy on a folder or disk of this machine: `<target>/<court>/<room>/<hearing>/…`, as in the room itself.

Promises: a file counts as copied only when its bytes were synced, dropped from memory, read back and found to be those
of the room's log; under its name it is always whole. Nothing on the target is ever overwritten or deleted, and a mount
point without its disk is never written to: the target is known again by a marker that lies on it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import time
from pathlib import Path

from recorder.storage.segment import make_folder
from sync.errors import StorageError
from sync.runtime.files.durable_files import replace_file, sync_folder

MARKER = ".wutong-copy"
PIECE_BYTES = 1024 * 1024
BYTES_PER_S = 20_000_000
"""Ten times what four cameras make: it catches up, and leaves the disks to the recorder."""


class AwayError(StorageError):
    """The target cannot be used now; no file's fault."""

    code = "copy-away"


class DamagedError(StorageError):
    """The file in the room is not what its log says."""

    code = "copy-damaged"


class CopyFolder:
    """One target. Its methods block; one thread uses it."""

    def __init__(self, target: Path, room: str, memory: Path, *, bytes_per_s: int = BYTES_PER_S) -> None:
        """`memory`: the file of the room in which it is noted which disk the target is."""
        self._target = target
        self._room = room
        self._memory = memory
        self._rate = bytes_per_s

    def poll(self) -> bool:
        """Whether the target is another disk than before, that has nothing yet; `AwayError` when it is not there."""
        try:
            here = self._target.stat().st_dev
            mounted = here != self._target.resolve().parent.stat().st_dev
            marker = self._target / MARKER
            name = marker.read_text(encoding="utf-8").strip() if marker.exists() else ""
        except OSError as error:
            raise AwayError(f"备份位置 {self._target} 不存在或未接入：{error.strerror}") from error
        known = self._known()
        if known.get("mounted") and not mounted:
            raise AwayError(f"备份盘未接入：{self._target} 上没有挂载磁盘")
        if name and name == known.get("marker"):
            return False
        if known and not mounted and not name:
            raise AwayError(f"备份位置 {self._target} 不是原来的那一个；如已更换，请删除 {self._memory.name} 后重启")
        name = name or secrets.token_hex(16)
        try:
            replace_file(marker, name.encode())
            replace_file(self._memory, json.dumps({"marker": name, "mounted": mounted}).encode())
        except OSError as error:
            raise self._away(error) from error
        return True

    def put(self, source: Path, hearing: str, file: str, sha256: str) -> None:
        """Copy one file; `AwayError`, or `DamagedError` when the room's own file is the one that is wrong."""
        root = self._target / self._room / hearing
        goal = root / file
        if not goal.resolve().is_relative_to(root.resolve()):
            raise DamagedError(f"{file} 不在庭审文件夹内，不予备份")
        try:
            if goal.exists() and self._hash(goal) == sha256:
                sync_folder(goal.parent)  # whoever renamed it may have died before this
                return
            make_folder(goal.parent)
        except OSError as error:
            raise self._away(error) from error
        part = goal.with_name(f"{goal.name}.part")
        try:
            if self._stream(source, part) != sha256:
                raise DamagedError(f"{file} 与登记的校验值不符，未备份")
            if self._hash(part) != sha256:
                raise AwayError("备份盘读回的内容与写入的不同，请更换")
            if goal.exists():  # damaged there, or another's: kept beside, never overwritten
                goal.replace(goal.with_name(f"{goal.name}.{time.time_ns()}.other"))
            part.replace(goal)
            sync_folder(goal.parent)
        except OSError as error:
            raise self._away(error) from error

    def _stream(self, source: Path, part: Path) -> str:
        """Write `part`, synced; the hash of what was read."""
        digest = hashlib.sha256()
        try:
            reading = os.open(source, os.O_RDONLY)
        except OSError as error:
            raise DamagedError(f"{source.name} 读不出来：{error.strerror}") from error
        try:
            with part.open("wb") as out:
                began, done = time.monotonic(), 0
                while piece := self._read(reading, source):
                    digest.update(piece)
                    out.write(piece)
                    done += len(piece)
                    ahead_s = done / self._rate - (time.monotonic() - began)
                    if ahead_s > 0:
                        time.sleep(ahead_s)  # its own process, slowed down: the record has the disk first
                out.flush()
                os.fsync(out.fileno())
        finally:
            os.close(reading)
        return digest.hexdigest()

    @staticmethod
    def _read(fd: int, source: Path) -> bytes:
        try:
            return os.read(fd, PIECE_BYTES)
        except OSError as error:
            raise DamagedError(f"{source.name} 读不出来：{error.strerror}") from error

    @staticmethod
    def _hash(path: Path) -> str:
        digest = hashlib.sha256()
        fd = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            while piece := os.read(fd, PIECE_BYTES):
                digest.update(piece)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)
        return digest.hexdigest()

    def _known(self) -> dict[str, object]:
        with contextlib.suppress(OSError, ValueError):
            value = json.loads(self._memory.read_text(encoding="utf-8"))
            return value if isinstance(value, dict) else {}
        return {}

    def _away(self, error: OSError) -> AwayError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return AwayError(f"备份盘 {self._target} 已满，请更换或清理")
        return AwayError(f"备份位置 {self._target} 无法写入：{error.strerror}")
