"""Who sees a sealed part on the panel: the clerk of the hearing while it runs and reads it through; nobody who signs in
later; and nobody on paper. Each way by which the room shows something, and each session."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from pypdf import PdfReader

from edge.api.transcript import AROUND_NS, _where
from edge.documents.worker import make
from edge.state.room_state import RoomState
from edge.state.sight import MAKES_THE_RECORD
from sync.errors import WutongError
from sync.record.hearing import Hearing
from sync.record.sealed_parts import EVERYTHING_SEEN, PLACEHOLDER, SealedPart, Unseen
from sync.record.transcript import Utterance
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedServer
from sync.room.paths import RoomPaths
from tests.support.files.evidence_files import photo
from tests.support.rooms.edge_room import Room
from wutong.export.sources.room import RoomSource

WORD, OPEN = "隐私地址", "公开陈述"
REASON = {"reason": "涉及个人隐私"}
PARTS = "/api/hearing/sealed-parts"


def put(room: Room, kind: str, body: dict[str, Any], hearing: str, at_ns: int) -> None:
    log = RoomLog(room.layout.log)
    log.append(kind, body, hearing=hearing, room_ns=at_ns, utc_ns=at_ns)
    log.close()


async def say(room: Room, hearing: str, name: str, text: str, from_ns: int, to_ns: int) -> None:
    said = {"id": name, "seat": "judge", "role": "审判长", "start_ns": from_ns, "end_ns": to_ns, "text": text}
    put(room, "utterance", {**said, "words": []}, hearing, to_ns)
    await room.until_state(lambda state: any(u["id"] == name for u in state["hearing"]["utterances"]))


@contextlib.asynccontextmanager
async def another_session(room: Room) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who signs in now, with the same code."""
    async with httpx.AsyncClient(base_url=room.base, headers={"X-Wutong": "1"}, trust_env=False, timeout=60) as http:
        assert (await http.post("/api/session", json={"code": room.code})).status_code == 200
        yield http


def tab(room: Room, http: httpx.AsyncClient) -> Any:
    """A tab of this session."""
    cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    return websockets.connect(
        room.base.replace("http", "ws") + "/api/live",
        origin=room.base,  # type: ignore[arg-type]  # a NewType of str
        additional_headers={"Cookie": cookie},
        proxy=None,
        max_size=2**24,
    )


class Story:
    """A hearing with an open line, a part that is sealed with a line, a mark, an exhibit and a page, and an end."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.hearing = ""
        self.exhibits: dict[str, Any] = {}
        self.part = ""

    async def now_ns(self) -> int:
        return int((await self.room.state())["now_ms"] * 1e6)

    async def play(self) -> None:
        room = self.room
        self.hearing = (await room.open())["id"]
        at = await self.now_ns()
        await say(room, self.hearing, "open", OPEN, at - 2, at - 1)
        answer = await room.clerk.post(PARTS, json={**REASON, "goes_on": True})
        self.part = answer.json()["sealed_parts"][0]["id"]
        self.exhibits["secret"] = (await room.add("s.png", photo("PNG", (40, 30)), title=WORD)).json()
        await room.clerk.put("/api/presentation", json={"exhibit": self.exhibits["secret"]["id"]})
        await room.clerk.post("/api/marks", json={"kind": "举证", "text": WORD})
        at = await self.now_ns()
        await say(room, self.hearing, "sealed", WORD, at - 1, at)
        await room.clerk.delete("/api/presentation")
        await room.clerk.post(f"{PARTS}/{self.part}/end")
        at = await self.now_ns()
        await say(room, self.hearing, "last", OPEN, at, at + 1)
        self.exhibits["open"] = (await room.add("o.png", photo("PNG", (50, 30)), title="借条")).json()
        await room.clerk.put("/api/presentation", json={"exhibit": self.exhibits["open"]["id"]})

    async def close(self) -> None:
        assert (await self.room.clerk.post("/api/hearing/close")).status_code == 200

    async def check(self, http: httpx.AsyncClient, *, may: bool) -> None:
        """Every way by which a session is shown something."""
        async with tab(self.room, http) as ws:
            first = json.loads(await ws.recv())
        for way, shown in (("state", (await http.get("/api/state")).json()), ("socket", first)):
            hearing = shown["hearing"]
            assert (WORD in json.dumps(shown, ensure_ascii=False)) is may, way
            lines = [line["text"] for line in hearing["utterances"]]
            assert lines == [OPEN, WORD if may else PLACEHOLDER, OPEN], way
            assert [m["text"] for m in hearing["marks"]] == ([WORD] if may else []), way
            assert len(hearing["exhibits"]) == (2 if may else 1), way
            assert [(p["id"], p["reason"]) for p in hearing["sealed_parts"]] == [
                (self.part, REASON["reason"] if may else "")
            ], "that there is a part everybody is told"
            assert bool(shown["unseen"]) is not may
        for name in ("secret", "open"):
            exhibit = self.exhibits[name]["id"]
            for path in (f"/api/exhibits/{exhibit}", f"/api/exhibits/{exhibit}/pages/1"):
                answer = await http.get(path)
                assert answer.status_code == (200 if may or name == "open" else 403), path
                if answer.status_code == 403:
                    assert answer.json()["code"] == "sealed-part"
        for line in ("sealed", "last"):
            answer = await http.get(f"/api/transcript/{line}/sound")
            told = "sealed-part" if line == "sealed" and not may else "no-media"
            assert answer.json()["code"] == told, "nothing was recorded here, as who may hear it is told"
        assert WORD not in (await http.get("/api/explanation")).text

    async def paper(self, http: httpx.AsyncClient) -> tuple[str, str]:
        """(what is written on it, whether it says that something is left out)."""
        answer = await http.get("/api/transcript/document.json")
        assert answer.status_code == 200, answer.text
        return answer.text, answer.headers["X-Wutong-Sealed"]


async def test_the_clerk_of_the_hearing_sees_it_who_signs_in_later_does_not_and_no_paper_has_it(room: Room) -> None:
    story = Story(room)
    await story.play()
    async with another_session(room) as early:
        await story.check(room.clerk, may=True)
        await story.check(early, may=True)  # it runs: whoever sits at the panel makes the record
        await story.close()
        await story.check(room.clerk, may=True)
        async with another_session(room) as later:
            await story.check(later, may=False)
            change = {"line": "sealed", "base": 0, "set": {"text": "改"}}
            refused = {"role": "原告"}, "refused"
            for path, body in (
                ("revisions", {"act": "edit", "tab": "t", "id": "r1", "changes": [change]}),
                ("voice", {"id": "v", "tab": "t", "line": "last", "role": "证人"}),
                ("undo", {"id": "u", "tab": "t"}),
                ("objections", {"id": "o", "line": "sealed", "by": refused[0], "wants": "改", "outcome": refused[1]}),
            ):
                if path in ("revisions", "objections"):
                    body["reason"] = "不"
                answer = await later.post(f"/api/transcript/{path}", json=body)
                assert (answer.status_code, answer.json().get("code")) == (403, "sealed-part"), path
            for http in (room.clerk, later):
                text, sealed = await story.paper(http)
                assert (WORD in text, OPEN in text, "节本" in text, sealed) == (False, True, True, "1")
            source = RoomSource(room.profile.storage.data, story.hearing)
            source.close()
            assert [part.id for part in source.sealed_parts()] == [story.part], "an export asks why"


async def test_what_is_said_afterwards_of_a_sealed_line_reaches_no_tab_of_a_later_session(room: Room) -> None:
    story = Story(room)
    await story.play()
    await story.close()

    async with another_session(room) as later, tab(room, room.clerk) as mine, tab(room, later) as theirs:
        base = next(u["revision"] for u in (await room.state())["hearing"]["utterances"] if u["id"] == "sealed")
        change = {"line": "sealed", "base": base, "set": {"text": WORD + "的更正"}}
        act = {"act": "edit", "tab": "t", "id": "r1", "changes": [change]}
        assert (await room.clerk.post("/api/transcript/revisions", json=act)).status_code == 200
        number = (await room.state())["hearing"]["last_number"]

        async def until_told(ws: Any) -> tuple[str, list[str]]:
            """All that a tab is sent until it knows of the change."""
            got: list[str] = []
            async with asyncio.timeout(20):
                while True:
                    got.append(await ws.recv())
                    said = json.loads(got[-1])
                    if said["type"] == "event" and said["event"]["number"] == number:
                        break
                    if len(got) > 1 and said["type"] == "state" and said["hearing"]["last_number"] >= number:
                        break
            return "".join(got), [json.loads(text)["type"] for text in got]

        assert WORD + "的更正" in (await until_told(mine))[0]
        text, kinds = await until_told(theirs)
        assert WORD not in text
        assert "event" not in kinds
        assert PLACEHOLDER in text


async def told(room: Room, uplink: FeedServer, **notice: Any) -> Any:
    """The panel's state when it has heard what the center says."""
    hearing = (await room.state())["hearing"]["id"]
    said = {"hearing": hearing, "level": "open", "parts": [], "lifted": [], **notice}
    async with room.socket("/api/live") as ws:
        first = json.loads(await ws.recv())
        assert first["type"] == "state"
        uplink.publish_json("notices", {"notices": [said]}, retain=True)
        async with asyncio.timeout(20):
            while (message := json.loads(await ws.recv()))["type"] != "state":
                pass
        return message


async def wall(room: Room) -> Any:
    async with room.socket(f"/api/display?token={room.token}") as ws:
        return json.loads(await ws.recv())["value"]


async def test_what_the_archivist_lifts_is_seen_again_in_the_room_also_after_a_restart(room: Room) -> None:
    story = Story(room)
    await story.play()
    going = (await room.clerk.post(PARTS, json={**REASON, "goes_on": True})).json()["sealed_parts"][-1]["id"]
    uplink = FeedServer(room.layout.feed("uplink"))
    await uplink.start()
    try:
        assert (await wall(room))["part_sealed"] is True
        state = await told(room, uplink, lifted=[story.part, going, "unknown"])
        assert state["hearing"]["sealed_parts"] == []
        shown = await wall(room)
        assert (shown["part_sealed"], shown["presented"]["exhibit"]["title"]) == (False, "借条")
        await story.close()
    finally:
        await uplink.stop()
    await room.stop()
    await room.start()
    async with another_session(room) as later:
        state = (await later.get("/api/state")).json()
        assert [u["text"] for u in state["hearing"]["utterances"]] == [OPEN, WORD, OPEN]
        text, sealed = await story.paper(later)
        assert (WORD in text, sealed) == (True, "0")
    source = RoomSource(room.profile.storage.data, story.hearing)
    source.close()
    assert source.sealed_parts() == [], "an export does not ask why any more"


async def test_what_the_center_seals_is_marked_on_the_panel_and_what_it_withdraws_nobody_sees_after_the_close(
    room: Room,
) -> None:
    story = Story(room)
    await story.play()
    uplink = FeedServer(room.layout.feed("uplink"))
    await uplink.start()
    try:
        part = {"id": "center:1", "from_ns": 0, "to_ns": None, "level": "withdrawn"}
        state = await told(room, uplink, parts=[part])
        assert [p["id"] for p in state["hearing"]["sealed_parts"]] == [story.part, "center:1"]
        assert WORD in json.dumps(state, ensure_ascii=False), "while it runs it is the clerk's record"
        await story.close()
        texts = [u["text"] for u in (await room.state())["hearing"]["utterances"]]
        assert texts == [PLACEHOLDER] * 3, "withdrawn: for nobody, not for who held it either"
        state = await told(room, uplink, level="restricted")
        assert WORD in json.dumps(state, ensure_ascii=False), "restricted: for who makes the record"
        async with another_session(room) as later:
            state = (await later.get("/api/state")).json()
            assert [u["text"] for u in state["hearing"]["utterances"]] == [PLACEHOLDER] * 3
            assert WORD not in json.dumps(state, ensure_ascii=False)
    finally:
        await uplink.stop()


async def test_a_part_that_goes_on_ends_with_the_hearing_and_not_before(room: Room) -> None:
    await room.open()
    await room.clerk.post(PARTS, json={**REASON, "goes_on": True})
    await room.stop()
    await room.start()
    assert (await room.state())["hearing"]["sealed_parts"][0]["to_ms"] is None, "a restart ends nothing"
    assert (await wall(room))["part_sealed"] is True
    await room.clerk.post("/api/hearing/pause", json={"reason": "recess"})
    assert (await room.state())["hearing"]["sealed_parts"][0]["to_ms"] is None, "a recess neither"
    await room.clerk.post("/api/hearing/close")
    hearing = (await room.state())["hearing"]
    assert hearing["sealed_parts"][0]["to_ms"] >= hearing["closed_ms"], "no moment of the hearing lies behind it"
    await room.open()
    state = await room.state()
    assert (state["hearing"]["sealed_parts"], state["unseen"]) == ([], [])
    assert (await wall(room))["part_sealed"] is False, "the next hearing is another"


async def test_a_close_that_was_the_last_thing_before_a_crash_ends_its_part_at_the_next_start(room: Room) -> None:
    hearing = (await room.open())["id"]
    await room.clerk.post(PARTS, json={**REASON, "goes_on": True})
    await room.stop()
    at = (1 << 60) + 1
    put(room, "close", {}, hearing, at)
    await room.start()
    shown = (await room.state())["hearing"]
    assert shown["state"] == "closed"
    assert shown["sealed_parts"][0]["to_ms"] is not None


async def test_notices_that_cannot_be_read_hide_the_hearing_until_the_center_has_said_what_holds(room: Room) -> None:
    await room.open()
    await room.stop()
    room.layout.notices.write_bytes(b"{")
    await room.start()
    assert (await wall(room))["withheld"] is True
    uplink = FeedServer(room.layout.feed("uplink"))
    await uplink.start()
    try:
        await told(room, uplink)
        assert (await wall(room))["withheld"] is False
    finally:
        await uplink.stop()


# Where a part begins and ends


@pytest.mark.parametrize(
    ("spans", "plays"),
    [
        (((0, 1_000_000_000),), (1_000_000_000, 2_000_000_000 + AROUND_NS)),
        (((2_000_000_000, 3_000_000_000),), (1_000_000_000 - AROUND_NS, 2_000_000_000)),
        (((0, 999_999_999), (2_000_000_001, 9_000_000_000)), (999_999_999, 2_000_000_001)),
        (((0, 100), (9_000_000_000, 9_000_000_001)), (1_000_000_000 - AROUND_NS, 2_000_000_000 + AROUND_NS)),
        ((), (1_000_000_000 - AROUND_NS, 2_000_000_000 + AROUND_NS)),
    ],
)
async def test_around_a_line_nothing_of_a_part_is_heard_to_the_nanosecond(
    room: Room, spans: tuple[tuple[int, int], ...], plays: tuple[int, int]
) -> None:
    hearing = Hearing("h")
    hearing.transcript.lines.append(
        Utterance(id="l", seat="judge", role="审判长", start_ns=1_000_000_000, end_ns=2_000_000_000, text="x")
    )
    hearing.transcript._by_id = {"l": hearing.transcript.lines[0]}

    state = RoomState(room.profile, room.layout, log := RoomLog(room.layout.log), RoomClock.open(room.layout.clock))
    state._follower.hearing = hearing
    for alone in (False, True):
        assert _where(state, "l", alone, Unseen(spans))[2:4] == plays
    log.close()


def test_parts_that_overlap_nest_and_touch_are_one_for_who_may_not_see_them() -> None:
    parts = [
        SealedPart("a", 0, 10, "restricted"),
        SealedPart("b", 10, 20, "withdrawn"),
        SealedPart("c", 12, 15, "restricted"),
        SealedPart("d", 19, 40, "restricted"),
    ]
    assert Unseen.of(parts, frozenset()).spans == ((0, 40),)
    assert Unseen.of(parts, MAKES_THE_RECORD).spans == ((10, 20),), "a part for nobody inside one for the clerk"
    assert Unseen.of([], frozenset()) == EVERYTHING_SEEN


def test_each_paper_says_that_it_is_without_a_part_and_no_signed_one_is(tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path)
    log = RoomLog(layout.log)
    case = {"case_no": "(2026)黑05民初1号", "parties": {"原告": "甲"}, "public": True}
    log.append("open", {"case": case, "seats": [], "tracks": []}, hearing="h", room_ns=0, utc_ns=10**18)
    for name, text, at in (("a", OPEN, 10), ("b", WORD, 20), ("c", WORD, 29)):
        said = {"id": name, "seat": "judge", "role": "审判长", "start_ns": at, "end_ns": at + 2, "text": text}
        log.append("utterance", {**said, "words": []}, hearing="h", room_ns=at, utc_ns=10**18 + at)
    log.append("close", {}, hearing="h", room_ns=40, utc_ns=10**18 + 40)
    log.close()
    files = {kind: tmp_path / f"paper.{kind}" for kind in ("json", "srt", "vtt", "docx", "pdf")}
    job = {
        "data": str(tmp_path),
        "hearing": "h",
        "files": {kind: str(path) for kind, path in files.items()},
        "final": False,
        "words": None,
        "unseen": [[15, 30]],
        "address": "jianshan/c03",
        "court_name": "尖山区人民法院",
        "room_name": "第三法庭",
        "tsa_url": "",
        "struck": False,
    }
    make(job)
    for kind, path in files.items():
        text = _text(kind, path.read_bytes())
        assert WORD not in text, kind
        assert OPEN in text, kind
        assert PLACEHOLDER in text, kind
        assert kind in ("srt", "vtt") or "节本" in text, kind
    with pytest.raises(WutongError, match="节本"):
        make({**job, "final": True, "words": "0" * 64})


def _text(kind: str, data: bytes) -> str:
    if kind == "docx":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.read("word/document.xml").decode()
    if kind == "pdf":
        pages = PdfReader(io.BytesIO(data)).pages
        return "".join(page.extract_text() for page in pages).replace("\0", "").replace("\n", "")
    return data.decode()
