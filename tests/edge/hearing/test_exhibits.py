"""Exhibits: good ones are kept as they are, bad ones are named, and the display sees only what is presented."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import struct
import zlib
from typing import Any
from urllib.parse import quote

import pytest
import websockets
from PIL import Image
from pypdf import PdfWriter

from tests.support.rooms.edge_room import Room


def pdf(pages: int = 2, password: str = "") -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 300)
    if password:
        writer.encrypt(password)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def image(kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "white").save(out, kind)
    return out.getvalue()


def bomb() -> bytes:
    """A PNG that says it has 900 million pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(30_001 * 100))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "data", "media_type", "pages"),
    [
        ("借条.pdf", pdf(3), "application/pdf", 3),
        ("转账.png", image("PNG"), "image/png", 1),
        ("photo.txt", image("JPEG"), "image/jpeg", 1),
    ],
    ids=["pdf", "png", "jpeg"],
)
async def test_a_good_file_is_kept_as_it_is(room: Room, name: str, data: bytes, media_type: str, pages: int) -> None:
    hearing = await room.open()
    exhibit = (await room.add(name, data, " 证据 ")).json()
    sha256 = hashlib.sha256(data).hexdigest()
    assert exhibit == {
        "id": exhibit["id"],
        "number": 1,
        "title": "证据",
        "filename": name,
        "media_type": media_type,
        "sha256": sha256,
        "bytes": len(data),
        "pages": pages,
        "sm3": hashlib.new("sm3", data).hexdigest(),
    }
    assert (room.layout.exhibits(hearing["id"]) / sha256).read_bytes() == data
    answer = await room.clerk.get(f"/api/exhibits/{exhibit['id']}")
    assert answer.content == data
    assert answer.headers["Content-Type"] == media_type
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert (await room.state())["hearing"]["exhibits"] == [exhibit]


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 415, "exhibit-type"),
        (b"<script>alert(1)</script>", 415, "exhibit-type"),
        (b"GIF89a" + bytes(100), 415, "exhibit-type"),
        (b"PK\x03\x04" + bytes(100), 415, "exhibit-type"),
        (b"%PDF-1.7 and then nothing", 415, "exhibit-broken"),
        (pdf()[:200], 415, "exhibit-broken"),
        (pdf(1, password="x"), 415, "exhibit-encrypted"),
        (image("PNG")[:60], 415, "exhibit-broken"),
        (image("JPEG")[:200], 415, "exhibit-broken"),
        (bomb(), 415, "exhibit-pixels"),
        (b"%PDF-1.7" + bytes(50 * 1024 * 1024), 413, "too-large"),
    ],
    ids=["empty", "html", "gif", "zip", "no-pdf", "cut-pdf", "encrypted", "cut-png", "cut-jpeg", "bomb", "too-large"],
)
async def test_a_bad_file_is_refused_with_its_reason(room: Room, data: bytes, status: int, code: str) -> None:
    hearing = await room.open()
    answer = await room.add("evidence.pdf", data)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    folder = room.layout.exhibits(hearing["id"])
    assert not folder.exists() or list(folder.iterdir()) == []
    assert (await room.state())["hearing"]["exhibits"] == []


async def test_a_form_without_a_file_or_a_length_is_refused(room: Room) -> None:
    await room.open()
    assert (await room.clerk.post("/api/exhibits", data={"title": "x"})).status_code == 422

    async def endless() -> Any:
        yield b"x" * 100

    answer = await room.clerk.post("/api/exhibits", content=endless())
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_a_path_in_the_name_is_only_a_name(room: Room) -> None:
    await room.open()
    exhibit = (await room.add("..\\..\\a/../../etc/借条.png", image())).json()
    assert (exhibit["filename"], exhibit["title"]) == ("借条.png", "借条")


async def test_the_same_file_twice_is_one_exhibit(room: Room) -> None:
    await room.open()
    first, second = await asyncio.gather(room.add("a.png", image()), room.add("a.png", image()))
    assert first.json() == second.json()
    other = (await room.add("b.pdf", pdf())).json()
    assert other["number"] == 2


async def test_exhibits_need_an_open_hearing(room: Room) -> None:
    answer = await room.add("a.png", image())
    assert (answer.status_code, answer.json()["code"]) == (409, "no-hearing")
    assert (await room.clerk.get("/api/exhibits/nothing")).status_code == 404


async def test_presentations_are_intervals(room: Room) -> None:
    await room.open()
    paper, slip = (await room.add("a.pdf", pdf(2))).json(), (await room.add("b.png", image())).json()

    async def show(exhibit: str, page: int, **view: float) -> Any:
        return await room.clerk.put("/api/presentation", json={"exhibit": exhibit, "page": page, **view})

    assert (await show(paper["id"], 1)).json()["presented"]["page"] == 1
    assert len((await show(paper["id"], 1)).json()["presentations"]) == 1, "the same view again is no new one"
    assert (await show(paper["id"], 2, zoom=2, x=0.1, y=1)).json()["presented"]["zoom"] == 2
    hearing = (await show(slip["id"], 1)).json()
    assert [p["to_ms"] is None for p in hearing["presentations"]] == [False, False, True]
    assert (await room.clerk.delete("/api/presentation")).json()["presented"] is None
    assert (await show(paper["id"], 3)).status_code == 422
    assert (await show("nothing", 1)).status_code == 404
    for wrong in ({"zoom": 0.5}, {"x": -0.1}, {"y": 1.1}, {"zoom": 1e9}):
        assert (await show(slip["id"], 1, **wrong)).status_code == 422
    await show(slip["id"], 1)
    hearing = (await room.clerk.post("/api/hearing/pause", json={"reason": "recess"})).json()
    assert hearing["presented"] is None


async def test_the_display_sees_what_is_presented_and_nothing_else(room: Room) -> None:
    await room.open()
    secret = (await room.add("b.png", image(size=(9, 9)))).json()
    paper = (await room.add("a.pdf", data := pdf(2))).json()

    async def file() -> Any:
        return await room.stranger.get("/api/display/exhibit", params={"token": room.token})

    assert (await file()).status_code == 404
    async with room.socket(f"/api/display?token={room.token}", cookies=False) as ws:

        async def shown(condition: Any) -> Any:
            async with asyncio.timeout(10):
                while True:
                    value = json.loads(await ws.recv())["value"]
                    if condition(value):
                        return value

        first = await shown(lambda v: v["recording"])
        assert (first["state"], first["presented"]) == ("open", None)
        await room.clerk.put("/api/presentation", json={"exhibit": paper["id"], "page": 2})
        value = await shown(lambda v: v["presented"])
        assert (value["presented"]["page"], value["presented"]["exhibit"]["id"]) == (2, paper["id"])
        assert secret["id"] not in str(value)
        assert (await file()).content == data
        assert (await room.stranger.get(f"/api/exhibits/{secret['id']}")).status_code == 401
        await room.clerk.delete("/api/presentation")
        await shown(lambda v: v["presented"] is None)
        assert (await file()).status_code == 404
        room.transcriber.publish_json(
            "caption", {"id": "u1", "seat": "judge", "role": "审判长", "start_ns": 1, "end_ns": 2, "text": "现在开庭"}
        )
        value = await shown(lambda v: v["captions"])
        assert [c["text"] for c in value["captions"]] == ["现在开庭"]
        await room.clerk.post("/api/hearing/pause", json={"reason": "recess"})
        value = await shown(lambda v: v["state"] == "paused")
        assert (value["captions"], value["recording"]) == ([], False)


async def test_a_wrong_token_shows_nothing(room: Room) -> None:
    for token in ("", "wrong", "x" * 43, "错"):
        answer = await room.stranger.get("/api/display/exhibit", params={"token": token})
        assert (answer.status_code, answer.json()["code"]) == (401, "token")
        with pytest.raises(websockets.InvalidStatus) as refused:
            await room.socket(f"/api/display?token={quote(token)}", cookies=False)
        assert refused.value.response.status_code == 403


async def test_the_displays_token_stays_over_a_restart(room: Room) -> None:
    before = room.token
    await room.stop()
    await room.start()
    assert room.token == before
