"""The clerk's acts on the transcript: written whole or refused with the lines as they are; undone; heard."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from edge.state.room_state import RoomState
from edge.transcript.commands import ClerkAct, ConflictError, TranscriptCommands
from sync.record.bodies.words import LineChange
from sync.record.event import Event, seal_key
from sync.record.hearing import Hearing
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedServer
from tests.support.rooms.edge_room import Room

SECOND = 10**9


class Court:
    """A room with an open hearing in which three things were said."""

    def __init__(self, room: Room, hearing: str) -> None:
        self.room = room
        self.hearing = hearing
        self.log = RoomLog(room.layout.log)

    async def say(self, name: str, text: str, *, seat: str = "plaintiff", role: str = "原告", **more: Any) -> None:
        """An utterance, as the transcriber writes it."""
        start_ns = int(name[1:]) * 10 * SECOND
        body = {"id": name, "seat": seat, "role": role, "start_ns": start_ns, "end_ns": start_ns + 4 * SECOND}
        body |= {"text": text, "confidence": 0.9, "words": [], "voice": ""}
        event = await asyncio.to_thread(
            lambda: self.log.append("utterance", body | more, hearing=self.hearing, room_ns=start_ns, utc_ns=start_ns)
        )
        self.room.transcriber.publish_json("log", {"number": event.number})

    def correct(self, name: str, base: int, text: str) -> int:
        """The corrector writes from another process; the number of its event."""
        body = {"id": secrets.token_hex(8), "act": "correct", "by": "corrector", "reason": "同音"}
        body["changes"] = [{"line": name, "base": base, "set": {"text": text}}]  # type: ignore[assignment]  # JSON
        return self.log.append("revision", body, hearing=self.hearing, room_ns=1, utc_ns=1).number

    async def line(self, name: str) -> Any:
        state = await self.room.until_state(lambda s: any(u["id"] == name for u in s["hearing"]["utterances"]))
        return next(u for u in state["hearing"]["utterances"] if u["id"] == name)

    async def shown(self) -> list[tuple[str, str, str]]:
        lines = (await self.room.state())["hearing"]["utterances"]
        return [(u["id"], u["role"], u["text"]) for u in lines if not u["gone"]]

    async def post(self, path: str, body: dict[str, Any], status: int = 200) -> Any:
        said = {"id": secrets.token_hex(8), "tab": "tab-1"} | body
        answer = await self.room.clerk.post(f"/api/transcript/{path}", json=said)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def act(self, act: str, *changes: dict[str, Any], status: int = 200, **more: Any) -> Any:
        return await self.post("revisions", {"act": act, "changes": list(changes)} | more, status)

    async def change(self, name: str, **values: Any) -> dict[str, Any]:
        """A change of a line as it is now."""
        return {"line": name, "base": (await self.line(name))["revision"], "set": values}


@pytest_asyncio.fixture
async def court(room: Room) -> AsyncIterator[Court]:
    court = Court(room, (await room.open())["id"])
    await court.say("u1", "现在开庭", seat="judge", role="审判长")
    await court.say("u2", "我借给他三十万元")
    await court.say("u3", "有借条为证")
    await court.line("u3")
    yield court
    court.log.close()


def new(name: str, text: str, *, after: str = "", **more: Any) -> dict[str, Any]:
    said = {"id": name, "after": after, "seat": "judge", "role": "审判长", "text": text, "source": "typed"}
    return {"new": said | {"start_ms": 11_000, "end_ms": 12_000} | more}


async def test_a_line_is_edited_split_merged_struck_and_given_to_somebody_else(court: Court) -> None:
    await court.act("edit", await court.change("u2", text="我借给他30万元"))
    assert (await court.line("u2"))["touched"]
    rest = new("r1", "30万元", after="u2", source="split")
    done = await court.act("split", await court.change("u2", text="我借给他", end_ms=22_000.5), rest)
    assert [line["id"] for line in done["lines"]] == ["u2", "r1"]
    assert (await court.line("u2"))["end_ms"] == 22_000.5
    assert [text for _, _, text in await court.shown()] == ["现在开庭", "我借给他", "30万元", "有借条为证"]
    await court.act("merge", await court.change("u2", text="我借给他30万元"), await court.change("r1", gone="merged"))
    await court.act("strike", await court.change("u3", struck=True))
    await court.act("speaker", await court.change("u3", role="原告代理人", seat="plaintiff"))
    assert await court.shown() == [
        ("u1", "审判长", "现在开庭"),
        ("u2", "原告", "我借给他30万元"),
        ("u3", "原告代理人", "有借条为证"),
    ]
    assert [v["act"] for v in (await court.line("u2"))["versions"]] == ["speech", "edit", "split", "merge"]


async def test_of_two_writers_one_is_told_what_the_other_wrote(court: Court) -> None:
    mine, theirs = await court.change("u2", text="我的"), await court.change("u2", text="他的")
    await court.act("edit", theirs)
    refused = await court.act("edit", mine, status=409)
    assert refused["code"] == "conflict"
    assert [(line["id"], line["text"]) for line in refused["lines"]] == [("u2", "他的")]
    assert len((await court.line("u2"))["versions"]) == 2, "what did not count was never written"
    await court.act("edit", mine | {"base": refused["lines"][0]["revision"]})
    assert (await court.line("u2"))["text"] == "我的"


async def test_acts_at_the_same_moment_are_taken_one_after_the_other(court: Court) -> None:
    changes = [await court.change("u2", text=f"第{n}稿") for n in range(8)]
    bodies: list[dict[str, Any]] = [{"tab": f"tab-{n}", "changes": [change]} for n, change in enumerate(changes)]
    sent = [{"id": secrets.token_hex(8), "act": "edit", **body} for body in bodies]
    answers = await asyncio.gather(*(court.room.clerk.post("/api/transcript/revisions", json=s) for s in sent))
    assert sorted(a.status_code for a in answers) == [200] + [409] * 7
    won = next(s for s, a in zip(sent, answers, strict=True) if a.status_code == 200)
    assert (await court.line("u2"))["text"] == won["changes"][0]["set"]["text"]


async def test_the_same_act_twice_is_one(court: Court) -> None:
    change = await court.change("u2", text="我借给他30万元")
    first = await court.act("edit", change, id="same")
    again = await court.act("edit", change, id="same")
    assert first["event"] == again["event"]
    await court.room.stop()
    await court.room.start()
    assert (await court.act("edit", change, id="same"))["event"] == first["event"], "also after a restart"
    assert len((await court.line("u2"))["versions"]) == 2


async def test_an_act_that_does_not_hang_on_the_words_goes_through_after_the_corrector(court: Court) -> None:
    doubt, edit = await court.change("u2", doubtful=True), await court.change("u2", text="我借他30万")
    await asyncio.to_thread(court.correct, "u2", doubt["base"], "我借给他叁拾万元")
    refused = await court.act("edit", edit, status=409)
    assert refused["lines"][0]["text"] == "我借给他叁拾万元", "an edit of words that changed is for the clerk to settle"
    await court.act("doubt", doubt)
    line = await court.line("u2")
    assert (line["doubtful"], line["text"]) == (True, "我借给他叁拾万元")


async def test_a_corrector_that_is_quicker_by_a_moment_costs_the_clerk_nothing(court: Court, tmp_path: Path) -> None:
    """Between looking and writing another process may write; the act is then written once more, or is a conflict."""
    state = RoomState(court.room.profile, court.room.layout, court.log, RoomClock.open(court.room.layout.clock))
    state.feed = FeedServer(tmp_path / "edge.sock")
    await state.start()
    append, corrections = state.append, iter(["我借给他叁拾万元", "我借给他30万元"])

    async def beaten(kind: str, body: Any, *, hearing: str | None, key: str | None = None) -> Event:
        text = next(corrections, None)
        if text is not None:
            await asyncio.to_thread(court.correct, "u2", body["changes"][0]["base"], text)
        return await append(kind, body, hearing=hearing, key=key)

    state.append = beaten  # type: ignore[method-assign]  # the race, made certain
    commands = TranscriptCommands(state)
    try:
        base = (await court.line("u2"))["revision"]
        edit = ClerkAct("e1", "edit", [{"line": "u2", "base": base, "set": {"text": "我借他三十万"}}], "tab-1")
        with pytest.raises(ConflictError) as refused:
            await commands.revise(edit)
        assert [line.text for line in refused.value.lines] == ["我借给他叁拾万元"]
        now = refused.value.lines[0]
        assert (now.versions[-1]["text"], now.versions[-1]["void"]) == ("我借他三十万", True), "it was not lost"
        doubt: LineChange = {"line": "u2", "base": now.revision, "set": {"doubtful": True}}
        done = await commands.revise(ClerkAct("e2", "doubt", [doubt], "tab-1"))
        assert (done.lines[0].text, done.lines[0].doubtful) == ("我借给他30万元", True)
        assert (await commands.revise(ClerkAct("e2", "doubt", [doubt], "tab-1"))).event == done.event
    finally:
        await state.feed.stop()


async def test_the_corrector_never_changes_what_the_clerk_touched(court: Court) -> None:
    done = await court.act("edit", await court.change("u2", text="我借给他30万元"))
    number = await asyncio.to_thread(court.correct, "u2", done["lines"][0]["revision"], "我戒给他30万元")
    court.room.transcriber.publish_json("log", {"number": number})
    await court.room.until_state(lambda s: s["hearing"]["last_number"] >= number)
    line = await court.line("u2")
    assert (line["text"], line["versions"][-1]["void"]) == ("我借给他30万元", True)


async def test_acts_are_undone_one_by_one_and_each_tab_undoes_its_own(court: Court) -> None:
    before = await court.shown()
    await court.act("edit", await court.change("u2", text="甲"))
    await court.act("edit", await court.change("u2", text="乙"))
    await court.act("strike", await court.change("u1", struck=True), tab="tab-2")
    split = new("r1", "后半", after="u3", source="split")
    await court.act("split", await court.change("u3", text="前半"), split)
    for text in ("有借条为证", "甲", "我借给他三十万元"):
        await court.post("undo", {})
        assert text in [line[2] for line in await court.shown()]
    assert await court.shown() == before
    assert (await court.line("u1"))["struck"], "the other tab's act stands"
    assert (await court.line("r1"))["gone"] == "withdrawn"
    assert (await court.post("undo", {}, 409))["code"] == "nothing-to-undo"


async def test_what_was_changed_again_is_not_undone_under_the_hand(court: Court) -> None:
    first = await court.act("edit", await court.change("u2", text="甲"))
    await court.act("edit", await court.change("u2", text="乙"), tab="tab-2")
    refused = await court.post("undo", {}, 409)
    assert (refused["code"], refused["lines"][0]["text"]) == ("conflict", "乙")
    await court.post("undo", {"tab": "tab-2"})
    undone = await court.post("undo", {"revision": first["event"]["body"]["id"]})
    assert undone["lines"][0]["text"] == "我借给他三十万元"
    again = await court.post("undo", {"revision": undone["event"]["body"]["id"]})
    assert again["lines"][0]["text"] == "甲", "an undoing can be undone"


async def test_a_correction_is_taken_back_with_one_act(court: Court) -> None:
    base = (await court.line("u2"))["revision"]
    number = await asyncio.to_thread(court.correct, "u2", base, "我戒给他三十万元")
    court.room.transcriber.publish_json("log", {"number": number})
    await court.room.until_state(lambda s: s["hearing"]["last_number"] >= number)
    correction = (await court.line("u2"))["versions"][-1]
    done = await court.post("undo", {"revision": correction["id"]})
    assert done["lines"][0]["text"] == "我借给他三十万元"


async def test_a_voice_is_given_to_somebody_with_all_it_said_and_will_say(court: Court) -> None:
    for name, voice in (("u4", "b"), ("u5", "a"), ("u6", "b"), ("u7", "b")):
        await court.say(name, f"这是{name}", voice=voice)
    await court.act("speaker", await court.change("u7", role="证人"))
    done = await court.post("voice", {"line": "u6", "role": "原告代理人"})
    assert [line["id"] for line in done["lines"]] == ["u6", "u4"]
    assert done["event"]["body"]["voice"] == {"seat": "plaintiff", "voice": "b", "role": "原告代理人"}
    await court.say("u8", "还没有认出来的", voice="b")
    await court.line("u8")
    roles = {name: role for name, role, _ in await court.shown()}
    assert [roles[f"u{n}"] for n in range(4, 9)] == ["原告代理人", "原告", "原告代理人", "证人", "原告代理人"]
    await court.post("undo", {})
    await court.say("u9", "又是原告", voice="b")
    await court.line("u9")
    roles = {name: role for name, role, _ in await court.shown()}
    assert [roles[f"u{n}"] for n in (4, 6, 9)] == ["原告"] * 3


async def test_without_told_voices_the_lines_from_the_named_one_on_change(court: Court) -> None:
    done = await court.post("voice", {"line": "u3", "role": "原告代理人"})
    assert [line["id"] for line in done["lines"]] == ["u3"]
    assert [role for _, role, _ in await court.shown()] == ["审判长", "原告", "原告代理人"]


async def test_the_clerk_goes_on_in_a_pause_after_the_close_and_after_the_seal(court: Court) -> None:
    post = court.room.clerk.post
    await post("/api/hearing/pause", json={"reason": "recess"})
    await court.act("edit", await court.change("u2", text="休庭时"))
    await post("/api/hearing/resume")
    await post("/api/hearing/close")
    await court.act("edit", await court.change("u2", text="闭庭后"))
    seal = {"index": 0, "leaves": 1, "root": "00", "words_complete": True}
    key = seal_key(court.hearing, 0)
    await asyncio.to_thread(lambda: court.log.append("seal", seal, hearing=court.hearing, room_ns=1, utc_ns=1, key=key))
    await court.act("edit", await court.change("u2", text="封存后"))
    line = await court.line("u2")
    assert [v["text"] for v in line["versions"]] == ["我借给他三十万元", "休庭时", "闭庭后", "封存后"]


async def test_what_cannot_be_is_refused_in_words(court: Court) -> None:
    good = await court.change("u2", text="好")
    for body in (
        {"act": "edit", "changes": []},
        {"act": "rewrite", "changes": [good]},
        {"act": "correct", "changes": [good]},
        {"act": "edit", "changes": [good | {"set": {}}]},
        {"act": "edit", "changes": [good | {"set": {"text": ""}}]},
        {"act": "edit", "changes": [good | {"set": {"text": "x" * 10_001}}]},
        {"act": "edit", "changes": [good | {"set": {"text": "\u0000"}}]},
        {"act": "edit", "changes": [good | {"set": {"confidence": 1}}]},
        {"act": "edit", "changes": [good | {"set": {"gone": "lost"}}]},
        {"act": "insert", "changes": [new("n 1", "text")]},
        {"act": "insert", "changes": [new("n1", "text", end_ms=1)]},
        {"act": "insert", "changes": [new("n1", "text", source="speech")]},
        {"act": "edit", "id": "", "changes": [good]},
    ):
        assert (await court.post("revisions", body, 422))["code"] == "invalid", body
    lone = json.dumps({"id": "x", "tab": "t", "act": "edit", "changes": [good | {"set": {"text": "\ud800"}}]})
    answer = await court.room.clerk.post(
        "/api/transcript/revisions", content=lone, headers={"Content-Type": "application/json"}
    )
    assert [line["text"] for line in answer.json()["lines"]] == ["\ufffd"]  # half of a character: seen, not lost
    unknown = {"line": "nobody", "base": 1, "set": {"struck": True}}
    assert (await court.act("strike", unknown, status=404))["code"] == "not-found"
    assert (await court.act("insert", new("u1", "已有"), status=409))["code"] == "conflict"
    assert (await court.post("undo", {"revision": "nothing"}, 409))["code"] == "nothing-to-undo"


async def test_before_any_hearing_there_is_nothing_to_edit(room: Room) -> None:
    answer = await room.clerk.post("/api/transcript/undo", json={"id": "a", "tab": "t"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no-hearing")


async def test_both_tabs_are_told_of_every_act(court: Court) -> None:
    async with court.room.socket("/api/live") as ws:
        state = json.loads(await ws.recv())
        assert state["type"] == "state"
        await court.act("edit", await court.change("u2", text="两台都看见"), tab="tab-2")
        async with asyncio.timeout(30):
            while (message := json.loads(await ws.recv()))["type"] != "event":
                pass
    body = message["event"]["body"]
    assert (message["event"]["kind"], body["act"], body["tab"], body["name"]) == ("revision", "edit", "tab-2", "书记员")


async def test_what_the_screens_are_told_is_what_the_log_folds_to(court: Court) -> None:
    await court.act("edit", await court.change("u2", text="甲"))
    await court.post("undo", {})
    events = await asyncio.to_thread(court.log.of_hearing, court.hearing)
    folded = Hearing.of(court.hearing, events).to_json()["utterances"]
    assert json.loads(json.dumps(folded)) == (await court.room.state())["hearing"]["utterances"]


async def test_a_line_of_a_long_name_is_edited_and_no_line_ends_before_it_begins(court: Court) -> None:
    name = "u4-" + "s" * 31 + "-" * 61  # as long as the center takes
    await court.say("u5", "这一行的编号很长", id=name)
    await court.line(name)
    await court.act("edit", await court.change(name, text="这一行改过了"))
    backwards = await court.change("u2", start_ms=9000, end_ms=8000)
    assert (await court.act("edit", backwards, status=422))["code"] == "invalid"
    late = await court.change("u2", start_ms=1e9)  # after the end that the line has
    assert (await court.act("edit", late, status=422))["code"] == "invalid"


async def test_an_act_that_the_center_would_not_take_is_refused_before_it_is_written(court: Court) -> None:
    new = {"role": "原告", "start_ms": 1.0, "end_ms": 2.0, "text": "长" * 10_000}
    many = [{"new": new | {"id": f"n{number}"}} for number in range(40)]
    assert (await court.act("insert", *many, status=422))["code"] == "invalid"
    await court.act("insert", *many[:10])


async def test_a_revision_of_the_first_form_is_taken_and_nothing_is_undone_over_it(court: Court) -> None:
    done = await court.act("edit", await court.change("u2", text="我借给他二十万元"))
    body = {"id": "plain", "utterance": "u2", "text": "我借给他十万元"}
    number = court.log.append("revision", body, hearing=court.hearing, room_ns=1, utc_ns=1).number
    court.room.transcriber.publish_json("log", {"number": number})
    await court.room.until_state(lambda s: any(u["text"] == "我借给他十万元" for u in s["hearing"]["utterances"]))
    undo = {"revision": done["event"]["body"]["id"]}
    assert (await court.post("undo", undo, 409))["code"] == "conflict"
    await court.act("edit", await court.change("u3", text="有借条为证。"))
