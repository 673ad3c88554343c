"""Segments and exhibits arrive whole over a bad line, while they grow and after, and count only when receipted."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.http.serve import serving
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths, page_picture_name
from sync.uplink.files import uploads as uploads_module
from tests.support.peers.device_signatures import device_key
from tests.support.peers.uplink_peers import ADDRESS, BreakingLine, UploadPeer, until
from tests.support.peers.uploading_room import uploading

HEARING = "20261122-093000-00c0ffee"


@pytest.fixture
def peer(tmp_path: Path) -> UploadPeer:
    (tmp_path / "tus").mkdir()
    return UploadPeer(tmp_path / "tus")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "GROW_S", 0.1)
    monkeypatch.setattr(uploads_module, "MAX_PAUSE_S", 0.2)


def segment(layout: RoomPaths, log: RoomLog, index: int, data: bytes, *, hearing: str = HEARING) -> str:
    file = layout.track(hearing, "bench") / f"{index:05}.mp4"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return finished(log, index, data, hearing=hearing)


def finished(log: RoomLog, index: int, data: bytes, *, hearing: str = HEARING) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    body = {"track": "bench", "index": index, "file": f"bench/{index:05}.mp4", "bytes": len(data), "sha256": sha256}
    body |= {"from_ns": 0, "to_ns": 1, "fragments": 1, "mime": 'video/mp4; codecs="avc1.640028"'}
    log.append("segment", body, hearing=hearing, room_ns=1, utc_ns=1)
    return sha256


def exhibit(layout: RoomPaths, log: RoomLog, data: bytes) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    layout.exhibits(HEARING).mkdir(parents=True, exist_ok=True)
    (layout.exhibits(HEARING) / sha256).write_bytes(data)
    body = {"id": "e1", "number": 1, "title": "借条", "filename": "iou.pdf", "media_type": "application/pdf"}
    log.append(
        "exhibit", {**body, "sha256": sha256, "bytes": len(data), "pages": 1}, hearing=HEARING, room_ns=1, utc_ns=1
    )
    return sha256


def document(layout: RoomPaths, log: RoomLog, data: bytes) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    file = layout.hearing(HEARING) / "documents" / "v1.pdf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    body = {"id": "d1", "transcript": "a" * 64, "kind": "pdf", "file": "documents/v1.pdf", "sm3": ""}
    log.append("document", {**body, "sha256": sha256, "bytes": len(data)}, hearing=HEARING, room_ns=1, utc_ns=1)
    return sha256


async def test_the_documents_of_signed_words_arrive(layout: RoomPaths, room_log: RoomLog, peer: UploadPeer) -> None:
    signed = document(layout, room_log, os.urandom(70_000))
    async with serving(peer.app, "127.0.0.1", 0) as port, uploading(ADDRESS, layout, room_log, port) as uploads:
        await until(lambda: set(peer.objects) == {signed})
        await until(lambda: uploads.pending_bytes == 0)


async def test_files_arrive_and_are_receipted_once(layout: RoomPaths, room_log: RoomLog, peer: UploadPeer) -> None:
    segments = [segment(layout, room_log, i, os.urandom(300_000 + i)) for i in range(3)]
    paper = exhibit(layout, room_log, os.urandom(5000))
    async with serving(peer.app, "127.0.0.1", 0) as port, uploading(ADDRESS, layout, room_log, port) as uploads:
        await until(lambda: set(peer.objects) == {*segments, paper})
        await until(lambda: uploads.pending_bytes == 0)
        assert uploads.reachable
        assert uploads.last_receipt_utc_ns
        room_log.append("mark", {}, hearing=HEARING, room_ns=1, utc_ns=1)
        uploads.kick()
    assert len(peer.posts) == 4
    # A restart reads the log again and sends nothing twice.
    async with serving(peer.app, "127.0.0.1", 0) as port, uploading(ADDRESS, layout, room_log, port) as uploads:
        await until(lambda: uploads.reachable)
    assert len(peer.posts) == 4


async def test_pictures_of_pages_arrive_the_first_page_before_all_else(
    layout: RoomPaths, room_log: RoomLog, peer: UploadPeer
) -> None:
    folder, pictures = layout.pages(HEARING, "0" * 64), []
    folder.mkdir(parents=True)
    for page, scale in ((2, 1), (1, 1), (1, 2)):
        data = os.urandom(2000 + page + scale)
        (folder / page_picture_name(page, scale)).write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        pictures.append({"page": page, "scale": scale, "sha256": sha256, "bytes": len(data), "width": 1, "height": 1})
    paper = exhibit(layout, room_log, os.urandom(5000))
    body = {"exhibit": "e1", "of": "0" * 64, "pictures": pictures}
    room_log.append("drawn", body, hearing=HEARING, room_ns=1, utc_ns=1)
    async with serving(peer.app, "127.0.0.1", 0) as port, uploading(ADDRESS, layout, room_log, port) as uploads:
        await until(lambda: set(peer.objects) == {paper, *(p["sha256"] for p in pictures)})
        await until(lambda: uploads.pending_bytes == 0)
    assert [post["kind"] for post in peer.posts] == ["page", "page", "exhibit", "page"]
    assert {post["sha256"] for post in peer.posts[:2]} == {p["sha256"] for p in pictures if p["page"] == 1}


async def test_an_empty_exhibit_store_and_a_lost_upload_db_are_no_harm(
    layout: RoomPaths, room_log: RoomLog, peer: UploadPeer
) -> None:
    sha256 = segment(layout, room_log, 0, os.urandom(100_000))
    async with serving(peer.app, "127.0.0.1", 0) as port, uploading(ADDRESS, layout, room_log, port):
        await until(lambda: sha256 in peer.objects)
    for file in layout.data.glob("upload.db*"):
        file.unlink()
    async with serving(peer.app, "127.0.0.1", 0) as port, uploading(ADDRESS, layout, room_log, port):
        await until(lambda: len(peer.posts) == 2)
    assert list(peer.objects) == [sha256]


@pytest.mark.slow
async def test_files_that_are_gone_from_the_disk_hide_no_other(
    layout: RoomPaths, room_log: RoomLog, peer: UploadPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "ATTEMPTS", 2)
    for index in range(5):
        finished(room_log, index, b"moved away by the operator, never sent")
    sha256 = segment(layout, room_log, 5, os.urandom(10_000))
    async with serving(peer.app, "127.0.0.1", 0) as port, uploading(ADDRESS, layout, room_log, port) as uploads:
        await until(lambda: sha256 in peer.objects)
        await until(lambda: uploads.reachable)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_line_that_is_cut_at_random_only_delays(
    layout: RoomPaths, room_log: RoomLog, peer: UploadPeer, seed: int
) -> None:
    contents = [os.urandom(2_500_000), os.urandom(900_000)]
    data = {segment(layout, room_log, i, content): content for i, content in enumerate(contents)}
    async with serving(peer.app, "127.0.0.1", 0) as port:
        line = BreakingLine(port, cuts=6, seed=seed)
        async with line.running() as broken, uploading(ADDRESS, layout, room_log, broken):
            await until(lambda: set(peer.objects) == set(data), 60)
    assert line.done == 6
    assert all(peer.objects[sha256] == content for sha256, content in data.items())


async def test_the_center_is_away_and_comes_back(layout: RoomPaths, room_log: RoomLog, peer: UploadPeer) -> None:
    async with serving(peer.app, "127.0.0.1", 0) as port:
        pass
    sha256 = segment(layout, room_log, 0, os.urandom(100_000))
    async with uploading(ADDRESS, layout, room_log, port) as uploads:
        await until(lambda: uploads.pending_bytes == 100_000)
        assert not uploads.reachable
        async with serving(peer.app, "127.0.0.1", port):
            await until(lambda: sha256 in peer.objects)
            await until(lambda: uploads.reachable)


@pytest.mark.slow
async def test_other_bytes_at_the_center_are_sent_again_from_the_start(
    layout: RoomPaths, room_log: RoomLog, peer: UploadPeer
) -> None:
    peer.spoil = 2
    sha256 = segment(layout, room_log, 0, os.urandom(100_000))
    async with serving(peer.app, "127.0.0.1", 0) as port, uploading(ADDRESS, layout, room_log, port):
        await until(lambda: sha256 in peer.objects)
    assert len({post["upload"] for post in peer.posts}) == 3


async def test_an_upload_that_the_center_lost_begins_anew(
    layout: RoomPaths, room_log: RoomLog, peer: UploadPeer, moving_file: Path
) -> None:
    data = moving_file.read_bytes()
    file = layout.track(HEARING, "bench") / "00000.mp4"
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    async with serving(peer.app, "127.0.0.1", 0) as port:
        async with uploading(ADDRESS, layout, room_log, port, hearing=HEARING):
            await until(lambda: peer.partial_bytes() == len(data))
        for left in peer.folder.iterdir():
            if left.is_file():
                left.unlink()
        sha256 = finished(room_log, 0, data)
        async with uploading(ADDRESS, layout, room_log, port, hearing=HEARING):
            await until(lambda: sha256 in peer.objects)


async def test_a_receipt_that_was_lost_on_the_way_is_asked_for_and_nothing_is_sent_again(
    layout: RoomPaths, room_log: RoomLog, peer: UploadPeer
) -> None:
    sha256 = segment(layout, room_log, 0, os.urandom(100_000))
    async with serving(peer.app, "127.0.0.1", 0) as port:
        async with uploading(ADDRESS, layout, room_log, port) as uploads:
            await until(lambda: sha256 in peer.objects and uploads.last_receipt_utc_ns)
        with contextlib.closing(sqlite3.connect(layout.uploads)) as db:
            db.execute("UPDATE upload SET stored_utc_ns = NULL")
            db.commit()
        for left in peer.folder.iterdir():
            if left.is_file():
                left.unlink()
        async with uploading(ADDRESS, layout, room_log, port) as uploads:
            await until(lambda: uploads.last_receipt_utc_ns)
    assert peer.partial_bytes() == 0
    assert len(peer.posts) == 2


async def test_a_file_that_the_disk_lost_holds_up_no_other(
    layout: RoomPaths, room_log: RoomLog, peer: UploadPeer
) -> None:
    segment(layout, room_log, 0, b"gone")
    (layout.track(HEARING, "bench") / "00000.mp4").unlink()
    sha256 = segment(layout, room_log, 1, os.urandom(1000))
    async with serving(peer.app, "127.0.0.1", 0) as port, uploading(ADDRESS, layout, room_log, port) as uploads:
        await until(lambda: sha256 in peer.objects)
        await until(lambda: uploads.pending_bytes == 4)


async def test_a_path_outside_of_the_hearing_is_never_read(
    layout: RoomPaths, room_log: RoomLog, peer: UploadPeer, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    sha256 = hashlib.sha256(b"secret").hexdigest()
    body = {"track": "bench", "index": 0, "file": "../../../secret", "bytes": 6, "sha256": sha256}
    room_log.append("segment", body, hearing=HEARING, room_ns=1, utc_ns=1)
    good = segment(layout, room_log, 1, os.urandom(1000))
    async with serving(peer.app, "127.0.0.1", 0) as port, uploading(ADDRESS, layout, room_log, port):
        await until(lambda: good in peer.objects)
    assert sha256 not in peer.objects


async def test_a_growing_segment_is_sent_by_whole_fragments_and_finished_on_its_event(
    layout: RoomPaths, room_log: RoomLog, peer: UploadPeer, moving_file: Path
) -> None:
    data = moving_file.read_bytes()
    file = layout.track(HEARING, "bench") / "00000.mp4"
    file.parent.mkdir(parents=True)
    half = len(data) // 2
    file.write_bytes(data[:half])
    async with serving(peer.app, "127.0.0.1", 0) as port:
        async with uploading(ADDRESS, layout, room_log, port, hearing=HEARING):
            await until(lambda: peer.partial_bytes() > 0)
            sent = peer.partial_bytes()
            assert sent <= half
            with file.open("ab") as growing:
                growing.write(data[half:])
            await until(lambda: peer.partial_bytes() > sent)
            await until(lambda: peer.partial_bytes() == len(data))
            assert not peer.posts
        # Killed here: a new process asks the center how far it is.
        async with uploading(ADDRESS, layout, room_log, port, hearing=HEARING) as uploads:
            sha256 = finished(room_log, 0, data)
            uploads.kick()
            await until(lambda: sha256 in peer.objects)
    assert peer.objects[sha256] == data
    assert len(peer.posts) == 1


@pytest.mark.parametrize("lie", ["", "stranger", "other"])
async def test_a_file_is_sent_until_the_center_itself_signs_that_it_has_it(
    layout: RoomPaths, room_log: RoomLog, peer: UploadPeer, lie: str
) -> None:
    """Who answers in the center's place, without its key, makes the room forget nothing."""
    true = peer.key
    peer.key = {"": None, "stranger": Ed25519PrivateKey.generate(), "other": device_key("other")}[lie]
    async with serving(peer.app, "127.0.0.1", 0) as port:
        sha256 = segment(layout, room_log, 0, b"a segment")
        async with uploading(ADDRESS, layout, room_log, port) as uploads:
            await until(lambda: len(peer.posts) >= 3)
            assert uploads.pending_bytes == len(b"a segment")
            assert uploads.last_receipt_utc_ns is None
            peer.key = true
            await until(lambda: uploads.last_receipt_utc_ns)
    assert set(peer.objects) == {sha256}
