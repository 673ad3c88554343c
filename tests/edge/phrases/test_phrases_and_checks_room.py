"""Set phrases and checks in a running room: what the panel asks for, is told, and does."""

from __future__ import annotations

import json
from typing import Any

from sync.room.event_log import RoomLog
from tests.support.rooms.edge_room import Room

OWN = """
[[phrase]]
group = "本院"
title = "开庭"
role = "书记员"
text = "{原告}诉{被告}一案，现在开庭。"
"""
CASE = {
    "case_no": "(2026)黑05民初123号",
    "cause": "民间借贷纠纷",
    "parties": {"审判长": "赵敏", "原告": "张伟明", "被告": "李建国"},
}


async def opened(room: Room) -> str:
    """A hearing of our case; its id."""
    answer = await room.clerk.post("/api/hearing", json=CASE)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def say(room: Room, hearing: str, name: str, text: str, at_s: int = 1) -> None:
    """As the transcriber says it: to the log and to its feed."""
    log = RoomLog(room.layout.log)
    at_ns = at_s * 1_000_000_000
    body = {"id": name, "seat": "plaintiff", "role": "原告", "start_ns": at_ns, "end_ns": at_ns + 1, "text": text}
    event = log.append("utterance", {**body, "confidence": 0.9, "words": []}, hearing=hearing, room_ns=1, utc_ns=1)
    log.close()
    room.transcriber.publish_json("log", {"number": event.number})


async def test_phrases_are_filled_in_for_the_case_and_found_by_their_initials(room: Room) -> None:
    await opened(room)
    phrases = (await room.clerk.get("/api/phrases")).json()
    rights = next(one for one in phrases if one["title"] == "权利义务告知")
    assert rights["initials"] == "qlywgz"
    assert (rights["role"], rights["seat"], rights["fits"], rights["missing"]) == ("审判长", "judge", True, [])
    opening = next(one for one in phrases if one["title"] == "宣布开庭")
    assert "原告张伟明诉被告李建国民间借贷纠纷一案" in opening["text"]
    assert [one["title"] for one in phrases if one["cases"] == ["刑事"] and one["fits"]] == []
    bench = next(one for one in phrases if one["title"] == "合议庭组成")
    assert bench["missing"] == ["人民陪审员", "书记员"]
    assert "____" in bench["text"]
    assert (await room.stranger.get("/api/phrases")).status_code == 401


async def test_a_court_writes_its_own_phrases_and_is_told_the_line_of_a_mistake(room: Room) -> None:
    file = (await room.clerk.get("/api/phrases/file")).json()
    assert (file["own"], file["error"]) == (False, None)
    saved = await room.clerk.put("/api/phrases", json={"text": OWN, "version": file["version"]})
    assert [(one["title"], one["role"], one["missing"]) for one in saved.json()] == [
        ("开庭", "书记员", ["原告", "被告"])
    ]
    wrong = await room.clerk.put("/api/phrases", json={"text": OWN.replace("{被告}", "{被吿}")})
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["line"]) == (422, "invalid", 6)
    late = await room.clerk.put("/api/phrases", json={"text": OWN, "version": file["version"]})
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    now = (await room.clerk.get("/api/phrases/file")).json()
    assert (now["own"], now["text"]) == (True, OWN)


async def test_a_phrase_is_a_line_of_the_transcript(room: Room) -> None:
    hearing = await opened(room)
    say(room, hearing, "u1", "我叫张伟明。")
    state = await room.until_state(lambda state: state["hearing"]["utterances"])
    new = {"id": "p-1", "after": "u1", "seat": "judge", "role": "审判长", "text": "现在休庭。", "source": "phrase"}
    new |= {"start_ms": state["now_ms"], "end_ms": state["now_ms"]}
    act = {"id": "act-1", "act": "phrase", "tab": "tab-1", "changes": [{"new": new}]}
    answer = await room.clerk.post("/api/transcript/revisions", json=act)
    assert answer.status_code == 200, answer.text
    (line,) = answer.json()["lines"]
    assert (line["text"], line["source"], line["role"]) == ("现在休庭。", "phrase", "审判长")


async def test_findings_come_by_themselves_are_ignored_and_accepted(room: Room) -> None:
    hearing = await opened(room)
    async with room.socket("/api/live") as ws:
        say(room, hearing, "u1", "我叫张伟民，根据民法典第一千三百条。")
        found = await told(ws, lambda value: len(value) == 2)
        name, statute = found
        assert (name["kind"], name["line"], name["from"], name["to"]) == ("name", "u1", "张伟民", "张伟明")
        assert (name["at"], name["length"], name["ignored"]) == (2, 3, False)
        assert (statute["kind"], statute["to"]) == ("statute", None)

        answer = await room.clerk.put(f"/api/checks/{statute['id']}", json={"ignored": True})
        assert answer.status_code == 200, answer.text
        found = await told(ws, lambda value: any(one["ignored"] for one in value))
        assert [one["ignored"] for one in found] == [False, True]

        (line,) = (await room.state())["hearing"]["utterances"]
        text = line["text"][:2] + name["to"] + line["text"][5:]
        change = {"line": "u1", "base": line["revision"], "set": {"text": text}}
        act = {"id": "act-1", "act": "accept", "tab": "tab-1", "reason": name["why"], "changes": [change]}
        assert (await room.clerk.post("/api/transcript/revisions", json=act)).status_code == 200
        found = await told(ws, lambda value: len(value) == 1)
        assert (found[0]["id"], found[0]["ignored"]) == (statute["id"], True)

    await room.stop()
    await room.start()  # what was ignored stays so
    state = await room.until_state(lambda state: state["checks"])
    assert [(one["id"], one["ignored"]) for one in state["checks"]] == [(statute["id"], True)]
    assert (await room.clerk.put(f"/api/checks/{name['id']}", json={"ignored": True})).status_code == 404
    assert (await room.stranger.put(f"/api/checks/{statute['id']}", json={"ignored": True})).status_code == 401


async def test_struck_lines_raise_nothing(room: Room) -> None:
    hearing = await opened(room)
    async with room.socket("/api/live") as ws:
        say(room, hearing, "u1", "我叫张伟民。")
        await told(ws, lambda value: len(value) == 1)
        (line,) = (await room.state())["hearing"]["utterances"]
        change = {"line": "u1", "base": line["revision"], "set": {"struck": True}}
        act = {"id": "act-1", "act": "strike", "tab": "tab-1", "changes": [change]}
        assert (await room.clerk.post("/api/transcript/revisions", json=act)).status_code == 200
        await told(ws, lambda value: value == [])


async def told(ws: Any, condition: Any) -> Any:
    """The findings on the socket, as soon as they are what is waited for."""
    async for message in ws:
        if isinstance(message, str):
            said = json.loads(message)
            if said["type"] == "checks" and condition(said["value"]):
                return said["value"]
    raise AssertionError("the socket was closed")
