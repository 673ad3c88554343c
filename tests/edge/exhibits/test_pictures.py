"""The room draws a page once: what it says of it is on record, and everybody gets the same bytes."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

from PIL import Image

from edge.exhibits import office
from sync.room.event_log import RoomLog
from tests.support.files.evidence_files import form_pdf, numbered_pdf, photo, strip, zipped
from tests.support.rooms.edge_room import Room, until


def told(room: Room, hearing: str) -> list[dict[str, Any]]:
    """All pictures on record."""
    log = RoomLog(room.layout.log)
    try:
        return [p for e in log.of_hearing(hearing) if e.kind == "drawn" for p in e.body["pictures"]]
    finally:
        log.close()


async def test_panel_display_and_record_have_the_very_same_picture(room: Room) -> None:
    hearing = await room.open()
    exhibit = (await room.add("form.pdf", form_pdf())).json()
    await room.clerk.put("/api/presentation", json={"exhibit": exhibit["id"]})
    panel = await room.clerk.get(f"/api/exhibits/{exhibit['id']}/pages/1")
    display = await room.stranger.get(
        "/api/display/page", params={"token": room.token, "of": exhibit["sha256"], "page": 1}
    )
    assert display.headers["Cache-Control"] == "no-store", "the wall has nothing of before"
    kept = (room.layout.pages(hearing["id"], exhibit["sha256"]) / "1@1.jpg").read_bytes()
    assert panel.content == display.content == kept
    (picture,) = told(room, hearing["id"])
    assert picture["sha256"] == hashlib.sha256(kept).hexdigest()
    with Image.open(io.BytesIO(kept)) as image:
        assert image.size == (picture["width"], picture["height"])
        color = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(color, tuple)
    assert color[0] > 200 > 60 > color[1], "the seal"
    assert panel.headers["Cache-Control"] == "no-store", "a browser outlives a session"


async def test_all_pages_are_drawn_ahead_the_first_before_anybody_hears_of_it(room: Room) -> None:
    hearing = await room.open()
    exhibit = (await room.add("long.pdf", numbered_pdf(20))).json()
    assert exhibit["drawn"] >= 1
    await room.until_state(lambda state: state["hearing"]["exhibits"][0]["drawn"] == 20)
    pictures = told(room, hearing["id"])
    assert [p["page"] for p in pictures] == list(range(1, 21)), "each once, in their order"
    answer = await room.clerk.put("/api/presentation", json={"exhibit": exhibit["id"], "page": 17})
    assert answer.status_code == 200
    assert (await room.clerk.get(f"/api/exhibits/{exhibit['id']}/pages/21")).status_code == 404


async def test_a_closer_look_is_drawn_larger_and_only_as_large_as_there_is(room: Room) -> None:
    hearing = await room.open()
    paper = (await room.add("a.pdf", numbered_pdf(1))).json()
    small = (await room.add("b.png", photo(size=(300, 200)))).json()

    async def width(exhibit: dict[str, Any], scale: int) -> int:
        answer = await room.clerk.get(f"/api/exhibits/{exhibit['id']}/pages/1", params={"scale": scale})
        assert answer.status_code == 200, answer.text
        with Image.open(io.BytesIO(answer.content)) as image:
            return image.width

    assert await width(paper, 2) == 2 * await width(paper, 1)
    assert await width(small, 4) == await width(small, 2) == 300
    assert [(p["page"], p["scale"]) for p in told(room, hearing["id"]) if p["width"] == 300] == [(1, 1)], (
        "put on record once"
    )
    await room.clerk.put("/api/presentation", json={"exhibit": paper["id"], "page": 1, "zoom": 4, "x": 0.2, "y": 0.2})
    by_scale = [(p["page"], p["scale"]) for p in told(room, hearing["id"])]
    assert by_scale.count((1, 2)) == 1
    assert (await room.clerk.get(f"/api/exhibits/{paper['id']}/pages/1", params={"scale": 16})).status_code == 422


async def test_what_the_court_looks_at_closely_is_drawn_without_any_screen(room: Room) -> None:
    hearing = await room.open()
    paper = (await room.add("a.pdf", numbered_pdf(1))).json()
    await room.clerk.put("/api/presentation", json={"exhibit": paper["id"], "page": 1, "zoom": 4, "x": 0, "y": 0})
    await until(lambda: len(told(room, hearing["id"])) > 1)


async def test_a_strip_begins_at_its_top_and_a_page_in_its_middle(room: Room) -> None:
    await room.open()
    chat = (await room.add("chat.png", strip(300, 3000))).json()
    scroll = (await room.add("scroll.png", strip(4000, 300))).json()
    paper = (await room.add("a.pdf", numbered_pdf(1))).json()
    for exhibit, at in ((chat, (0.5, 0.0)), (scroll, (0.0, 0.5)), (paper, (0.5, 0.5))):
        shown = (await room.clerk.put("/api/presentation", json={"exhibit": exhibit["id"]})).json()["presented"]
        assert (shown["x"], shown["y"]) == at
    moved = {"exhibit": chat["id"], "page": 1, "zoom": 1, "x": 0.5, "y": 0.7}
    assert (await room.clerk.put("/api/presentation", json=moved)).json()["presented"]["y"] == 0.7


async def test_after_a_restart_the_rest_is_drawn_and_a_lost_picture_is_drawn_again(room: Room) -> None:
    hearing = await room.open()
    exhibit = (await room.add("long.pdf", numbered_pdf(30))).json()
    await room.stop()
    await room.start()
    await room.until_state(lambda state: state["hearing"]["exhibits"][0]["drawn"] == 30)
    path = room.layout.pages(hearing["id"], exhibit["sha256"]) / "3@1.jpg"
    before = path.read_bytes()
    path.unlink()
    answer = await room.clerk.put("/api/presentation", json={"exhibit": exhibit["id"], "page": 3})
    assert answer.status_code == 200
    assert path.read_bytes() == before


async def test_the_record_says_what_was_converted_and_keeps_what_was_handed_in(room: Room) -> None:
    hearing = await room.open()
    data = photo("HEIF")
    exhibit = (await room.add("IMG_0001.HEIC", data)).json()
    assert exhibit["media_type"] == "image/heic"
    assert "HEIC 照片转换为 JPEG" in exhibit["converted"]
    assert (room.layout.exhibits(hearing["id"]) / exhibit["sha256"]).read_bytes() == data
    log = RoomLog(room.layout.log)
    try:
        (event,) = [e for e in log.of_hearing(hearing["id"]) if e.kind == "exhibit"]
    finally:
        log.close()
    assert event.body["converted"] == exhibit["converted"]
    assert (await room.clerk.get(f"/api/exhibits/{exhibit['id']}")).content == data


async def test_a_word_document_without_an_office_program_is_refused_with_the_way_out(
    room: Room, monkeypatch: Any
) -> None:
    monkeypatch.setattr(office, "program", lambda: None)
    await room.open()
    answer = await room.add("起诉状.docx", zipped("[Content_Types].xml", "word/document.xml"))
    assert (answer.status_code, answer.json()["code"]) == (415, "exhibit-type")
    assert "另存为 PDF" in answer.json()["message"]


OFFICE = """#!{python}
import pathlib, shutil, sys
if "--version" in sys.argv:
    print("LibreOffice 24.2.7.2 420(Build:2)")
else:
    source = pathlib.Path(sys.argv[-1])
    assert source.name == "document.docx" and pathlib.Path.home() == source.parent
    if source.stat().st_size > 300:
        shutil.copy({pdf!r}, source.parent / "document.pdf")
"""


async def test_a_word_document_is_converted_where_an_office_program_is(
    room: Room, tmp_path: Path, monkeypatch: Any
) -> None:
    (pages := tmp_path / "made.pdf").write_bytes(numbered_pdf(3))
    (program := tmp_path / "soffice").write_text(
        OFFICE.format(python="/usr/bin/python3", pdf=str(pages)), encoding="utf-8"
    )
    program.chmod(0o755)
    monkeypatch.setattr(office, "program", lambda: str(program))
    hearing = await room.open()
    data = zipped("[Content_Types].xml", "word/document.xml", "word/styles.xml")
    exhibit = (await room.add("起诉状.docx", data)).json()
    assert (exhibit["pages"], exhibit["media_type"].rsplit(".", 1)[-1]) == (3, "document")
    assert exhibit["converted"] == "由 LibreOffice 24.2.7.2 转换为 PDF 后展示"
    assert (room.layout.exhibits(hearing["id"]) / exhibit["sha256"]).read_bytes() == data
    await room.until_state(lambda state: state["hearing"]["exhibits"][0]["drawn"] == 3)
    failed = await room.add("坏.docx", zipped("[Content_Types].xml", "word/document.xml"))
    assert (failed.status_code, failed.json()["code"]) == (415, "exhibit-broken")
    assert "Word 文档" in failed.json()["message"]
    assert sorted(path.name for path in room.layout.exhibits(hearing["id"]).iterdir()) == [exhibit["sha256"]]
