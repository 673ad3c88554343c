"""Exhibits: good ones are kept as they are, bad ones are named, and the display sees only what is presented."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any
from urllib.parse import quote

import pytest
import websockets

from tests.support.files.evidence_files import bomb, frames, pdf, photo, zipped
from tests.support.rooms.edge_room import Room


@pytest.mark.parametrize(
    ("name", "data", "media_type", "pages"),
    [
        ("借条.pdf", pdf(3), "application/pdf", 3),
        ("转账.png", photo("PNG"), "image/png", 1),
        ("photo.txt", photo("JPEG"), "image/jpeg", 1),
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
        "converted": "",
        "drawn": 1,
    }
    assert (room.layout.exhibits(hearing["id"]) / sha256).read_bytes() == data
    answer = await room.clerk.get(f"/api/exhibits/{exhibit['id']}")
    assert answer.content == data
    assert answer.headers["Content-Type"] == media_type
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    drawn = await room.until_state(lambda state: state["hearing"]["exhibits"][0]["drawn"] == pages)
    assert drawn["hearing"]["exhibits"] == [{**exhibit, "drawn": pages}]


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 415, "exhibit-type"),
        (b"<script>alert(1)</script>", 415, "exhibit-type"),
        (b"GIF89a" + bytes(100), 415, "exhibit-broken"),
        (frames("GIF", 3), 415, "exhibit-type"),
        (b"PK\x03\x04" + bytes(100), 415, "exhibit-type"),
        (zipped("OFD.xml", "Doc_0/Document.xml"), 415, "exhibit-type"),
        (b"%PDF-1.7 and then nothing", 415, "exhibit-broken"),
        (pdf()[:200], 415, "exhibit-broken"),
        (pdf(1, password="x"), 415, "exhibit-encrypted"),
        (photo("PNG")[:60], 415, "exhibit-broken"),
        (photo("JPEG")[:200], 415, "exhibit-broken"),
        (bomb(), 415, "exhibit-pixels"),
        (b"%PDF-1.7" + bytes(50 * 1024 * 1024), 413, "too-large"),
    ],
    ids=[
        "empty",
        "html",
        "gif",
        "moving",
        "zip",
        "ofd",
        "no-pdf",
        "cut-pdf",
        "encrypted",
        "cut-png",
        "cut-jpeg",
        "bomb",
        "too-large",
    ],
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
    exhibit = (await room.add("..\\..\\a/../../etc/借条.png", photo())).json()
    assert (exhibit["filename"], exhibit["title"]) == ("借条.png", "借条")


async def test_the_same_file_twice_is_one_exhibit(room: Room) -> None:
    await room.open()
    first, second = await asyncio.gather(room.add("a.png", photo()), room.add("a.png", photo()))
    assert first.json()["id"] == second.json()["id"]
    other = (await room.add("b.pdf", pdf())).json()
    assert other["number"] == 2


async def test_exhibits_need_an_open_hearing(room: Room) -> None:
    answer = await room.add("a.png", photo())
    assert (answer.status_code, answer.json()["code"]) == (409, "no-hearing")
    assert (await room.clerk.get("/api/exhibits/nothing")).status_code == 404


async def test_presentations_are_intervals(room: Room) -> None:
    await room.open()
    paper, slip = (await room.add("a.pdf", pdf(2))).json(), (await room.add("b.png", photo())).json()

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
    secret = (await room.add("b.png", photo(size=(9, 9)))).json()
    paper = (await room.add("a.pdf", pdf(2))).json()

    async def sheet(of: str, page: int = 1) -> Any:
        asked: dict[str, str | int] = {"token": room.token, "of": of, "page": page}
        return await room.stranger.get("/api/display/page", params=asked)

    assert (await sheet(paper["sha256"])).status_code == 404
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
        seen = await sheet(paper["sha256"], 2)
        assert seen.headers["Content-Type"] == "image/jpeg"
        assert seen.headers["Cache-Control"] == "no-store"
        assert (await sheet(secret["sha256"])).status_code == 404
        assert (await sheet(paper["sha256"], 1)).status_code == 404, "a page that is not presented now"
        assert (await room.stranger.get("/api/display/exhibit", params={"token": room.token})).status_code == 404
        assert (await room.stranger.get(f"/api/exhibits/{secret['id']}")).status_code == 401
        await room.clerk.delete("/api/presentation")
        await shown(lambda v: v["presented"] is None)
        assert (await sheet(paper["sha256"], 2)).status_code == 404
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
        answer = await room.stranger.get("/api/display/page", params={"token": token, "of": "0", "page": 1})
        assert (answer.status_code, answer.json()["code"]) == (401, "token")
        with pytest.raises(websockets.InvalidStatus) as refused:
            await room.socket(f"/api/display?token={quote(token)}", cookies=False)
        assert refused.value.response.status_code == 403


async def test_the_displays_token_stays_over_a_restart(room: Room) -> None:
    before = room.token
    await room.stop()
    await room.start()
    assert room.token == before
