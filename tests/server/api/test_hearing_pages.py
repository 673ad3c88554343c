"""The page of a hearing, kept once for all who may see the same of it: rights are judged for each who asks."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import pytest

from server.api.hearing_pages import takes_gzip
from server.api.parties import GrantedHearing
from server.api.recorded_hearing import RecordedHearing
from server.store.encoded_page import EncodedPage
from sync.record.sealed_parts import PLACEHOLDER
from sync.record.shown_hearing import ShownHearing
from tests.server.access.test_sealed_parts import PART
from tests.support.peers.center_peers import RoomPeer, Served, event, opening, said, until

WORD = "隐私"
STROKES = {"size": [300, 100], "strokes": [[[0.25, 0.5, 0, 0.5]]]}
SIGNATURE = {"id": "s1", "transcript": "a" * 64, "role": "原告", "name": "张三", "act": "sign", "reason": "", **STROKES}
PAGE = "/api/hearings/h1"


@pytest.fixture
async def held(served: Served, room: RoomPeer) -> Served:
    """A hearing that is over, with a line within what is sealed later, and a signature."""
    events = [
        opening(1),
        said(2, "公开的话", at_ms=100),
        said(3, WORD, at_ms=1200),
        event(4, "mark", {"id": "m1", "kind": "举证", "text": "书记员的标记"}, at_ms=3000),
        event(5, "close", {}, at_ms=4000),
        event(6, "signature", SIGNATURE, at_ms=5000),
    ]
    for one in events:
        room.publish("events", one)
    await until(lambda: len(room.receipts()) == len(events))
    return served


@contextlib.asynccontextmanager
async def granted(served: Served, archivist: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A party that has opened its link."""
    made = await archivist.post(f"{PAGE}/grants", json={"role": "代理律师", "name": "赵六"})
    assert made.status_code == 201, made.text
    async with httpx.AsyncClient(base_url=served.url, headers={"X-Wutong": "1"}, timeout=20) as party:
        assert (await party.post("/api/view/session", json={"code": made.json()["code"]})).status_code == 200
        yield party


@contextlib.asynccontextmanager
async def readers(served: Served) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient, httpx.AsyncClient]]:
    """An inspector, the archivist and a party."""
    async with served.inspector() as one, served.inspector("archivist") as two, granted(served, two) as party:
        yield one, two, party


async def test_each_reader_gets_their_own_page_whoever_asked_before(held: Served) -> None:
    async with readers(held) as (inspector, archivist, party):
        for _ in range(2):  # the second time all of it is kept
            whole = await archivist.get(PAGE)
            shown = await inspector.get(PAGE)
            view = await party.get("/api/view")
            assert whole.json()["signing"]["signatures"][0]["strokes"] == STROKES["strokes"]
            assert "strokes" not in shown.text
            assert "strokes" not in view.text
            assert "书记员的标记" in shown.text
            assert "书记员的标记" not in view.text
            assert {"marks", "alarms", "segments"}.isdisjoint(view.json())
            assert [line["text"] for line in view.json()["utterances"]] == ["公开的话", WORD]
            assert set(view.json()["utterances"][0]) == {
                *("id", "seat", "role", "start_ms", "end_ms", "text", "source", "struck", "doubtful")
            }
    assert held.center.folds.folded == 1


async def test_a_part_that_is_sealed_while_the_page_is_kept_is_in_no_page_after_it(held: Served) -> None:
    async with readers(held) as (inspector, archivist, party):
        lesser = ((inspector, PAGE), (party, "/api/view"))
        for reader, path in lesser:
            assert WORD in (await reader.get(path)).text
        parts = (await inspector.put(f"{PAGE}/sealed-parts", json=PART)).json()
        for _ in range(2):
            for reader, path in lesser:
                answer = await reader.get(path)
                assert WORD not in answer.text
                assert PLACEHOLDER in answer.text
            assert WORD in (await archivist.get(PAGE)).text
        await archivist.post(f"{PAGE}/sealed-parts/{parts[0]['id']}/lift", json={"reason": "批"})
        for reader, path in lesser:
            assert WORD in (await reader.get(path)).text
        assert held.center.folds.folded == 1
        # What the room itself seals counts as well, at the very next look.
        withdrawn = {**PART, "level": "withdrawn"}
        await archivist.put(f"{PAGE}/sealed-parts", json=withdrawn)
        for reader, path in (*lesser, (archivist, PAGE)):
            assert WORD not in (await reader.get(path)).text


async def test_a_level_that_is_raised_shuts_the_kept_page(held: Served) -> None:
    async with held.inspector() as inspector, held.inspector("archivist") as archivist:
        for reader in (inspector, archivist):
            assert (await reader.get(PAGE)).status_code == 200
        await inspector.put(f"{PAGE}/access", json={"level": "restricted", "reason": "申请"})
        assert (await inspector.get(PAGE)).json()["code"] == "restricted"
        assert (await archivist.get(PAGE)).status_code == 200
        await archivist.put(f"{PAGE}/access", json={"level": "withdrawn", "reason": "批"})
        for reader in (inspector, archivist):
            refused = await reader.get(PAGE)
            assert (refused.status_code, refused.json()["code"]) == (403, "sealed")
            assert WORD not in refused.text


async def test_a_page_is_compressed_for_who_takes_that_and_says_the_same_to_all(held: Served) -> None:
    async with held.inspector() as http:
        answers: dict[str, httpx.Response] = {}
        for accepted in ("gzip, deflate, br", "identity", "gzip;q=0, *;q=0", "br"):
            async with http.stream("GET", PAGE, headers={"Accept-Encoding": accepted}) as answer:
                raw = b"".join([part async for part in answer.aiter_raw()])
            answers[accepted] = answer
            packed = answer.headers.get("content-encoding") == "gzip"
            assert packed == (accepted == "gzip, deflate, br")
            assert int(answer.headers["content-length"]) == len(raw)
            assert answer.headers["vary"] == "Accept-Encoding"
            assert answer.headers["content-type"] == "application/json"
            said_of_it = json.loads(gzip.decompress(raw) if packed else raw)
            assert [line["text"] for line in said_of_it["utterances"]] == ["公开的话", WORD]
            assert said_of_it["room"] == "court1/c03"
            assert said_of_it["now_ms"] is None
            assert said_of_it["tracks"][0]["id"] == "bench"


def told(*types: Any) -> set[str]:
    """The fields that the screens' contract has."""
    return {name[:-3] + "_ms" if name.endswith("_ns") else name for one in types for name in one.__annotations__}


async def test_a_page_has_the_fields_of_its_contract_and_no_others(held: Served) -> None:
    async with readers(held) as (inspector, archivist, party):
        for reader in (inspector, archivist):
            answer = (await reader.get(PAGE)).json()
            assert set(answer) == told(ShownHearing, RecordedHearing) | {"sealed_parts"}
        assert set((await party.get("/api/view")).json()) == told(GrantedHearing)


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("x-gzip", True),
        ("br", False),
        (",;q=,=", False),
        ("gzip;q=" + "0" * 5000, False),
    ],
)
def test_who_takes_gzip(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes


async def test_readers_who_come_together_have_one_page_made_for_them(
    held: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    make = EncodedPage.of

    def counted(pieces: Iterable[bytes]) -> EncodedPage:
        made.append(1)
        return make(pieces)

    monkeypatch.setattr(EncodedPage, "of", counted)
    async with held.inspector() as one, held.inspector() as two, held.inspector("archivist") as archivist:
        answers = await asyncio.gather(*(reader.get(PAGE) for reader in (one, two, one, two, archivist, one)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(made) == 2, "one for inspectors, one for the archivist"
    assert held.center.folds.folded == 1


async def test_the_draft_of_an_explanation_is_made_of_what_may_be_seen(held: Served, room: RoomPeer) -> None:
    gap = {"track": "bench", "from_ns": 1_000_000_000_000, "to_ns": 1_000_000_000_000 + 10**9, "why": "断电"}
    room.publish("events", event(7, "gap", gap, at_ms=4500))
    await until(lambda: 7 in room.receipts())
    async with held.inspector() as http:
        draft: Any = (await http.get(f"{PAGE}/explanation")).json()
        assert draft["missing"]
        assert (await http.get("/api/hearings/none/explanation")).status_code == 404
        assert (await http.get("/api/hearings/none")).status_code == 404
