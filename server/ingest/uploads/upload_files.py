"""Where the bytes of uploads lie, whichever way they come: one file each, whose length is the only truth.

Promises: what is told of a file was synced; what is appended goes behind all that is there, once; its hash goes along;
the disk's reserve and the room's quota are asked before each write, and what a full disk took a part of is counted.
A file that the disk did not sync is dropped, for nobody knows what is left of it: its room sends it again.
Refused, with `StorageError`: what would take the disk below its reserve, or a room above what it may have outstanding.

`<uid>` holds the bytes, `<uid>.info` (JSON, as tuspyserver has it) what was said of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from server.ingest.uploads.free_space import FreeSpace
from server.ingest.uploads.partial import FileKey, Metadata, Partial
from server.ingest.uploads.upload_index import UploadIndex
from sync.errors import StorageError, WutongError
from sync.runtime.files.durable_files import replace_file

log = structlog.get_logger(__name__)

_UID = re.compile(r"[0-9a-f]{32}")
ORPHAN_DAYS = 7
"""An upload to which nothing was added for so long has lost its room, which keeps the file and begins another."""
MOST_UPLOADS = 2000
"""Of one room that are not objects yet: each track of each hearing that waits is some of them."""


class UploadFiles:
    """Its methods may be called in several threads; those that block say so. Who writes to an upload holds its lock."""

    def __init__(
        self, folder: Path, *, reserve_bytes: int = 0, quota_bytes: int | None = None, shared: bool = False
    ) -> None:
        """`reserve_bytes`: what stays free on the disk. `quota_bytes`: what a room may have here that is no object
        yet; None for as much as there is room. `shared`: other processes have the folder too (`look_again`)."""
        self._folder = folder
        self._reserve_bytes = reserve_bytes
        self._quota_bytes = quota_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self._free = FreeSpace(folder)
        self._index = UploadIndex()
        self._written: dict[str, str] = {}
        for path in list(folder.iterdir()):
            if path.suffix == ".info":
                self._note(path.stem, _load(path))
            elif shared:
                continue  # it may be another process that begins an upload just now; what nobody knows expires
            elif path.suffixes == [".info", ".new"] or (_UID.fullmatch(path.name) and not _has_words(path)):
                path.unlink(missing_ok=True)  # of a center that was killed while it began an upload: nobody knows it

    def of_track(self, room: str, hearing: str, track: str) -> list[Partial]:
        """Uploads of a track's segments that are not objects yet."""
        return self._index.of_track(room, hearing, track)

    def look_again(self) -> None:
        """Take note of what other processes have begun, added to and dropped in this folder. Blocks."""
        known = {partial.uid: partial for partial in self._index.all()}  # before the folder: what comes now stays
        there = {path.stem: path for path in self._folder.iterdir() if path.suffix == ".info"}
        for uid in known.keys() - there.keys():
            self._index.drop(uid)
            self._written.pop(uid, None)
        for uid, path in there.items():
            if uid not in known:
                self._note(uid, _load(path))
            elif not known[uid].lock.locked():
                self._index.resize(known[uid], size_of(known[uid].path))

    def of_file(self, file: FileKey) -> Partial | None:
        """The upload of a file that goes on; None where there is none."""
        return self._index.of_file(file)

    def partial(self, uid: str) -> Partial | None:
        """What is known of an upload."""
        return self._index.get(uid)

    def free_bytes(self) -> int:
        """Space left for uploads. Blocks, now and then: `look_at_disk` before asking on an event loop."""
        return self._free.bytes()

    async def look_at_disk(self) -> None:
        """See to it that what is known of the disk's free space is not old."""
        if self._free.is_old:
            await asyncio.to_thread(self._free.look)

    def outstanding(self, room: str) -> int:
        """Bytes of a room that are no objects yet."""
        return self._index.outstanding(room)

    def unfinished(self, room: str) -> int:
        """How many uploads of a room are no objects yet."""
        return self._index.count(room)

    def check_room(self, room: str, more: int = 0, *, new: bool = False) -> None:
        """`StorageError` when the disk or the room's quota has no place for `more` bytes, or for a `new` upload."""
        if self.free_bytes() - more < self._reserve_bytes:
            raise StorageError(
                "中心磁盘已满，本庭文件保留在本庭并自动重试；请在中心清理或扩充磁盘 (the center's disk is full; "
                "the room keeps its files and tries again)"
            )
        if self._quota_bytes is not None and self.outstanding(room) + more > self._quota_bytes:
            raise StorageError(
                f"本庭未完成的上传已达 {self._quota_bytes / 2**30:.1f} GiB 上限，文件保留在本庭并自动重试 (what this "
                "room has sent and not finished is as much as it may be; finish or drop uploads, or raise "
                "storage.upload_quota_gib at the center)",
            )
        if new and self._index.count(room) >= MOST_UPLOADS:
            raise StorageError(
                f"本庭未完成的上传已有 {MOST_UPLOADS} 个 (this room has as many unfinished uploads as it may; finish "
                "or drop some)",
            )

    def expire(self, utc_s: float) -> int:
        """Drop uploads to which nothing was added in `ORPHAN_DAYS`, and words that cannot be read; how many. Blocks."""
        count = 0
        for path in list(self._folder.iterdir()):
            uid = path.stem
            if not _UID.fullmatch(uid) or self.busy(uid):
                continue
            try:
                # Of an upload whose file is there, the file's time counts: its words are written once.
                file = self._folder / uid
                idle_s = utc_s - (file if file.exists() else path).stat().st_mtime
            except FileNotFoundError:
                continue
            if idle_s > ORPHAN_DAYS * 86_400:
                partial = self._index.get(uid)
                room = "" if partial is None else partial.metadata.room
                log.warning("upload_expired", upload=uid, room=room, idle_s=int(idle_s))
                self.forget(uid)
                count += 1
        return count

    def busy(self, uid: str) -> bool:
        """Whether somebody is writing to an upload now."""
        partial = self._index.get(uid)
        return partial is not None and partial.lock.locked()

    def forget(self, uid: str) -> None:
        """The file has become an object, or is given up: drop the rest. Blocks."""
        partial = self._index.drop(uid)
        self._written.pop(uid, None)
        if partial is None:
            self._unlink(uid)
            return
        with partial.disk:  # who appends now would make the file anew
            partial.gone = True
            self._unlink(uid)

    def _unlink(self, uid: str) -> None:
        # The words last: a file of which nothing is said would never expire.
        self._path(uid).unlink(missing_ok=True)
        self._path(uid).with_suffix(".info").unlink(missing_ok=True)

    def forget_tests(self, room: str) -> None:
        """Drop what a self-test of a room left half sent. Blocks."""
        for partial in self._index.of_room(room):
            if partial.metadata.kind == "selftest":
                self.forget(partial.uid)

    def begin(self, metadata: Metadata, length: int | None) -> Partial:
        """Begin an empty upload, its name on disk; `length`: of the whole file where it is known. Blocks;
        `StorageError`."""
        self.check_room(metadata.room, new=True)
        uid = uuid.uuid4().hex
        said = {key: str(value) for key, value in metadata.model_dump().items()}
        made = str(dt.datetime.now())
        info = {"metadata": said, "size": length, "defer_length": length is None, "created_at": made, "expires": None}
        try:
            self._path(uid).touch(0o640)
            self._write_info(uid, sidecar(uid, info))  # syncs the folder, and so both names
        except OSError as error:
            raise StorageError(f"an upload cannot be begun ({error.strerror}); look at the center's disk") from error
        partial = self._index.get(uid)
        if partial is None:
            raise StorageError("an upload cannot be begun; look at the center's log")
        return partial

    def held(self, partial: Partial) -> int:
        """How many bytes of an upload there are, as the file itself has it. Blocks; `FileNotFoundError`."""
        size = partial.path.stat().st_size
        self._free.wrote(self._index.resize(partial, size))
        return size

    def is_stored(self, partial: Partial) -> bool:
        """Whether its bytes are in the record already, so that nothing may be added to them. Blocks;
        `FileNotFoundError`."""
        return partial.path.stat().st_nlink > 1

    def write_on(self, partial: Partial, data: bytes) -> None:
        """Append. Blocks; `StorageError`, also when a part of it was written, which then counts."""
        self._append(partial.uid, data)

    def sync(self, partial: Partial) -> None:
        """See to it that all of it is on disk. Blocks; `StorageError` when it is not, and then it was dropped."""
        self._sync(partial.uid)

    def digest(self, partial: Partial) -> str:
        """SHA-256 (hex) of an upload. What was appended since the center runs is not read for it. Blocks; the caller
        holds the upload's lock. `FileNotFoundError`, `StorageError`."""
        try:
            return partial.digest.of(partial.path)
        except FileNotFoundError:
            raise
        except OSError as error:
            partial.digest.forget()
            raise StorageError(f"an upload cannot be read ({error.strerror}); look at the center's disk") from error

    def _append(self, uid: str, chunk: bytes | bytearray) -> None:
        """Write at the end. Blocks; `StorageError`, also when only a part was written, which then counts.

        Where the end is, is said: a process that stood still while another one went on with the file writes the same
        bytes to the same place, and nothing is doubled."""
        partial = self._index.get(uid)
        if partial is None:
            raise StorageError("this upload was dropped; its room begins another")
        self.check_room(partial.metadata.room, len(chunk))
        with partial.disk:
            if partial.gone:
                raise StorageError("this upload was dropped; its room begins another")
            before = size_of(partial.path)
            try:
                with partial.path.open("r+b") as file:
                    if os.fstat(file.fileno()).st_nlink > 1:
                        raise StorageError("this upload is in the record already; nothing is added to it")
                    written = 0
                    while written < len(chunk):
                        written += os.pwrite(file.fileno(), memoryview(chunk)[written:], before + written)
                    # The disk begins with it, and does not wait to be asked for it: many files that one request brought
                    # are then synced in fewer commits of the file system. Where it takes no such hint all is as well.
                    with contextlib.suppress(OSError):
                        os.posix_fadvise(file.fileno(), before, written, os.POSIX_FADV_DONTNEED)
            except OSError as error:
                raise StorageError(
                    f"an upload cannot be written ({error.strerror}); look at the center's disk"
                ) from error
            finally:
                # What is there counts, also when a full disk took a part of it.
                size = size_of(partial.path)
                self._free.wrote(self._index.resize(partial, size))
                written = size - before
                if 0 <= written <= len(chunk):
                    partial.digest.add(before, memoryview(chunk)[:written])
                else:
                    partial.digest.forget()  # somebody else wrote, too: the file alone can say

    def _sync(self, uid: str, rest: bytes | bytearray = b"") -> None:
        """Bring an upload to the disk, with `rest` behind it. Blocks; `StorageError`, `FileNotFoundError`."""
        if rest:
            self._append(uid, rest)
        fd = os.open(self._path(uid), os.O_RDONLY)
        try:
            size = os.fstat(fd).st_size
            os.fdatasync(fd)
        except OSError as error:
            log.error("upload_not_synced", upload=uid, why=error.strerror, next="it is dropped, and sent again")
            self.forget(uid)  # a second try would be told that all is well
            raise StorageError(f"an upload cannot be kept ({error.strerror}); look at the center's disk") from error
        finally:
            os.close(fd)
        partial = self._index.get(uid)
        if partial is not None:
            partial.synced = size

    def _path(self, uid: str) -> Path:
        if not _UID.fullmatch(uid):
            raise WutongError("this is not the id of an upload", code="not-found")
        return self._folder / uid

    def _write_info(self, uid: str, text: str) -> None:
        """Keep the sidecar, on disk with its name; known uploads need not be asked for. Blocks; `OSError`."""
        if self._is_written(uid, text):
            return
        replace_file(self._folder / f"{uid}.info", text)
        self._written[uid] = text
        self._note(uid, json.loads(text))

    def _is_written(self, uid: str, text: str) -> bool:
        return self._written.get(uid) == text

    def _info(self, uid: str) -> dict[str, Any] | None:
        """What the sidecar says. Blocks, but for one that was written since the center runs."""
        text = self._written.get(uid)
        return _load(self._folder / f"{uid}.info") if text is None else json.loads(text)

    def _note(self, uid: str, info: dict[str, Any] | None) -> None:
        if self._index.get(uid) is not None:
            return
        try:
            metadata = Metadata.model_validate((info or {}).get("metadata"))
        except ValidationError:
            log.warning("upload_unreadable", upload=uid, next="the room will start a new one")
            return
        path = self._folder / uid
        self._index.add(Partial(uid, path, metadata, size_of(path)))


def sidecar(uid: str, data: Mapping[str, Any]) -> str:
    """The text of a sidecar; offsets and counters change with every chunk and are not worth a sync."""
    kept = {k: v for k, v in data.items() if k not in ("offset", "upload_part", "upload_chunk_size", "error")}
    # tuspyserver's HEAD refuses uploads without these two.
    metadata = {"filetype": "application/octet-stream", "filename": uid, **(kept.get("metadata") or {})}
    metadata["filename"] = _ascii(metadata.get("name") or metadata["filename"])
    return json.dumps({**kept, "metadata": metadata}, default=str, sort_keys=True)


def _load(path: Path) -> dict[str, Any] | None:
    try:
        # Written by `_write_info` of what the door has bounded, and flat: what can go wrong is a disk.
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _has_words(path: Path) -> bool:
    return path.with_suffix(".info").exists()


def size_of(path: Path) -> int:
    """Bytes of a file; 0 of one that is not there. Blocks."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _ascii(name: str) -> str:
    return name.encode("ascii", "replace").decode() or "file"
