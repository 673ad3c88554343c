"""What a room may have outstanding, what stays free on the disk while a body comes in, and how long an orphan rests."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import httpx
import pytest

from server.ingest.uploads.partial import Metadata, Partial
from server.ingest.uploads.tus_folder import UploadFolder
from server.ingest.uploads.upload_files import MOST_UPLOADS, ORPHAN_DAYS
from sync.errors import StorageError
from tests.support.peers.center_peers import TOKENS, Served, metadata

MIB = 2**20
TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


async def patch(served: Served, upload: str, data: bytes, *, chunked: bool = False) -> httpx.Response:
    async def pieces() -> object:
        for at in range(0, len(data), MIB):
            yield data[at : at + MIB]

    async with httpx.AsyncClient(base_url=served.url) as http:
        head = {**TUS, "Upload-Offset": "0", "Authorization": f"Bearer {TOKENS['court1/c03']}"}
        body = pieces() if chunked else data
        return await http.patch(f"/api/uploads/{upload}", headers=head, content=body)  # type: ignore[arg-type]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_room_cannot_have_more_outstanding_than_its_quota(
    served: Served, chunked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.center.uploads, "_quota_bytes", 3 * MIB)
    async with served.uploader() as (tus, _):
        upload = await tus.create(metadata(0))
        answer = await patch(served, upload, bytes(8 * MIB), chunked=chunked)
        assert answer.status_code == 507
        assert "upload_quota_gib" in answer.json()["message"]
        size = (served.data / "uploads" / upload).stat().st_size
        assert size == served.center.uploads.outstanding("court1/c03") <= 3 * MIB
        # What the room is told is what is there, and giving it up makes room again.
        assert await tus.offset(upload) == size
        served.center.uploads.forget(upload)
        assert served.center.uploads.outstanding("court1/c03") == 0
        again = await tus.create(metadata(0))
        assert await tus.append(again, 0, bytes(MIB)) == MIB


async def test_one_body_cannot_take_the_disk_below_its_reserve(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was said of its length, and the disk was empty enough when it began."""
    uploads = served.center.uploads
    monkeypatch.setattr(uploads, "_reserve_bytes", 10 * MIB)
    async with served.uploader() as (tus, _):
        upload = await tus.create(metadata(0))
        file = served.data / "uploads" / upload
        monkeypatch.setattr(uploads, "free_bytes", lambda: 12 * MIB - file.stat().st_size)
        answer = await patch(served, upload, bytes(8 * MIB), chunked=True)
        assert (answer.status_code, answer.json()["code"]) == (507, "storage")
        assert file.stat().st_size <= 2 * MIB


def test_what_a_full_disk_took_a_part_of_counts_and_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uid = "b" * 32
    (tmp_path / uid).write_bytes(b"")
    (tmp_path / f"{uid}.info").write_text('{"metadata": {"room": "court1/c03", "hearing": "h1", "kind": "segment"}}')
    uploads = UploadFolder(tmp_path, quota_bytes=1500)
    written = os.pwrite

    def full(fd: int, data: bytes, at: int) -> int:
        """A disk that takes 600 bytes more."""
        if len(data) < 700:
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(fd, data[:600], at)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        for count in (1, 2):
            with pytest.raises(StorageError):
                uploads._append(uid, bytearray(700))
            assert uploads.outstanding("court1/c03") == 600 * count
    with pytest.raises(StorageError, match="upload_quota_gib"):
        uploads.check_room("court1/c03", 400)
    assert uploads.expire((tmp_path / uid).stat().st_mtime + ORPHAN_DAYS * 86_400 + 1) == 1
    assert (uploads.outstanding("court1/c03"), list(tmp_path.iterdir())) == (0, [])


def test_a_restart_counts_what_is_there(tmp_path: Path) -> None:
    uid = "a" * 32
    (tmp_path / uid).write_bytes(bytes(1000))
    words = '{"metadata": {"room": "court1/c03", "hearing": "h1", "kind": "segment"}}'
    (tmp_path / f"{uid}.info").write_text(words)
    uploads = UploadFolder(tmp_path, quota_bytes=1500)
    assert uploads.outstanding("court1/c03") == 1000
    uploads.check_room("court1/c03", 500)
    with pytest.raises(StorageError, match="upload_quota_gib"):
        uploads.check_room("court1/c03", 501)
    uploads.check_room("court1/c04", 1500)


def test_an_orphan_expires_in_days_and_one_that_grows_does_not(tmp_path: Path) -> None:
    for uid in ("a" * 32, "b" * 32):
        (tmp_path / uid).write_bytes(b"data")
        words = '{"metadata": {"room": "court1/c03", "hearing": "h1", "kind": "segment"}}'
        (tmp_path / f"{uid}.info").write_text(words)
    os.utime(tmp_path / ("a" * 32), (0, 1000))
    os.utime(tmp_path / ("b" * 32), (0, 1000 + 86_400))
    uploads = UploadFolder(tmp_path)
    assert uploads.expire(1001 + ORPHAN_DAYS * 86_400) == 1
    assert not (tmp_path / ("a" * 32)).exists()
    assert uploads.partial("b" * 32) is not None
    assert uploads.outstanding("court1/c03") == 4


def test_a_room_cannot_begin_uploads_without_end(tmp_path: Path) -> None:
    uploads = UploadFolder(tmp_path, quota_bytes=1000)
    said = Metadata(room="court1/c03", hearing="h1", kind="segment")
    for number in range(MOST_UPLOADS):
        uid = f"{number:032x}"
        uploads._index.add(Partial(uid, tmp_path / uid, said))
    uploads.check_room("court1/c03")
    with pytest.raises(StorageError):
        uploads.check_room("court1/c03", new=True)
    uploads.check_room("court1/c04", new=True)
