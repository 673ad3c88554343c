"""The clerk seals a part: the wall shows nothing of it, the record keeps all, and nobody in the room lifts it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from sync.room.event_log import RoomLog
from sync.room.feed import FeedServer
from tests.support.files.evidence_files import photo
from tests.support.rooms.edge_room import Room
from wutong.export.sources.room import RoomSource

SECRET = "隐私"
REASON = {"reason": "涉及个人隐私"}


async def seal(room: Room, **what: Any) -> Any:
    answer = await room.clerk.post("/api/hearing/sealed-parts", json={**REASON, **what})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def say(room: Room, hearing: str, name: str, text: str, from_ns: int, to_ns: int) -> None:
    said = {"id": name, "seat": "judge", "role": "审判长", "start_ns": from_ns, "end_ns": to_ns, "text": text}
    log = RoomLog(room.layout.log)
    log.append("utterance", {**said, "words": []}, hearing=hearing, room_ns=to_ns, utc_ns=to_ns)
    log.close()
    await room.until_state(lambda state: any(u["id"] == name for u in state["hearing"]["utterances"]))


async def wall(room: Room) -> Any:
    """What a display that connects now is told."""
    async with room.socket(f"/api/display?token={room.token}") as ws:
        return json.loads(await ws.recv())["value"]


def page_of(exhibit: Any, page: int = 1) -> str:
    return f"/api/display/page?of={exhibit['sha256']}&page={page}"


async def test_while_a_part_goes_on_the_wall_shows_neither_words_nor_exhibits(room: Room, picture: bytes) -> None:
    hearing = await room.open()
    exhibit = (await room.add("a.png", picture, title=SECRET)).json()
    await room.clerk.put("/api/presentation", json={"exhibit": exhibit["id"], "page": 1})
    now = (await room.state())["now_ms"] * 1e6
    await say(room, hearing["id"], "u1", SECRET, int(now) - 10**9, int(now))
    before = await wall(room)
    assert (before["part_sealed"], [c["text"] for c in before["captions"]]) == (False, [SECRET])
    assert before["presented"]["exhibit"]["title"] == SECRET
    params = f"&token={room.token}"
    assert (await room.stranger.get(page_of(exhibit) + params)).status_code == 200

    parts = (await seal(room, back_s=30, goes_on=True))["sealed_parts"]
    assert [(p["to_ms"], p["level"], p["by"]) for p in parts] == [(None, "restricted", "书记员")]
    shown = await wall(room)
    assert (shown["part_sealed"], shown["captions"], shown["presented"]) == (True, [], None)
    assert SECRET not in str(shown)
    assert (await room.stranger.get(page_of(exhibit) + params)).status_code == 404
    room.transcriber.publish_json(
        "caption",
        {"id": "c1", "seat": "judge", "role": "审判长", "start_ns": int(now), "end_ns": int(now) + 1, "text": SECRET},
    )
    await room.until_state(lambda state: state["captions"])
    assert (await wall(room))["captions"] == []
    state = await room.state()
    assert SECRET in str(state["hearing"]["utterances"]), "the clerk makes the record, and sees it"

    ended = await room.clerk.post(f"/api/hearing/sealed-parts/{parts[0]['id']}/end")
    assert ended.json()["sealed_parts"][0]["to_ms"] is not None
    after = await wall(room)
    assert (after["part_sealed"], after["captions"]) == (False, []), "what was said then stays sealed"
    assert after["presented"] is not None, "what hangs there now is of now"


@pytest.fixture
def picture() -> bytes:
    return photo("PNG", (40, 30))


async def test_the_last_minutes_are_sealed_and_no_further_than_the_hearing_goes_back(room: Room) -> None:
    hearing = await room.open()
    sealed = (await seal(room, back_s=3600))["sealed_parts"][0]
    assert sealed["from_ms"] == hearing["recorded_from_ms"]
    assert hearing["opened_ms"] <= sealed["to_ms"] <= (await room.state())["now_ms"]
    log = RoomLog(room.layout.log)
    kept = log.last_of_kind("sealed_part")
    log.close()
    assert kept is not None
    assert kept.body["reason"] == REASON["reason"]


async def test_what_says_nothing_clear_is_refused_and_nothing_is_lifted_in_a_room(room: Room) -> None:
    async def code(path: str, **body: Any) -> tuple[int, str]:
        answer: httpx.Response = await room.clerk.post(path, json=body)
        return answer.status_code, answer.json()["code"]

    path = "/api/hearing/sealed-parts"
    assert await code(path, back_s=60, **REASON) == (409, "no-hearing")
    await room.open()
    assert (await code(path, **REASON))[1] == "invalid"
    for wrong in (
        {"back_s": -1},
        {"back_s": 1e9},
        {"back_s": 60, "reason": " "},
        {"back_s": 60, "reason": "长" * 201},
        {"back_s": 60, "level": "open"},
        {"goes_on": 3},
    ):
        assert (await code(path, **{**REASON, **wrong}))[0] == 422, wrong
    part = (await seal(room, goes_on=True))["sealed_parts"][0]["id"]
    assert (await room.clerk.delete(f"{path}/{part}")).status_code in (404, 405)
    assert (await room.clerk.post(f"{path}/{part}/lift", json=REASON)).status_code == 404
    assert (await room.clerk.post(f"{path}/{part}/end")).status_code == 200
    assert (await room.clerk.post(f"{path}/{part}/end")).json()["code"] == "not-found"
    assert (await room.clerk.post(f"{path}/unknown/end")).json()["code"] == "not-found"
    await room.clerk.post("/api/hearing/close")
    assert await code(path, back_s=60, **REASON) == (409, "no-hearing")


async def test_the_wall_obeys_what_the_center_has_sealed_also_after_a_restart(room: Room) -> None:
    hearing = await room.open()
    uplink = FeedServer(room.layout.feed("uplink"))
    await uplink.start()
    part = {"id": "center:1", "from_ns": 0, "to_ns": None, "level": "restricted"}

    async def told(**notice: Any) -> Any:
        """What the wall shows when it has heard."""
        said = {"hearing": hearing["id"], "level": "open", "parts": [], **notice}
        uplink.publish_json("notices", {"notices": [said]}, retain=True)
        async with room.socket(f"/api/display?token={room.token}") as ws:
            while True:
                shown = json.loads(await ws.recv())["value"]
                if shown["part_sealed"] is bool(notice):
                    return shown

    async with asyncio.timeout(30):
        assert (await told(parts=[part]))["withheld"] is False
        assert (await told())["case"] is not None
        withdrawn = await told(level="withdrawn")
        assert (withdrawn["withheld"], withdrawn["case"], withdrawn["captions"]) == (True, None, [])
    await uplink.stop()
    await room.stop()
    await room.start()
    assert (await wall(room))["withheld"] is True
    source = RoomSource(room.profile.storage.data, hearing["id"])
    source.close()
    assert source.level == "withdrawn"
