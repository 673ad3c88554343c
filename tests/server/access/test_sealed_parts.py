"""A part of a hearing is sealed in one act: by every way that leads to it, each role finds what it may and no more."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from server.config import load_config
from server.running import running
from server.service import build
from sync.media.fmp4 import BoxReader, Init, retime
from sync.record.sealed_parts import PLACEHOLDER
from tests.support.files.evidence_files import photo
from tests.support.peers.center_peers import ROOM_NS, RoomPeer, Served, event, metadata, opening, said, until
from tests.support.peers.device_signatures import signed_claim

pytestmark = pytest.mark.both_databases

ROOM_MS = ROOM_NS / 1e6
WORD = "隐私"
FROM_MS, TO_MS = 1000, 2000
"""Since the opening: the second second of the four that are recorded."""
PDF = b"%PDF-1.4 % " + WORD.encode()
PICTURE = photo("JPEG", (40, 30)) + WORD.encode()
"""What stands behind the end of a picture is of it all the same."""
GAP = {"track": "bench", "from_ns": ROOM_NS + 5, "to_ns": ROOM_NS + 10**9, "why": "断"}
TRACKS = ("bench", "program", "mix", "mics")
PART = {"from_ms": ROOM_MS + FROM_MS, "to_ms": ROOM_MS + TO_MS, "level": "restricted", "reason": "涉及个人隐私"}


def at_room_time(data: bytes, begins_ns: int = ROOM_NS) -> bytes:
    """The same fragments at the times of the room, as the recorder writes them."""
    out = b""
    init: Init | None = None
    for item in BoxReader().feed(data):
        if isinstance(item, Init):
            init = item
            out += item.data
        else:
            assert init is not None
            ticks = item.decode_time + begins_ns * init.timescale // 10**9
            out += retime(item, init, ticks, item.sequence).data
    return out


def story(media: dict[str, bytes]) -> list[dict[str, Any]]:
    """A hearing with one line, one exhibit, one page and one mark within the part, and the like outside of it."""
    number = iter(range(1, 100))
    first = opening(next(number))
    first["body"]["tracks"] = [
        {"id": name, "kind": "video" if name in ("bench", "program") else "audio", "name": name} for name in TRACKS
    ]
    of_file = {"media_type": "application/pdf", "pages": 9, "sm3": ""}

    def exhibit(name: str, title: str, data: bytes, at_ms: int) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        body = {**of_file, "id": name, "number": len(name), "title": title, "filename": f"{title}.pdf"}
        return event(next(number), "exhibit", {**body, "sha256": digest, "bytes": len(data)}, at_ms=at_ms)

    def shown(name: str, page: int, at_ms: int) -> dict[str, Any]:
        return event(next(number), "present", {"exhibit": name, "page": page, "zoom": 1, "x": 0, "y": 0}, at_ms=at_ms)

    def drawn(name: str, data: bytes, *pages: int) -> dict[str, Any]:
        of = {"scale": 1, "width": 9, "height": 9, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        body = {"exhibit": name, "of": "0" * 64, "pictures": [{**of, "page": page} for page in pages]}
        return event(next(number), "drawn", body, at_ms=20)

    lines = [("公开的开头", 0), (WORD, 1200), ("公开的结尾", 3000)]
    segments = [
        event(
            next(number),
            "segment",
            {
                "track": track,
                "index": 0,
                "file": f"{track}/00000.mp4",
                "bytes": len(media[track]),
                "sha256": hashlib.sha256(media[track]).hexdigest(),
                "from_ns": ROOM_NS,
                "to_ns": ROOM_NS + 4 * 10**9,
                "fragments": 1,
                "mime": "video/mp4",
            },
            at_ms=3900,
        )
        for track in TRACKS
    ]
    document = {"id": "dd", "transcript": "a" * 64, "kind": "pdf", "file": "documents/v1.pdf", "sm3": ""}
    of_document = {"sha256": hashlib.sha256(PDF + b"d").hexdigest(), "bytes": len(PDF) + 1}
    return [
        first,
        exhibit("open", "借条", PDF + b"o", 10),
        drawn("open", PICTURE + b"o", 1, 5),
        shown("open", 1, 30),
        *[said(next(number), text, at_ms=at, role=WORD if text == WORD else "审判长") for text, at in lines],
        exhibit("secret", WORD, PDF + b"s", 1010),
        drawn("secret", PICTURE + b"s", 1),
        shown("secret", 1, 1100),
        event(next(number), "mark", {"id": "m1", "kind": "举证", "text": WORD}, at_ms=1500),
        shown("open", 5, 1600),
        event(next(number), "withdraw", {}, at_ms=1900),
        event(next(number), "mark", {"id": "m2", "kind": "辩论", "text": "公开的标记"}, at_ms=3000),
        *segments,
        event(next(number), "gap", GAP, at_ms=3950),
        event(next(number), "document", {**document, **of_document}, at_ms=3960),
        event(next(number), "close", {}, at_ms=4000),
    ]


async def store(served: Served, kind: str, data: bytes, track: str = "bench") -> None:
    async with served.uploader() as (tus, _):
        upload = await tus.create({**metadata(0, track=track), "kind": kind})
        await tus.append(upload, 0, data)
        claim = {"upload": upload, "room": "court1/c03", "hearing": "h1", "kind": kind, "track": track, "index": 0}
        signed = signed_claim({**claim, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)})
        assert (await tus.hand_over(signed))[0] > 0


async def hold(served: Served, room: RoomPeer, footage: bytes, voices: bytes) -> None:
    """Have the center hold the hearing whole."""
    picture, sound = at_room_time(footage), at_room_time(voices)
    media = {track: picture if track in ("bench", "program") else sound for track in TRACKS}
    events = story(media)
    for one in events:
        room.publish("events", one)
    await until(lambda: {one["number"] for one in events} <= room.receipts())
    for track, data in media.items():
        await store(served, "segment", data, track)
    files = {"exhibit": (PDF + b"o", PDF + b"s"), "page": (PICTURE + b"o", PICTURE + b"s"), "document": (PDF + b"d",)}
    for kind, all_of_them in files.items():
        for data in all_of_them:
            await store(served, kind, data)


async def seal(http: httpx.AsyncClient, **more: Any) -> Any:
    answer = await http.put("/api/hearings/h1/sealed-parts", json={**PART, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


@contextlib.asynccontextmanager
async def party(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """Counsel, to whom the hearing is granted."""
    async with served.inspector("archivist") as archivist:
        body = {"role": "原告代理人", "name": "赵律师", "hours": 1}
        code = (await archivist.post("/api/hearings/h1/grants", json=body)).json()["code"]
    async with httpx.AsyncClient(base_url=served.url, headers={"X-Wutong": "1"}, timeout=20) as http:
        assert (await http.post("/api/view/session", json={"code": code})).status_code == 200
        yield http


Spans = list[tuple[float, float]]


async def played(http: httpx.AsyncClient, path: str, **more: Any) -> Spans:
    """[from, to) of all that a player gets of a track, in milliseconds since the opening."""
    at, got = ROOM_MS, []
    while at < ROOM_MS + 4000:
        answer = await http.get(path, params={"from_ms": at, "to_ms": ROOM_MS + 4000, **more})
        if answer.status_code != 200:
            assert answer.json()["code"] == "no-media", answer.text
            following = answer.json()["next_ms"]
            if following is None:
                break
            at = max(following, at + 1)
            continue
        start, end = (float(answer.headers[f"X-Wutong-{name}-Ms"]) - ROOM_MS for name in ("From", "To"))
        fragments = [item for item in BoxReader().feed(answer.content) if not isinstance(item, Init)]
        assert fragments, "what is said to be there is there"
        got.append((start, end))
        at = ROOM_MS + max(end, at - ROOM_MS + 1)
    return got


def sealed_ms(spans: Spans) -> float:
    """How much of the sealed part they hold."""
    return sum(max(0.0, min(end, TO_MS) - max(start, FROM_MS)) for start, end in spans)


def open_ms(spans: Spans) -> float:
    return sum(end - start for start, end in spans) - sealed_ms(spans)


MEDIA = {"bench": {}, "program": {}, "mix": {}, "mics": {}, "one seat": {"seat": "judge"}}
"""Each kind of track, and how it is asked for."""


@pytest.mark.parametrize(("level", "who"), [("restricted", "archivist"), ("withdrawn", "nobody")])
async def test_by_every_way_each_role_finds_what_it_may_and_nothing_else(
    served: Served, room: RoomPeer, footage: bytes, voices: bytes, level: str, who: str
) -> None:
    await hold(served, room, footage, voices)
    async with served.inspector() as inspector, served.inspector("archivist") as archivist, party(served) as counsel:
        people = {"inspector": inspector, "archivist": archivist}
        before = {way: await media_of(inspector, way) for way in MEDIA}
        for way, spans in before.items():
            assert sealed_ms(spans) == TO_MS - FROM_MS, (way, "before it was sealed all of it is there")
        assert len((await inspector.get("/api/search", params={"q": WORD})).json()) == 1

        parts = await seal(inspector, level=level)
        assert [(p["from_ms"], p["to_ms"], p["level"], p["by"]) for p in parts] == [
            (PART["from_ms"], PART["to_ms"], level, "inspector")
        ]
        assert parts[0]["reason"] == "", "why is for who may see it"
        for role, http in people.items():
            may = role == who
            for way in MEDIA:
                spans = await media_of(http, way)
                assert (sealed_ms(spans) > 0) is may, (role, way, spans)
                assert open_ms(spans) > 2500, (role, way, spans, "the rest is there as before")
            await check_hearing(http, "/api/hearings/h1", may)
            hits = (await http.get("/api/search", params={"q": WORD})).json()
            assert (len(hits) == 1) is may, (role, "search")
            assert len((await http.get("/api/search", params={"q": "公开的"})).json()) == 2
            of = "/api/hearings/h1/exhibits"
            got = [
                (await http.get(f"{of}/{path}")).status_code for path in ("secret", "secret/pages/1", "open/pages/5")
            ]
            assert got == ([200] * 3 if may else [404, 404, 403]), role
            assert (await http.get(f"{of}/open/pages/1")).status_code == 200
            assert (await http.get(f"{of}/open")).status_code == (200 if may else 403), "its file has the page, too"
            draft = (await http.get("/api/hearings/h1/explanation")).text
            assert WORD not in draft
        document = await archivist.get("/api/hearings/h1/documents/dd")
        assert document.status_code == (200 if who == "archivist" else 403)
        assert (await inspector.get("/api/hearings/h1/documents/dd")).status_code == 403

        await check_hearing(counsel, "/api/view", False)
        for track in ("bench", "program", "mix"):
            spans = await played(counsel, f"/api/view/media/{track}")
            assert sealed_ms(spans) == 0, track
            assert open_ms(spans) > 2500, track
        for path, status in (("secret/pages/1", 404), ("open/pages/5", 404), ("open/pages/1", 200)):
            assert (await counsel.get(f"/api/view/exhibits/{path}")).status_code == status, path

        assert (await inspector.post(lifting(parts), json={"reason": "申请获批"})).status_code == 403
        assert (await archivist.post(lifting(parts), json={"reason": "申请获批"})).json() == []
        for http in people.values():
            await check_hearing(http, "/api/hearings/h1", True)
            assert {way: await media_of(http, way) for way in MEDIA} == before
    kept = [json.loads(row["detail"]) for row in await served.audited("sealed-part")]
    assert [(k["hearing"], k["level"], k["reason"]) for k in kept] == [
        ("h1", level, PART["reason"]),
        ("h1", "open", "申请获批"),
    ]


def lifting(parts: Any) -> str:
    return f"/api/hearings/h1/sealed-parts/{parts[0]['id']}/lift"


async def media_of(http: httpx.AsyncClient, way: str) -> Spans:
    track = "mics" if way == "one seat" else way
    return await played(http, f"/api/hearings/h1/media/{track}", **MEDIA[way])


async def check_hearing(http: httpx.AsyncClient, path: str, may: bool) -> None:
    """The hearing itself: words, exhibits, presentations, marks, and which ranges are said to be there."""
    answer = await http.get(path)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (WORD in answer.text) is may, path
    lines = [line["text"] for line in shown["utterances"]]
    assert lines == ["公开的开头", WORD if may else PLACEHOLDER, "公开的结尾"]
    times = [(line["start_ms"] - ROOM_MS, line["end_ms"] - ROOM_MS) for line in shown["utterances"]]
    assert times == [(0, 1000), (1200, 2200), (3000, 4000)], "its times are told"
    assert [(s["from_ms"] - ROOM_MS, s["to_ms"] - ROOM_MS) for s in shown["unseen"]] == ([] if may else [(1000, 2000)])
    for track in shown["tracks"]:
        spans = [(start - ROOM_MS, end - ROOM_MS) for start, end in track["ranges"]]
        assert (sealed_ms(spans) > 0) is may, track["id"]
    assert len(shown["exhibits"]) == (2 if may else 1)
    assert {(p["exhibit"], p["page"]) for p in shown["presentations"]} == (
        {("open", 1), ("secret", 1), ("open", 5)} if may else {("open", 1)}
    )


async def test_no_number_of_sealed_lines_changes_what_is_found_of_open_ones(served: Served, room: RoomPeer) -> None:
    """The condition is in the query: sealed lines take no place among those that are counted."""
    events = [opening(1)]
    events += [said(n, f"借条的第{n}句", at_ms=n * 1000) for n in range(2, 602)]
    for one in events:
        room.publish("events", one)
    await until(lambda: {one["number"] for one in events} <= room.receipts())
    async with served.inspector() as inspector, served.inspector("archivist") as archivist:

        async def found(http: httpx.AsyncClient, word: str) -> list[float]:
            return [hit["start_ms"] - ROOM_MS for hit in (await http.get("/api/search", params={"q": word})).json()]

        await seal(inspector, from_ms=ROOM_MS, to_ms=ROOM_MS + 300_500)
        for word in ("借条的", "借条"):  # by the index, and one by one
            assert await found(inspector, word) == [n * 1000 for n in range(301, 501)]
            assert (await found(archivist, word))[:2] == [2000, 3000]
            assert len(await found(archivist, word)) == 200


async def test_a_part_without_an_end_takes_what_is_still_to_come_until_it_is_ended_and_no_more(
    served: Served, room: RoomPeer
) -> None:
    for one in (opening(1), said(2, "公开", at_ms=0)):
        room.publish("events", one)
    await until(lambda: {1, 2} <= room.receipts())
    async with served.inspector() as http:
        parts = await seal(http, from_ms=ROOM_MS + 1000, to_ms=None)
        room.publish("events", said(3, WORD, at_ms=5000))
        await until(lambda: 3 in room.receipts())
        assert [u["text"] for u in (await http.get("/api/hearings/h1")).json()["utterances"]] == ["公开", PLACEHOLDER]
        ending = f"/api/hearings/h1/sealed-parts/{parts[0]['id']}/end"
        assert (await http.post(ending)).json()["code"] == "room-away", "nobody knows what it has said meanwhile"
        room.publish("status", {"online": True, "at_utc_ns": 1, "room_ns": ROOM_NS + 8 * 10**9})
        await until(lambda: served.center.rooms.now_ns("court1/c03"))
        ended = (await http.post(ending)).json()
        assert ended[0]["to_ms"] - ROOM_MS >= 8000
        assert (await http.post(ending)).json()["code"] == "ended"
        room.publish("events", said(4, "又公开", at_ms=60_000))
        await until(lambda: 4 in room.receipts())
        lines = [u["text"] for u in (await http.get("/api/hearings/h1")).json()["utterances"]]
        assert lines == ["公开", PLACEHOLDER, "又公开"]


async def test_what_a_room_seals_counts_when_it_is_stored_and_no_room_ends_what_the_center_has_sealed(
    served: Served, room: RoomPeer
) -> None:
    def act(number: int, name: str, to_ms: int | None, *, at_ms: int) -> dict[str, Any]:
        body = {"id": name, "from_ns": ROOM_NS + 10**9, "to_ns": None if to_ms is None else ROOM_NS + to_ms * 10**6}
        return event(
            number, "sealed_part", {**body, "level": "restricted", "by": "书记员", "reason": WORD}, at_ms=at_ms
        )

    for one in (opening(1), said(2, "二", at_ms=1100), act(4, "a", 3000, at_ms=3000)):
        room.publish("events", one)
    await until(lambda: {1, 2, 4} <= room.receipts())
    async with served.inspector() as inspector, served.inspector("archivist") as archivist:
        # The end came before the beginning: what it says by itself is a whole part.
        assert [u["text"] for u in (await inspector.get("/api/hearings/h1")).json()["utterances"]] == [PLACEHOLDER]
        room.publish("events", act(3, "a", None, at_ms=1000))
        await until(lambda: 3 in room.receipts())
        shown = (await inspector.get("/api/hearings/h1")).json()
        assert [(p["id"], p["to_ms"] - ROOM_MS) for p in shown["sealed_parts"]] == [("room:a", 3000)]
        assert WORD not in json.dumps(shown, ensure_ascii=False)
        assert (await archivist.get("/api/hearings/h1")).json()["sealed_parts"][0]["reason"] == WORD
        assert (await archivist.post("/api/hearings/h1/sealed-parts/room:a/lift", json={"reason": "批"})).json() == []
        room.publish("events", act(5, "a", 9000, at_ms=4000))
        mine = (await seal(inspector, from_ms=ROOM_MS, to_ms=None))[0]["id"]
        room.publish("events", act(6, mine, 5000, at_ms=5000))
        await until(lambda: {5, 6} <= room.receipts())
        left = (await archivist.get("/api/hearings/h1")).json()["sealed_parts"]
        assert {p["id"]: p["to_ms"] for p in left} == {mine: None, f"room:{mine}": ROOM_MS + 5000}
    assert len(await served.audited("sealed-part")) == 5, "each act, and what an earlier one made of a later one"


async def test_parts_survive_a_restart_of_the_center(served: Served, room: RoomPeer) -> None:
    room.publish("events", opening(1))
    await until(lambda: 1 in room.receipts())
    async with served.inspector("archivist") as http:
        lifted = await seal(http, from_ms=0, to_ms=5)
        await seal(http)
        assert (await http.post(lifting(lifted), json={"reason": "误操作"})).status_code == 200
        kept = served.center.sealing.of("h1")
    again = build(load_config(served.data.parent / "center.toml"))
    async with running(again, "127.0.0.1", 0):
        assert again.sealing.of("h1") == kept
        assert len(kept) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"to_ms": PART["from_ms"]},
        {"to_ms": 0},
        {"from_ms": 1e300},
        {"level": "open"},
        {"level": "sealed"},
        {"reason": "  "},
        {"reason": "长" * 201},
        {"more": 1},
        {"from_ms": None},
    ],
)
async def test_an_act_that_says_nothing_clear_is_refused(served: Served, room: RoomPeer, body: dict[str, Any]) -> None:
    room.publish("events", opening(1))
    await until(lambda: 1 in room.receipts())
    async with served.inspector() as http:
        refused = await http.put("/api/hearings/h1/sealed-parts", json={**PART, **body})
        assert refused.status_code == 422
        assert (await http.put("/api/hearings/none/sealed-parts", json=PART)).status_code == 404
        assert (await http.post("/api/hearings/h1/sealed-parts/none/end")).status_code in (404, 400, 409)
        assert (await http.get("/api/hearings/h1")).json()["sealed_parts"] == []


async def test_what_is_sealed_while_its_answer_is_made_is_not_answered(
    served: Served, room: RoomPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in (opening(1), said(2, WORD, at_ms=1200)):
        room.publish("events", one)
    await until(lambda: {1, 2} <= room.receipts())
    use = served.center.folds.use
    async with served.inspector() as http:

        async def sealed_meanwhile(hearing: str, work: Any) -> Any:
            found = await use(hearing, work)
            await seal(http)
            return found

        with monkeypatch.context() as patched:
            patched.setattr(served.center.folds, "use", sealed_meanwhile)
            answer = await http.get("/api/hearings/h1")
        assert WORD not in answer.text
