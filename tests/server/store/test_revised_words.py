"""Words after they were said: what the clerk made of them is found, shown live and on the page; strokes are not."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest
import websockets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.events.admission import read_event
from server.events.redaction import signing_of
from server.store.words.transcript_index import KINDS, _apply, _Fold
from sync.errors import CenterError
from sync.record.event import Event
from sync.record.hearing import Hearing
from tests.support.peers.center_peers import ROOM_NS, RoomPeer, Served, event, opening, said, until
from wutong.export.derived.signing import signing_facts
from wutong.export.derived.transcript import transcript_files

pytestmark = pytest.mark.both_databases


def revision(number: int, act: str, *changes: dict[str, Any], by: str = "clerk", **more: Any) -> dict[str, Any]:
    body = {"id": f"r{number}", "act": act, "by": by, "tab": "t1", "name": "王五", "reason": "", "undoes": ""}
    return event(number, "revision", {**body, "changes": list(changes), **more}, at_ms=number * 1000)


def to(line: str, base: int, **values: Any) -> dict[str, Any]:
    return {"line": line, "base": base, "set": values}


def new(name: str, after: str, text: str) -> dict[str, Any]:
    line = {"id": name, "after": after, "seat": "", "role": "书记员", "text": text, "voice": "", "source": "typed"}
    return {"new": {**line, "start_ns": ROOM_NS, "end_ns": ROOM_NS}}


STORY = [
    opening(1),
    said(2, "请原告陈述诉讼青求", at_ms=2000),
    said(3, "借款三十万元没有归还", role="原告", at_ms=3000),
    said(4, "嗯那个", at_ms=4000),
    revision(5, "edit", to("u2", 2, text="请原告陈述诉讼请求")),
    revision(6, "edit", to("u2", 2, text="请被告陈述诉讼请求")),  # stale: it does not count
    revision(7, "speaker", to("u3", 3, role="原告代理人", seat="judge")),
    revision(8, "strike", to("u4", 4, struck=True)),
    revision(9, "split", to("u3", 7, text="借款三十万元"), new("n9", "u3", "没有归还")),
    revision(10, "merge", to("n9", 9, gone="merged"), to("u3", 9, text="借款三十万元没有归还。")),
    revision(11, "insert", new("n11", "", "（当庭出示借条原件）")),
    revision(12, "correct", to("u2", 5, text="改了也不算"), by="corrector"),
    said(13, "以上属实", at_ms=13000),
]
FOUND = {
    "青求": [],
    "诉讼请求": ["u2"],
    "被告陈述": [],
    "改了也": [],
    "三十万元没有": ["u3"],
    "嗯那个": [],
    "借条原件": ["n11"],
    "以上": ["u13"],
}


async def finds(served: Served, words: dict[str, list[str]]) -> None:
    async with served.inspector() as http:
        for query, lines in words.items():
            hits = (await http.get("/api/search", params={"q": query})).json()
            assert [hit["utterance"] for hit in hits] == lines, query


async def test_search_finds_the_words_as_they_are_now(served: Served, room: RoomPeer) -> None:
    for one in STORY:
        room.publish("events", one)
    await until(lambda: room.receipts() == set(range(1, 14)))
    await finds(served, FOUND)
    async with served.inspector() as http:
        [hit] = (await http.get("/api/search", params={"q": "三十万元", "role": "原告代理人"})).json()
        assert hit["role"] == "原告代理人"
        lines = {line["id"]: line for line in (await http.get("/api/hearings/h1")).json()["utterances"]}
    assert [v.get("void", False) for v in lines["u2"]["versions"]] == [False, False, True, True]
    assert (lines["n9"]["gone"], lines["u4"]["struck"]) == ("merged", True)


async def test_events_in_any_order_give_the_same_words(served: Served, room: RoomPeer) -> None:
    story = STORY[:]
    random.Random(2).shuffle(story)
    for part in (story[:5], story[5:9], story[9:]):
        for one in part:
            room.publish("events", one)
        numbers = {one["number"] for one in part}
        await until(lambda numbers=numbers: numbers <= room.receipts())  # type: ignore[misc]  # a lambda's default
    await finds(served, FOUND)


async def test_hearings_that_do_not_fit_into_memory_are_folded_anew_with_the_same_words(
    served: Served, room: RoomPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.store.words.transcript_index.MAX_LINES", 1)
    for one in STORY:
        room.publish("events", one)
        if one["number"] > 1:  # another hearing speaks in between
            room.publish("events", said(one["number"] + 100, "别的庭审", hearing="h2"))
        await until(lambda number=one["number"]: number in room.receipts())  # type: ignore[misc]  # a lambda's default
    await until(lambda: 113 in room.receipts())
    await finds(served, FOUND)


async def test_what_an_inspector_gets_of_a_signature_has_no_strokes(served: Served, room: RoomPeer) -> None:
    body = {"id": "s1", "transcript": "a" * 64, "role": "原告", "name": "张三", "act": "sign", "reason": ""}
    drawn = {"size": [400, 160], "strokes": [[[1.5, 2, 0, 0.5], [3, 4, 16, 0.6]]]}
    async with served.inspector() as http, served.inspector("archivist") as archivist:
        cookie = "; ".join(f"{k}={v}" for k, v in archivist.cookies.items())
        where = served.url.replace("http", "ws") + "/api/live"
        async with websockets.connect(where, origin=served.url, additional_headers={"Cookie": cookie}) as ws:  # type: ignore[arg-type]  # its type is a NewType of str
            await ws.send(json.dumps({"rooms": ["court1/c03"]}))
            status = {"online": True, "at_utc_ns": 1, "room_ns": ROOM_NS, "hearing": None}
            room.publish("status", status)
            room.publish("events", opening(1))
            await until(lambda: 1 in room.receipts())
            room.publish("events", event(2, "signature", {**body, **drawn}))
            async with asyncio.timeout(30):
                while "signature" not in (text := str(await ws.recv())):
                    pass
            assert "张三" in text
            assert "strokes" not in text
        [mine] = (await http.get("/api/hearings/h1")).json()["signing"]["signatures"]
        assert (mine["role"], mine["name"], mine["act"]) == ("原告", "张三", "sign")
        assert mine["at_utc_ms"]
        assert not {"strokes", "size"} & mine.keys()
        assert "strokes" not in (await http.get("/api/hearings/h1")).text
        [whole] = (await archivist.get("/api/hearings/h1")).json()["signing"]["signatures"]
        assert whole["strokes"] == drawn["strokes"]


GOOD = {
    "revision": revision(1, "edit", to("u1", 1, text="好"), new("n1", "u1", "好"))["body"],
    "check": {"id": "name-1", "ignored": True, "line": "u1", "kind": "name", "text": "张三"},
    "transcript": {"id": "t1", "version": 1, "sha256": "a" * 64, "lines": 3, "through": 12},
    "objection": {"id": "o1", "line": "u1", "text": "不对", "by": {"role": "原告", "name": "张三"}, "wants": "对",
                  "outcome": "refused", "reason": "录音如此", "replayed_from_ns": 1, "replayed_to_ns": 2},
    "signature": {"id": "s1", "transcript": "a" * 64, "role": "原告", "name": "张三", "act": "refuse", "reason": "否"},
    "document": {"id": "d1", "transcript": "a" * 64, "kind": "pdf", "file": "documents/1.pdf", "bytes": 5,
                 "sha256": "b" * 64, "sm3": "c" * 64},
}  # fmt: skip
BAD: list[tuple[str, dict[str, Any]]] = [
    ("revision", {"by": "engine"}),
    ("revision", {"changes": {}}),
    ("revision", {"changes": [{"set": {"text": "x"}}]}),
    ("revision", {"changes": [{"line": "u1", "set": {"text": "x"}}]}),
    ("revision", {"changes": [to("u1", 1, text=5)]}),
    ("revision", {"changes": [to("u1", 1, struck="yes")]}),
    ("revision", {"changes": [to("u1", 1, start_ns="soon")]}),
    ("revision", {"changes": [to("u1", 1, text=None)]}),
    ("revision", {"changes": [{"line": "u1", "base": None, "set": {}}]}),
    ("revision", {"changes": [{"line": "u1", "base": 1, "propose": [{"at": -1, "length": 1, "from": "", "to": ""}]}]}),
    ("revision", {"changes": [{**to("u1", 1, text="x"), **new("n1", "", "y")}]}),
    ("revision", {"changes": [{"new": {"id": "n1"}}]}),
    ("revision", {"id": ""}),
    ("check", {"ignored": "no"}),
    ("transcript", {"sha256": "A" * 64}),
    ("transcript", {"version": -1}),
    ("objection", {"outcome": "maybe"}),
    ("objection", {"by": "张三"}),
    ("signature", {"act": "nod"}),
    ("signature", {"strokes": [[["a", 1]]]}),
    ("signature", {"strokes": [[[1e400, 1]]]}),
    ("signature", {"strokes": 7}),
    ("document", {"kind": "exe"}),
    ("document", {"sha256": "../etc"}),
    ("document", {"bytes": -1}),
]


@pytest.mark.parametrize("kind", GOOD)
def test_an_honest_body_is_taken(kind: str) -> None:
    assert read_event("court1/c03", json.dumps(event(1, kind, GOOD[kind])).encode())


@pytest.mark.parametrize(("kind", "change"), BAD)
def test_a_body_that_cannot_be_folded_is_refused(kind: str, change: dict[str, Any]) -> None:
    with pytest.raises(CenterError):
        read_event("court1/c03", json.dumps(event(1, kind, {**GOOD[kind], **change})).encode())


KEYS = st.sampled_from(["id", "text", "line"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats(width=16) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Of everything inside of a body."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if path else []), *(p for key, item in inside for p in places(item, (*path, key)))]


def with_other(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    copy = json.loads(json.dumps(value))
    at = copy
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = other
    return copy


@pytest.mark.parametrize("kind", GOOD)
def test_whatever_passes_the_door_can_be_folded_searched_signed_and_exported(kind: str) -> None:
    honest = said(1, "话")
    first = Event(1, "h1", "utterance", 1, 1, {**honest["body"], "id": "u1"})

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.sampled_from(places(GOOD[kind])), ANYTHING)
    def changed(path: tuple[Any, ...], other: Any) -> None:
        body = with_other(GOOD[kind], path, other)
        try:
            received = read_event("court1/c03", json.dumps(event(2, kind, body)).encode())
        except CenterError:
            return
        events = [first, received.event]
        Hearing.of("h1", events).to_json()
        signing_of(events, strokes=True)
        _apply(_Fold(), [e for e in events if e.kind in KINDS])
        transcript_files(events)
        signing_facts(events)

    changed()
