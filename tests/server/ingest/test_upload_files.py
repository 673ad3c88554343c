"""Files of uploads: found without a scan, hashed while they grow, counted and dropped as what they are."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from server.ingest.uploads import running_digest
from server.ingest.uploads.free_space import LOOK_S, FreeSpace
from server.ingest.uploads.partial import Metadata, Partial
from server.ingest.uploads.running_digest import RunningDigest
from server.ingest.uploads.upload_files import ORPHAN_DAYS, UploadFiles
from server.ingest.uploads.upload_index import UploadIndex
from sync.errors import StorageError

ROOM = "court1/c03"


def said(index: int = 0, **more: str) -> Metadata:
    return Metadata.model_validate({"room": ROOM, "hearing": "h1", "kind": "segment", "index": index, **more})


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class _Reads:
    """Counts the bytes that a digest reads of a file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(running_digest, "_CHUNK", 16)
        self.paths: list[Path] = []
        opened = Path.open
        self.bytes = 0

        def counted(path: Path, mode: str = "r", *rest: object) -> object:
            file = opened(path, mode, *rest)  # type: ignore[call-overload]
            if mode == "rb":
                read = file.read

                def reading(count: int = -1) -> bytes:
                    data: bytes = read(count)
                    self.bytes += len(data)
                    return data

                return _Counting(file, reading)
            return file

        monkeypatch.setattr(Path, "open", counted)


class _Counting:
    def __init__(self, file: object, read: object) -> None:
        self._file = file
        self.read = read

    def __enter__(self) -> _Counting:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()  # type: ignore[attr-defined]

    def seek(self, *arguments: int) -> int:
        return int(self._file.seek(*arguments))  # type: ignore[attr-defined]


def test_what_was_appended_is_not_read_again_to_be_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = UploadFiles(tmp_path)
    partial = files.begin(said(), None)
    for part in (b"one" * 100, b"two" * 100):
        files.write_on(partial, part)
    reads = _Reads(monkeypatch)
    assert files.digest(partial) == sha256(b"one" * 100 + b"two" * 100)
    assert reads.bytes == 0


def test_after_a_restart_what_was_there_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = UploadFiles(tmp_path)
    before.write_on(before.begin(said(), None), b"a" * 500)
    files = UploadFiles(tmp_path)
    partial = files.of_file(said().file)
    assert partial is not None
    files.write_on(partial, b"b" * 500)
    reads = _Reads(monkeypatch)
    for _ in range(2):
        assert files.digest(partial) == sha256(b"a" * 500 + b"b" * 500)
    assert reads.bytes == 1000
    files.write_on(partial, b"c")
    assert files.digest(partial) == sha256(b"a" * 500 + b"b" * 500 + b"c")
    assert reads.bytes == 1000


@pytest.mark.parametrize("foreign", [b"", b"first", b"more than there was"])
def test_a_file_that_somebody_else_changed_is_hashed_as_it_is(tmp_path: Path, foreign: bytes) -> None:
    """Longer or shorter than what was appended: what was known of it is not believed."""
    files = UploadFiles(tmp_path)
    partial = files.begin(said(), None)
    files.write_on(partial, b"first, and second")
    if len(foreign) > len(b"first, and second"):
        foreign = b"first, and second" + foreign
    partial.path.write_bytes(foreign)
    assert files.digest(partial) == sha256(foreign)
    files.write_on(partial, b"third")
    assert files.digest(partial) == sha256(foreign + b"third")


def test_a_digest_knows_of_what_it_missed() -> None:
    digest = RunningDigest()
    digest.add(0, b"abc")
    digest.add(9, b"never mind")
    assert digest.count == 3


def test_uploads_are_found_by_what_they_are_and_dropped_from_everywhere(tmp_path: Path) -> None:
    index = UploadIndex()
    uploads = [Partial(f"{n:032x}", tmp_path / str(n), said(n, track="bench"), bytes=10) for n in range(3)]
    foreign = Partial(
        "f" * 32, tmp_path / "f", Metadata(room="court1/c04", hearing="h1", kind="segment", track="bench")
    )
    page = Partial("e" * 32, tmp_path / "e", said(0, kind="page", track="bench", name="1@1"), bytes=5)
    for one in (*uploads, foreign, page, uploads[0]):
        index.add(one)
    assert {one.uid for one in index.of_track(ROOM, "h1", "bench")} == {one.uid for one in uploads}
    assert (index.count(ROOM), index.outstanding(ROOM)) == (4, 35)
    assert index.of_file(said(1, track="bench", name="whatever it is called").file) is uploads[1]
    assert index.of_file(said(0, kind="page", track="bench", name="1@2").file) is None
    assert index.resize(uploads[1], 30) == 20
    assert index.outstanding(ROOM) == 55
    for one in (*uploads, page):
        assert index.drop(one.uid) is one
        assert index.drop(one.uid) is None
    index.resize(page, 1000)  # whoever still wrote to it
    assert (index.count(ROOM), index.outstanding(ROOM), index.of_track(ROOM, "h1", "bench")) == (0, 0, [])
    assert index.all() == [foreign]


def test_of_two_uploads_of_one_file_the_one_with_more_goes_on(tmp_path: Path) -> None:
    first = UploadFiles(tmp_path)
    long, short = first.begin(said(), None), first.begin(said(), None)
    first.write_on(long, b"much of it")
    first.write_on(short, b"some")
    found = UploadFiles(tmp_path).of_file(said().file)
    assert found is not None
    assert found.uid == long.uid


def test_nothing_is_written_to_what_was_dropped(tmp_path: Path) -> None:
    files = UploadFiles(tmp_path)
    partial = files.begin(said(), None)
    partial.disk.acquire()  # as somebody who appends just now
    dropping = threading.Thread(target=files.forget, args=(partial.uid,))
    dropping.start()
    assert partial.path.exists()
    partial.disk.release()
    dropping.join()
    with pytest.raises(StorageError):
        files.write_on(partial, b"late")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_the_disk_does_not_sync_is_dropped_and_not_believed_at_a_second_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = UploadFiles(tmp_path)
    partial = files.begin(said(), None)
    files.write_on(partial, b"lost")

    def refuse(fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", refuse)
        with pytest.raises(StorageError):
            files.sync(partial)
    assert files.of_file(said().file) is None
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_center_left_of_a_beginning_goes_at_the_next_start(tmp_path: Path) -> None:
    for name in ("a" * 32, f"{'a' * 32}.info.new", f"{'b' * 32}.info.new", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    UploadFiles(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_upload_whose_words_cannot_be_read_expires_too(tmp_path: Path) -> None:
    unread = tmp_path / f"{'b' * 32}.info"
    unread.write_text("{")
    lost = UploadFiles(tmp_path).begin(said(), None)
    lost.path.unlink()
    files = UploadFiles(tmp_path)
    newest = max(path.stat().st_mtime for path in tmp_path.iterdir())
    assert files.expire(unread.stat().st_mtime + 1) == 0
    assert files.expire(newest + ORPHAN_DAYS * 86_400 + 1) == 2
    assert list(tmp_path.iterdir()) == []
    assert files.of_file(said().file) is None


def test_the_disk_is_asked_once_in_a_while_and_what_was_written_counts_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, asked = [100.0], []

    class _Usage:
        free = 1000

    def usage(folder: Path) -> _Usage:
        asked.append(folder)
        return _Usage()

    monkeypatch.setattr("server.ingest.uploads.free_space.shutil.disk_usage", usage)
    space = FreeSpace(tmp_path, monotonic=lambda: now[0])
    assert space.is_old
    assert [space.bytes() for _ in range(5)] == [1000] * 5
    space.wrote(300)
    assert (space.bytes(), len(asked)) == (700, 1)
    now[0] += LOOK_S
    assert (space.bytes(), len(asked)) == (1000, 2)
