"""A file is replaced as a whole or not at all, with the rights that it shall have."""

from __future__ import annotations

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sync.runtime.files.durable_files import replace_file


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("synced", [True, False])
def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path, synced: bool) -> None:
    path = tmp_path / "made" / "a.json"
    for content in ("一", "second", ""):
        replace_file(path, content, synced=synced)
        assert path.read_bytes() == content.encode()
    replace_file(path, b"\0\xff", synced=synced)
    assert path.read_bytes() == b"\0\xff"
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]


def test_a_private_file_is_private_from_its_first_byte_on(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    draft = tmp_path / "secret.new"
    draft.write_text("an earlier life's")
    draft.chmod(0o666)
    replace_file(path, "new", private=True)
    assert (path.read_text(), mode(path)) == ("new", 0o600)


def test_a_disk_that_refuses_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    replace_file(path, "old")

    def refuse(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        replace_file(path, "new")
    assert path.read_text() == "old"


def test_a_file_has_the_mode_that_was_asked_for_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        replace_file(tmp_path / "a", "x", mode=0o640, shared=True)
    finally:
        os.umask(before)
    assert mode(tmp_path / "a") == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_two_processes_that_replace_one_file_have_a_draft_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    true = os.fsync

    def meanwhile(fd: int) -> None:
        monkeypatch.setattr(os, "fsync", true)
        with monkeypatch.context() as other:
            other.setattr(threading, "get_native_id", lambda: 1)
            replace_file(path, "the other's", shared=True)
        true(fd)

    monkeypatch.setattr(os, "fsync", meanwhile)
    replace_file(path, "ours", shared=True)
    assert path.read_text() == "ours"


@pytest.mark.parametrize("linked", ["symbolic", "hard"])
def test_a_link_in_the_place_of_the_draft_is_not_written_through(tmp_path: Path, linked: str) -> None:
    other = tmp_path / "other"
    other.write_text("another's")
    draft = tmp_path / "a.new"
    if linked == "hard":
        os.link(other, draft)
    else:
        draft.symlink_to(other)
    replace_file(tmp_path / "a", "new", private=True)
    assert (other.read_text(), (tmp_path / "a").read_text()) == ("another's", "new")


def test_two_threads_that_replace_one_file_at_once_are_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a center and `wutong authority` do, and two acts of a center."""
    both_have_a_draft = threading.Barrier(2)
    synced = os.fsync

    def waiting(fd: int) -> None:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            both_have_a_draft.wait(30)
        synced(fd)

    monkeypatch.setattr(os, "fsync", waiting)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda text: replace_file(tmp_path / "a", text, shared=True), ["one", "two"]))
    assert (tmp_path / "a").read_text() in ("one", "two")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
