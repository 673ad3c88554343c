"""A file that is stored and cannot be played is drawn where it lies on the time line, with why, in both languages, and
said in a list for the keyboard and for who does not see the picture."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from server.objects.media_indexes import MediaIndexes
from server.playback.ranges import Media, TrackFile
from sync.media.fmp4 import BoxReader, Init
from sync.record.sealed_parts import Unseen
from tests.server.access.test_sealed_parts import at_room_time, store, story
from tests.support.browsers.hearing_page import hearing_page
from tests.support.browsers.looks import looked_at
from tests.support.peers.center_peers import ROOM_NS, RoomPeer, Served, until

S = 10**9


def half_damaged(data: bytes) -> bytes:
    """The first half of the fragments, and then what is none."""
    items = list(BoxReader().feed(data))
    init, fragments = items[0], items[1:]
    assert isinstance(init, Init)
    whole = init.data + b"".join(one.data for one in fragments[: len(fragments) // 2])
    return whole + b"\xff\xff\xff\xff" * 4096


async def hold(served: Served, room: RoomPeer, footage: bytes, voices: bytes) -> None:
    """A hearing of which one camera's file is damaged from its middle on, and another's is no media at all."""
    picture, sound = at_room_time(footage), at_room_time(voices)
    media = {"bench": half_damaged(picture), "program": b"\0" * 5000, "mix": sound, "mics": sound}
    events = story(media)
    for one in events:
        room.publish("events", one)
    await until(lambda: {one["number"] for one in events} <= room.receipts())
    for track, data in media.items():
        await store(served, "segment", data, track)


async def test_what_cannot_be_played_is_told_with_its_stretch_and_why_and_a_sealed_part_hides_it(
    served: Served, room: RoomPeer, footage: bytes, voices: bytes
) -> None:
    await hold(served, room, footage, voices)
    async with served.inspector() as http:
        shown = (await http.get("/api/hearings/h1")).json()
        found: dict[str, Any] = {track["id"]: track["unreadable"] for track in shown["tracks"]}
        assert (found["mix"], found["mics"]) == ([], [])
        begin = ROOM_NS / 1e6
        assert found["program"] == [{"from_ms": begin, "to_ms": begin + 4000, "why": "no-video"}]
        (bench,) = found["bench"]
        assert bench["why"] == "damaged"
        assert begin + 1000 < bench["from_ms"] < begin + 3000 < bench["to_ms"] == begin + 4000
        part = {"from_ms": begin + 3000, "to_ms": None, "level": "restricted", "reason": "隐私"}
        assert (await http.put("/api/hearings/h1/sealed-parts", json=part)).status_code == 200
        shown = (await http.get("/api/hearings/h1")).json()
        assert {span["to_ms"] for track in shown["tracks"] for span in track["unreadable"]} == {begin + 3000}


@pytest.mark.browser
@pytest.mark.alone
@pytest.mark.timeout(300)
async def test_the_time_line_shows_it_and_the_list_says_it_in_both_languages(
    served: Served, room: RoomPeer, footage: bytes, voices: bytes, chromium: Browser
) -> None:
    await hold(served, room, footage, voices)
    for locale, width, height, summary, damaged, empty in (
        ("zh-CN", 1280, 800, "无法播放 2 处", "文件从这里起损坏", "文件中没有可以播放的内容"),
        ("en-US", 1920, 1080, "Unplayable: 2", "damaged from here on", "holds nothing that can be played"),
    ):
        page = await hearing_page(chromium, served, locale, width, height)
        await expect(page.get_by_test_id("unreadable-span")).to_have_count(2)
        button = page.get_by_test_id("gaps")
        await expect(button).to_contain_text(summary)
        await looked_at(page, f"unreadable-{locale}-{width}")
        await button.focus()
        await page.keyboard.press("Enter")
        rows = page.locator("#gap-list button")
        await expect(rows.filter(has_text=damaged)).to_have_count(1)
        await expect(rows.filter(has_text=empty)).to_have_count(1)
        await looked_at(page, f"unreadable-{locale}-{width}-list")
        await page.keyboard.press("Escape")
        await expect(button).to_be_focused()
        lane = page.get_by_test_id("missing-program")
        box = await lane.bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        await expect(page.locator(".hover .words").filter(has_text=empty)).to_be_visible()
        await looked_at(page, f"unreadable-{locale}-{width}-hover")
        await page.context.close()


def test_of_a_file_whose_times_nobody_knows_nothing_is_drawn(tmp_path: Any) -> None:
    path = tmp_path / hashlib.sha256(b"x").hexdigest()
    path.write_bytes(b"\0" * 100)
    media = Media(MediaIndexes(tmp_path / "indexes"))
    assert media.unreadable([TrackFile(0, path, False, None, None, "no-video")]) == []
    known = TrackFile(0, path, False, 5 * S, 9 * S, "no-video")
    assert media.unreadable([known]) == [(5 * S, 9 * S, "no-video")]
    assert media.unreadable([known], Unseen(((6 * S, 7 * S),))) == [
        (5 * S, 6 * S, "no-video"),
        (7 * S, 9 * S, "no-video"),
    ]
    assert media.unreadable([TrackFile(0, path, False, 5 * S, 9 * S, "")]) == []
