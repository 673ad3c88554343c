"""14. Parties and counsel can view it through a protected access; every view is on the audit log (art. 10).

With it, of the security list: 12 (tokens ≥ 128 bits, renewed), 13 (time-outs), 14 (rate-limited), 15 (every route
denied unless declared), 16 (no other hearing by guessing its id), 19 (views on the audit log).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest_asyncio

from server.access.grants import PARTY, Grants
from server.access.shared_rights import SharedRights
from sync.http.rights.rules import rule_of
from tests.support.files.evidence_files import photo
from tests.support.peers.center_peers import (
    ROOM_NS,
    RoomPeer,
    Served,
    event,
    fragmented_mp4,
    metadata,
    opening,
    said,
    until,
)
from tests.support.peers.device_signatures import signed_claim

EXHIBITS = "/api/view/exhibits/{exhibit}"
EXHIBIT = b"\x89PNG\r\n\x1a\n" + b"0" * 64
PAGES = [photo("JPEG", (9, 9)), photo("JPEG", (10, 9))]
TRACKS = [
    {"id": "bench", "kind": "video", "name": "审判席"},
    {"id": "mics", "kind": "audio", "name": "话筒"},
    {"id": "mix", "kind": "audio", "name": "混音"},
]
COUNSEL = {"role": "原告代理人", "name": "赵律师", "hours": 24}
OPEN_MS = ROOM_NS / 1e6


def exhibit(number: int, name: str, sha256: str) -> dict[str, Any]:
    body = {"id": name, "number": 1, "title": "借条", "filename": "借条.png", "media_type": "image/png"}
    return event(number, "exhibit", {**body, "sha256": sha256, "bytes": len(EXHIBIT), "pages": 2, "sm3": ""})


@pytest_asyncio.fixture
async def held(archive: Served, sender: RoomPeer, tmp_path: Any) -> Served:
    """Two hearings that are over, h1 with a camera, words, an exhibit that was shown and one that was not."""
    digest = hashlib.sha256(EXHIBIT).hexdigest()
    first = opening(1)
    first["body"]["tracks"] = TRACKS
    view = {"exhibit": "e1", "page": 1, "zoom": 1, "x": 0.5, "y": 0.5}
    revised = {"line": "u2", "base": 2, "set": {"text": "现在开庭。"}}
    pictures = [
        {"page": page, "scale": 1, "width": 9, "height": 9, "bytes": len(data)}
        | {"sha256": hashlib.sha256(data).hexdigest()}
        for page, data in enumerate(PAGES, start=1)
    ]
    story = [
        first,
        said(2, "线在开庭", at_ms=100),
        said(3, "我承认", role="被告", at_ms=900),
        exhibit(4, "e1", digest),
        exhibit(5, "e2", digest),
        event(6, "present", view, at_ms=500),
        event(7, "mark", {"id": "m1", "kind": "重点", "text": "书记员的备注"}, at_ms=600),
        event(8, "revision", {"id": "r8", "act": "edit", "by": "clerk", "tab": "t", "name": "", "changes": [revised]}),
        event(9, "signature", {"id": "s9", "transcript": "a" * 64, "role": "原告", "name": "张三", "act": "sign",
                               "size": [1, 1], "strokes": [[[0, 0, 0, 1]]]}),
        event(10, "close", {}, at_ms=4000),
        opening(11, hearing="h2"),
        said(12, "另案的秘密", hearing="h2"),
        event(13, "close", {}, hearing="h2"),
        event(14, "drawn", {"exhibit": "e1", "of": digest, "pictures": pictures}),
    ]  # fmt: skip
    for one in story:
        sender.publish("events", one)
    await until(lambda: set(range(1, 15)) <= sender.receipts())
    footage = fragmented_mp4(tmp_path / "footage.mp4")
    async with archive.uploader() as (tus, http):
        of_page = {**metadata(0), "kind": "page"}
        sent = [(metadata(0), footage), ({**metadata(0), "kind": "exhibit"}, EXHIBIT), *((of_page, p) for p in PAGES)]
        for meta, data in sent:
            upload = await tus.create(meta)
            await tus.append(upload, 0, data)
            claim = {"upload": upload, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            what = {"room": "court1/c03", "hearing": "h1", "kind": meta["kind"], "track": meta["track"], "index": 0}
            answer = await http.post("/api/objects", json=signed_claim({**claim, **what}))
            assert answer.status_code in (200, 201), answer.text
    return archive


async def granted(served: Served, archivist: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await archivist.post("/api/hearings/h1/grants", json={**COUNSEL, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@contextlib.asynccontextmanager
async def visitor(served: Served, code: str = "") -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.url, headers={"X-Wutong": "1"}, timeout=20) as http:
        if code:
            answer = await http.post("/api/view/session", json={"code": code})
            assert answer.status_code == 200, answer.text
        yield http


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json().get("code"))


async def test_counsel_reads_hears_and_sees_the_one_hearing_and_every_view_is_audited(held: Served) -> None:
    async with held.inspector("archivist") as archivist:
        grant = await granted(held, archivist)
        assert len(grant["code"]) * 6 >= 128, "bits of the link"
        async with visitor(held, grant["code"]) as counsel:
            view = (await counsel.get("/api/view")).json()
            assert [line["text"] for line in view["utterances"]] == ["现在开庭。", "我承认"]
            assert [track["id"] for track in view["tracks"]] == ["bench", "mix"]
            assert [e["id"] for e in view["exhibits"]] == ["e1"]
            assert view["granted"]["name"] == "赵律师"
            words = json.dumps(view, ensure_ascii=False)
            for private in ("书记员的备注", "strokes", "versions", "线在开庭", "另案", "mics"):
                assert private not in words, private
            [[from_ms, to_ms]] = view["tracks"][0]["ranges"]
            for at in (from_ms, from_ms + 1000, from_ms + 2000):
                played = await counsel.get("/api/view/media/bench", params={"from_ms": at, "to_ms": at + 1000})
                assert played.status_code == 200, played.text
                assert played.headers["Cache-Control"] == "no-store"
            for name in ("e1", "e2"):
                file = await counsel.get(f"/api/view/exhibits/{name}")
                assert file.status_code == 404, "a file has pages that were never shown"
            assert (await counsel.get("/api/view/exhibits/e1/pages/1")).content == PAGES[0]
            assert code_of(await counsel.get("/api/view/exhibits/e1/pages/2")) == (404, "not-found")
            assert code_of(await counsel.get("/api/view/exhibits/e2/pages/1")) == (404, "not-found")
            listen = {"from_ms": from_ms, "to_ms": to_ms}
            assert code_of(await counsel.get("/api/view/media/mics", params=listen)) == (404, "not-found")
        await held.center.viewed.poll(all_of_them=True)
        [used] = (await archivist.get("/api/hearings/h1/grants")).json()
        assert (used["state"], used["name"]) == ("open", "赵律师")
        assert "code" not in used
    lines = {what: [json.loads(r["detail"]) for r in await held.audited(what)] for what in _AUDITED}
    assert all(said[0]["grant"] == grant["id"] for what, said in lines.items() if what != "view"), lines
    assert len(lines["play"]) == 1, "three pieces of one stretch are one line"
    [stretch] = lines["played"]
    assert stretch["to_s"] - stretch["from_s"] >= 2.5
    viewed = [json.loads(r["detail"]) for r in await held.audited("view") if r["role"] == PARTY]
    assert [said["route"].removeprefix("GET /api/view") for said in viewed] == ["", "/media/{track}", PAGE]
    assert {(said["hearing"], said["name"]) for said in viewed} == {("h1", "原告代理人 赵律师")}


PAGE = "/exhibits/{exhibit}/pages/{page}"
_AUDITED = ("grant", "grant-opened", "play", "played")


async def test_a_link_opens_once_and_guessing_it_is_slowed_down_and_audited(held: Served) -> None:
    async with held.inspector("archivist") as archivist:
        grant = await granted(held, archivist)
    async with visitor(held, grant["code"]), visitor(held) as second:
        again = await second.post("/api/view/session", json={"code": grant["code"]})
        assert code_of(again) == (401, "code")
        answers = [code_of(await second.post("/api/view/session", json={"code": f"guess-{n:08}"})) for n in range(8)]
        assert answers[0] == (401, "code")
        assert answers[-1] == (429, "throttled")
        assert (await second.get("/api/view")).status_code == 401
    refused = [row["detail"] for row in await held.audited("refused")]
    assert any("/api/view/session" in detail for detail in refused)
    assert grant["code"].encode() not in b"".join(p.read_bytes() for p in held.data.glob("*.db*"))


async def test_revoking_expiry_and_a_raised_level_end_it_at_once(held: Served) -> None:
    async with held.inspector("archivist") as archivist:
        first, second, third = [await granted(held, archivist) for _ in range(3)]
        async with visitor(held, first["code"]) as one, visitor(held, second["code"]) as two:
            assert (await archivist.delete(f"/api/grants/{first['id']}")).json()["state"] == "revoked"
            assert code_of(await one.get("/api/view")) == (401, "signed-out")
            assert (await two.get("/api/view")).status_code == 200
            grants: Grants = held.center.grants
            known = grants._known[second["id"]]
            grants._known[second["id"]] = replace(known, until_utc_ns=1)
            assert code_of(await two.get("/api/view")) == (403, "expired")
            grants._known[second["id"]] = known
            for level in ("restricted", "sealed"):
                body = {"level": level, "reason": "涉及隐私"}
                assert (await archivist.put("/api/hearings/h1/access", json=body)).status_code == 200
                for path in ("/api/view", "/api/view/exhibits/e1/pages/1", "/api/view/media/bench?from_ms=0&to_ms=1"):
                    assert code_of(await two.get(path)) == (403, level), path
                refused = await archivist.post("/api/hearings/h1/grants", json=COUNSEL)
                assert code_of(refused) == (403, level)
            async with visitor(held) as late:
                assert code_of(await late.post("/api/view/session", json={"code": third["code"]})) == (401, "code")


async def test_a_party_reaches_nothing_else_on_any_route(held: Served) -> None:
    """Every route of the center, with the ids of what the party knows of and of what they may guess."""
    async with held.inspector("archivist") as archivist:
        grant = await granted(held, archivist)
    own = {"/api/view", "/api/view/media/{track}", f"{EXHIBITS}/pages/{{page}}"}
    walked = 0
    async with visitor(held, grant["code"]) as party:
        for route in held.center.app.router.routes:
            rule, path = rule_of(getattr(route, "endpoint", None)), route.path
            assert rule is not None
            if rule.public or path in own:
                continue
            for hearing in ("h1", "h2"):
                names = {"hearing": hearing, "track": "bench", "exhibit": "e1", "grant": grant["id"], "uuid": "0" * 32}
                names |= {
                    "court": "court1",
                    "room": "c03",
                    "test": "x",
                    "sha256": "0" * 64,
                    "document": "d",
                    "part": "center:1",
                    "page": "1",
                    "person": "0" * 16,
                    "session": "0" * 8,
                    "one": "1",
                }
                names = dict.fromkeys(re.findall(r"{(\w+)}", path), "x") | names
                for method in sorted(getattr(route, "methods", None) or {"GET"}):
                    query = "?q=秘密&from_ms=0&to_ms=1"
                    answer = await party.request(method, path.format(**names) + query, json={})
                    assert answer.status_code in (401, 403, 404), (method, path, answer.status_code)
                    assert "秘密" not in answer.text
                    walked += 1
        for path in ("/api/view?hearing=h2", "/api/view/h2"):
            assert "另案" not in (await party.get(path)).text
        for method, path in (("POST", "/api/hearings/h1/grants"), ("DELETE", f"/api/grants/{grant['id']}")):
            assert code_of(await party.request(method, path, json=COUNSEL)) == (403, "forbidden")
        access = await party.put("/api/hearings/h1/access", json={"level": "open", "reason": "x"})
        assert code_of(access) == (403, "forbidden")
    assert walked > 10
    async with held.inspector() as inspector:
        assert code_of(await inspector.get("/api/view")) == (403, "forbidden")
        assert code_of(await inspector.post("/api/hearings/h1/grants", json=COUNSEL)) == (403, "forbidden")


async def test_a_hearing_that_goes_on_is_not_granted_and_a_grant_survives_a_restart(
    held: Served, sender: RoomPeer
) -> None:
    sender.publish("events", opening(20, hearing="h3"))
    await until(lambda: 20 in sender.receipts())
    async with held.inspector("archivist") as archivist:
        for body in ({}, {**COUNSEL, "hours": 0}, {**COUNSEL, "hours": 1e9}, {**COUNSEL, "name": " "}):
            nobody = await archivist.post("/api/hearings/h1/grants", json=body)
            assert nobody.status_code == 422, "a grant names somebody, and an end"
        answer = await archivist.post("/api/hearings/h3/grants", json=COUNSEL)
        assert code_of(answer) == (409, "open")
        assert code_of(await archivist.post("/api/hearings/h9/grants", json=COUNSEL)) == (404, "not-found")
        grant = await granted(held, archivist)
    async with visitor(held, grant["code"]) as counsel:
        rights = SharedRights(held.center.database)
        grants = Grants(held.center.database, held.center.classifications, rights)
        await rights.start()
        held.center.grants._known = grants._known
        assert (await counsel.get("/api/view")).status_code == 200
