"""Uploads: resumed after a cut, believed only by their hash, and closed to other rooms."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os

import httpx
import pytest

from sync.media.fmp4 import BoxReader, Fragment, Init, retime
from sync.uplink.files.tus import ChecksumError, OffsetError, TusClient, UploadGoneError
from tests.support.files.evidence_files import photo
from tests.support.peers.center_peers import TOKENS, RoomPeer, Served, event, metadata, opening, until
from tests.support.peers.device_signatures import signed_claim

TUS = {"Tus-Resumable": "1.0.0"}


def claim(upload: str, data: bytes, place: int = 0, **more: object) -> dict[str, object]:
    fields = {"upload": upload, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "room": "court1/c03"}
    return signed_claim({**fields, "hearing": "h1", "kind": "segment", "track": "bench", "index": place, **more})


async def cut_short(served: Served, upload: str, offset: int, data: bytes, *, declared: int) -> None:
    """Begin a PATCH of `declared` bytes and pull the cable after `data`."""
    _, writer = await asyncio.open_connection("127.0.0.1", int(served.url.rsplit(":", 1)[1]))
    head = {**TUS, "Host": "center", "Authorization": f"Bearer {TOKENS['court1/c03']}", "Upload-Offset": offset}
    head |= {"Content-Type": "application/offset+octet-stream", "Content-Length": declared}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    writer.write(f"PATCH /api/uploads/{upload} HTTP/1.1\r\n{lines}\r\n".encode() + data)
    await writer.drain()
    await until(lambda: (served.data / "uploads" / upload).stat().st_size > offset)
    writer.close()
    await writer.wait_closed()


async def test_a_cut_upload_goes_on_where_the_center_is(served: Served) -> None:
    data = os.urandom(4_000_000)
    async with served.uploader() as (tus, _):
        upload = await tus.create(metadata(0))
        assert await tus.append(upload, 0, data[:100_000]) == 100_000

        await cut_short(served, upload, 100_000, data[100_000:2_500_000], declared=3_900_000)
        file = served.data / "uploads" / upload
        await until(lambda: not served.center.uploads.busy(upload))  # the center notices the cut a moment later
        offset = await tus.offset(upload)
        assert 100_000 < offset == file.stat().st_size
        assert file.read_bytes() == data[:offset]
        with pytest.raises(OffsetError):
            await tus.append(upload, 100_000, b"again")
        assert await tus.append(upload, offset, data[offset:], length=len(data)) == len(data)
        stored = await tus.confirm(claim(upload, data))
        assert await tus.confirm(claim(upload, data)) == stored
    name = hashlib.sha256(data).hexdigest()
    assert (served.data / "objects" / name[:2] / name).read_bytes() == data
    assert not list((served.data / "uploads").iterdir())


async def test_a_kind_that_nothing_here_could_claim_is_refused_before_its_first_byte(served: Served) -> None:
    async with served.uploader() as (_, http):
        words = {**metadata(0), "kind": "log"}
        pairs = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in words.items())
        headers = {**TUS, "Upload-Length": "9", "Upload-Metadata": pairs}
        answer = await http.post("/api/uploads/", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert not list((served.data / "uploads").iterdir())


async def test_bytes_beyond_the_noted_offset_count_after_a_crash(served: Served) -> None:
    async with served.uploader() as (tus, _):
        upload = await tus.create(metadata(0))
        await tus.append(upload, 0, b"first")
        # As after a kill between the write and the sidecar: the file is ahead.
        with (served.data / "uploads" / upload).open("ab") as file:
            file.write(b"second")
        assert await tus.offset(upload) == len(b"firstsecond")
        await tus.append(upload, 11, b"third")
        assert (served.data / "uploads" / upload).read_bytes() == b"firstsecondthird"


async def test_other_bytes_than_claimed_are_refused_and_sent_again_from_the_start(served: Served) -> None:
    async with served.uploader() as (tus, http):
        upload = await tus.create(metadata(0))
        await tus.append(upload, 0, b"damaged on the way")
        wrong = claim(upload, b"what the room has.")
        answer = await http.post("/api/objects", json=wrong)
        assert (answer.status_code, answer.json()["code"]) == (409, "checksum")
        with pytest.raises(UploadGoneError):
            await tus.offset(upload)
        again = await tus.create(metadata(0))
        await tus.append(again, 0, b"what the room has.")
        assert await tus.confirm({**wrong, "upload": again}) > 0
        third = await tus.create(metadata(1))
        with pytest.raises(ChecksumError):
            await tus.confirm(claim(third, b"never sent", 1))


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}])
async def test_without_the_rooms_token_nothing_is_written(served: Served, headers: dict[str, str]) -> None:
    async with served.uploader() as (tus, _):
        upload = await tus.create(metadata(0))
    patch = {**TUS, **headers, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    async with httpx.AsyncClient(base_url=served.url) as http:
        for method, path in (("POST", "/api/uploads/"), ("POST", "/api/objects"), ("HEAD", f"/api/uploads/{upload}")):
            assert (await http.request(method, path, headers={**TUS, **headers})).status_code == 401
        assert (await http.patch(f"/api/uploads/{upload}", headers=patch, content=b"x")).status_code == 401
        assert (await http.delete(f"/api/uploads/{upload}", headers={**TUS, **headers})).status_code == 401
    assert (served.data / "uploads" / upload).stat().st_size == 0


async def test_a_foreign_rooms_token_opens_nothing(served: Served, room: RoomPeer) -> None:
    room.publish("events", opening(1))
    await until(lambda: room.receipts() == {1})
    async with served.uploader() as (tus, _):
        upload = await tus.create(metadata(0))
        await tus.append(upload, 0, b"abc")
    async with served.uploader("court1/c04") as (_, http):
        patch = {**TUS, "Upload-Offset": "3", "Content-Type": "application/offset+octet-stream"}
        answers = [
            await http.patch(f"/api/uploads/{upload}", headers=patch, content=b"x"),
            await http.head(f"/api/uploads/{upload}", headers=TUS),
            await http.delete(f"/api/uploads/{upload}", headers=TUS),
            await http.post("/api/objects", json=claim(upload, b"abc")),
            await http.post("/api/objects", json=claim(upload, b"abc", room="court1/c04", hearing="h1")),
            await http.post("/api/objects", json=claim(upload, b"abc", room="court1/c04", hearing="other")),
        ]
        assert [a.status_code for a in answers] == [403] * 6
        with pytest.raises(Exception, match="token"):
            await TusClient(http).create(metadata(0))
    assert (served.data / "uploads" / upload).read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": str(9 * 2**30)}, 413),
        ({"Upload-Defer-Length": "1", "Upload-Concat": "final;/api/uploads/x"}, 422),
        ({"Upload-Defer-Length": "1", "X-HTTP-Method-Override": "DELETE"}, 405),
        ({"Upload-Defer-Length": "1", "Upload-Metadata": "room !!!"}, 422),
    ],
)
async def test_what_is_not_offered_is_refused(served: Served, headers: dict[str, str], status: int) -> None:
    async with served.uploader() as (_, http):
        answer = await http.post("/api/uploads/", headers={**TUS, **headers})
        assert answer.status_code == status
        odd = await http.head("/api/uploads/..%2F..%2Faccess.json", headers=TUS)
        assert odd.status_code == 404


async def test_a_full_disk_is_said_before_bytes_are_taken(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served.uploader() as (tus, http):
        upload = await tus.create(metadata(0))
        monkeypatch.setattr(served.center.uploads, "free_bytes", lambda: 1000)
        headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        answer = await http.patch(f"/api/uploads/{upload}", headers=headers, content=b"x" * 100)
        assert (answer.status_code, answer.json()["code"]) == (507, "storage")
        monkeypatch.undo()
        assert await tus.append(upload, 0, b"x" * 100) == 100


async def test_a_range_goes_over_the_seam_of_two_segments(served: Served, room: RoomPeer, footage: bytes) -> None:
    reader = BoxReader()
    init, *fragments = reader.feed(footage)
    assert isinstance(init, Init)
    later = [
        retime(f, init, f.decode_time + 4 * init.timescale, f.sequence).data
        for f in fragments
        if isinstance(f, Fragment)
    ]
    second = init.data + b"".join(later)
    room.publish("events", opening(1))
    await until(lambda: room.receipts() == {1})
    async with served.uploader() as (tus, _), served.inspector() as http:
        for place, data in enumerate((footage, second)):
            upload = await tus.create(metadata(place))
            await tus.append(upload, 0, data)
            if place == 0:  # the second still grows
                await tus.confirm(claim(upload, data))
        answer = await http.get("/api/hearings/h1/media/bench", params={"from_ms": 3200, "to_ms": 4500})
        assert float(answer.headers["X-Wutong-From-Ms"]) == pytest.approx(3000, abs=1)
        assert float(answer.headers["X-Wutong-To-Ms"]) >= 4500
        assert answer.content.count(b"moov") == 1
        assert later[0] in answer.content
        shown = (await http.get("/api/hearings/h1")).json()["tracks"][0]["ranges"]
        assert shown == [[0, pytest.approx(8000, abs=50)]]


async def test_a_growing_upload_plays_the_recorded_bytes(served: Served, room: RoomPeer, footage: bytes) -> None:
    room.publish("events", opening(1))
    await until(lambda: room.receipts() == {1})
    async with served.uploader() as (tus, _), served.inspector() as http:
        upload = await tus.create(metadata(0))
        half = len(footage) // 2
        await tus.append(upload, 0, footage[:half])
        shown = (await http.get("/api/hearings/h1")).json()["tracks"][0]
        assert shown["mime"].startswith("video/mp4; codecs=")
        assert len(shown["ranges"]) == 1
        so_far = shown["ranges"][0][1]
        answer = await http.get("/api/hearings/h1/media/bench", params={"from_ms": 0, "to_ms": 900})
        assert answer.status_code == 200, answer.text
        assert footage.startswith(answer.content), "init and the first fragments, byte for byte"
        assert answer.headers["X-Wutong-Mime"] == shown["mime"]
        assert float(answer.headers["X-Wutong-To-Ms"]) >= 900
        late = await http.get(
            "/api/hearings/h1/media/bench", params={"from_ms": so_far + 10_000, "to_ms": so_far + 20_000}
        )
        assert (late.status_code, late.json()["code"], late.json()["next_ms"]) == (404, "no-media", None)

        await tus.append(upload, half, footage[half:], length=len(footage))
        await tus.confirm(claim(upload, footage))
        middle = await http.get("/api/hearings/h1/media/bench", params={"from_ms": 2500, "to_ms": 3100})
        assert float(middle.headers["X-Wutong-From-Ms"]) == pytest.approx(2000, abs=1), "from the key frame before"
        init = answer.content[: answer.content.index(b"moof") - 4]
        assert middle.content.startswith(init)
        assert middle.content[len(init) :] in footage
        whole = await http.get("/api/hearings/h1/media/bench", params={"from_ms": 0, "to_ms": 60_000})
        assert footage.startswith(whole.content)
        grown = (await http.get("/api/hearings/h1")).json()["tracks"][0]["ranges"]
        assert grown == [[0, pytest.approx(4000, abs=50)]]


async def test_a_range_in_a_gap_says_where_media_goes_on(served: Served, room: RoomPeer, footage: bytes) -> None:
    digest = hashlib.sha256(footage).hexdigest()
    segment = {"track": "bench", "index": 0, "file": "bench/00000.mp4", "bytes": len(footage), "sha256": digest}
    segment |= {"from_ns": 0, "to_ns": 4_000_000_000, "fragments": 25, "mime": 'video/mp4; codecs="avc1"'}
    room.publish("events", opening(1))
    room.publish("events", event(2, "segment", segment))
    await until(lambda: room.receipts() == {1, 2})
    async with served.uploader() as (tus, _), served.inspector() as http:
        upload = await tus.create(metadata(0))
        await tus.append(upload, 0, footage)
        await tus.confirm(claim(upload, footage))
        before = await http.get("/api/hearings/h1/media/bench", params={"from_ms": -9000, "to_ms": -4000})
        assert before.json()["next_ms"] == 0
        odd = await http.get("/api/hearings/h1/media/bench", params={"from_ms": "nan", "to_ms": "inf"})
        assert odd.status_code == 422
        assert (await http.get("/api/hearings/none/media/bench?from_ms=0&to_ms=1")).status_code == 404


async def test_a_document_of_signed_words_is_for_the_archivist_and_audited(served: Served, room: RoomPeer) -> None:
    content = b"%PDF-1.7 signed"
    sha256 = hashlib.sha256(content).hexdigest()
    body = {"id": "abc-pdf", "transcript": "a" * 64, "kind": "pdf", "file": "documents/v1.pdf", "sm3": ""}
    room.publish("events", opening(1))
    room.publish("events", event(2, "document", {**body, "sha256": sha256, "bytes": len(content)}))
    await until(lambda: {1, 2} <= room.receipts())
    path = "/api/hearings/h1/documents/abc-pdf"
    async with served.inspector() as http, served.inspector("archivist") as archivist:
        assert (await archivist.get(path)).status_code == 404
        async with served.uploader() as (tus, _):
            upload = await tus.create({**metadata(0), "kind": "document", "name": "documents/v1.pdf", "track": ""})
            await tus.append(upload, 0, content)
            await tus.confirm(claim(upload, content, kind="document", track=""))
        assert (await http.get(path)).status_code == 403
        taken = await archivist.get(path)
        assert taken.content == content
        assert taken.headers["Content-Disposition"].startswith("attachment")
    [line] = await served.audited("document")
    assert line["detail"] == "h1/abc-pdf"


async def test_an_exhibit_comes_with_its_own_type_and_a_safe_name(served: Served, room: RoomPeer) -> None:
    data = b"\x89PNG\r\n\x1a\n" + os.urandom(100)
    html = b"<script>alert(1)</script>"
    room.publish("events", opening(1))
    for number, (file, content) in enumerate({'借条 "1".png': data, "evil.html": html}.items(), start=2):
        body = {"id": f"e{number}", "number": number, "title": "借条", "filename": file, "media_type": "text/html"}
        body |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "pages": 1}
        room.publish("events", event(number, "exhibit", body))
    await until(lambda: room.receipts() == {1, 2, 3})
    async with served.uploader() as (tus, _), served.inspector() as http:
        assert (await http.get("/api/hearings/h1/exhibits/e2")).status_code == 404
        for content in (data, html):
            upload = await tus.create({**metadata(0), "kind": "exhibit", "name": "借条.png"})
            await tus.append(upload, 0, content)
            await tus.confirm(claim(upload, content, kind="exhibit", track=""))
        answer = await http.get("/api/hearings/h1/exhibits/e2")
        assert (answer.content, answer.headers["Content-Type"]) == (data, "image/png")
        assert answer.headers["Content-Disposition"].startswith("inline; filename*=UTF-8''%E5%80%9F")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        other = await http.get("/api/hearings/h1/exhibits/e3")
        assert other.headers["Content-Type"] == "application/octet-stream"
        assert other.headers["Content-Disposition"].startswith("attachment")
    assert json.loads((served.data / "access.json").read_text())["sessions"]


async def test_a_page_is_the_rooms_own_picture_the_largest_that_is_here(served: Served, room: RoomPeer) -> None:
    small, large = (photo("JPEG", size) for size in ((10, 10), (20, 20)))
    pictures = [
        {"page": 1, "scale": scale, "width": 10 * scale, "height": 10 * scale, "bytes": len(data)}
        | {"sha256": hashlib.sha256(data).hexdigest()}
        for scale, data in ((1, small), (2, large))
    ]
    body = {"id": "e2", "number": 1, "title": "借条", "filename": "a.pdf", "media_type": "application/pdf"}
    body |= {"sha256": "0" * 64, "bytes": 1, "pages": 2}
    story = [
        opening(1),
        event(2, "exhibit", body),
        event(3, "drawn", {"exhibit": "e2", "of": "0", "pictures": pictures}),
    ]
    for one in story:
        room.publish("events", one)
    await until(lambda: room.receipts() == {1, 2, 3})
    async with served.uploader() as (tus, _), served.inspector() as http:

        async def page(number: int = 1, scale: int = 1, exhibit: str = "e2") -> httpx.Response:
            return await http.get(f"/api/hearings/h1/exhibits/{exhibit}/pages/{number}", params={"scale": scale})

        async def send(data: bytes) -> None:
            upload = await tus.create({**metadata(0), "kind": "page"})
            await tus.append(upload, 0, data, length=len(data))
            await tus.confirm(claim(upload, data, kind="page", track=""))

        assert ((await page()).status_code, (await page()).json()["code"]) == (404, "on-its-way")
        assert (await page(2)).json()["code"] == "not-drawn"
        assert (await page(exhibit="e9")).json()["code"] == "not-found"
        await send(small)
        assert (await page()).content == (await page(scale=2)).content == small
        await send(large)
        assert ((await page()).content, (await page(scale=4)).content) == (small, large)
        assert (await page()).headers["Content-Type"] == "image/jpeg"
        assert (await page(0)).status_code == (await page(scale=9)).status_code == 422
