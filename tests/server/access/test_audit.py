"""Nobody gets anything of the center, or is refused it, without a row of the audit log that says so."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Collection
from typing import Any

import httpx
import pytest
import pytest_asyncio
import websockets
from sqlalchemy import select
from starlette.routing import BaseRoute
from websockets import Origin

from server.access.audit import Audit
from server.access.viewing_log import PlayedTo, ViewingLog
from server.store import tables as t
from server.store.writer import RecordWriter
from sync.errors import StorageError
from sync.http.rights.people import Session
from sync.http.rights.rules import rule_of
from tests.support.peers.center_peers import ROOM_NS, RoomPeer, Served, metadata, opening, said, until

pytestmark = pytest.mark.both_databases

FILLED = {"hearing": "h1", "track": "bench", "exhibit": "e1", "page": "1", "document": "d1", "grant": "g1"}
FILLED |= {"court": "court1", "room": "c03", "part": "p1", "slug": "court1", "device": "1"}
FILLED |= {"person": "0" * 16, "session": "s1", "factor": "f1", "act": "a1"}
MEDIA = "/api/hearings/h1/media/bench"


async def rows(served: Served, *whats: str) -> list[dict[str, Any]]:
    """All rows that are on disk, with what is still in memory written first."""
    served.center.audit._say_counts(now=True)
    await served.center.audit._write([])
    await served.center.database.write(lambda connection: None)  # behind what is being written just now
    query = select(t.audit).order_by(t.audit.c.row)
    found = await served.center.database.read(lambda connection: list(connection.execute(query)))
    return [dict(row._mapping) for row in found if not whats or row.what in whats]


def detail(row: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(row["detail"])) if row["detail"].startswith("{") else {}


@contextlib.asynccontextmanager
async def live(served: Served, http: httpx.AsyncClient) -> AsyncIterator[websockets.ClientConnection]:
    cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    address = served.url.replace("http", "ws") + "/api/live"
    async with websockets.connect(address, origin=Origin(served.url), additional_headers={"Cookie": cookie}) as ws:
        yield ws


@pytest_asyncio.fixture
async def held(served: Served, room: RoomPeer, footage: bytes) -> Served:
    """A center that holds a hearing with a segment that grows."""
    room.publish("events", opening(1))
    room.publish("events", said(2, "现在开庭。"))
    await until(lambda: {1, 2} <= room.receipts())
    async with served.uploader() as (tus, _):
        upload = await tus.create(metadata(0))
        await tus.append(upload, 0, footage)
    return served


def routes(served: Served) -> list[tuple[str, BaseRoute, frozenset[str]]]:
    """(method, route, roles) of all that is for people who are signed in."""
    found = []
    for route in served.center.app.router.routes:
        rule = rule_of(getattr(route, "endpoint", None))
        if rule is not None and rule.roles:
            found += [(m, route, rule.roles) for m in sorted(getattr(route, "methods", None) or []) if m != "HEAD"]
    return found


async def test_every_route_leaves_a_row_with_a_right_and_without_one(held: Served) -> None:
    checked = 0
    async with held.inspector() as inspector, held.inspector("archivist") as archivist:
        for method, route, roles in routes(held):
            path: str = route.path  # type: ignore[attr-defined]
            for who, role in ((inspector, "inspector"), (archivist, "archivist")):
                answer = await who.request(method, path.format(**FILLED), params={"from_ms": 0, "to_ms": 1, "q": "庭"})
                lines = [r for r in await rows(held) if detail(r).get("route") == f"{method} {path}"]
                mine = [r for r in lines if r["role"] == role]
                assert mine, (method, path, role, answer.status_code)
                assert detail(mine[0])["status"] == answer.status_code
                assert mine[0]["granted"] == (answer.status_code < 400)
                assert (mine[0]["what"] == "refused") == (answer.status_code in (401, 403)), (path, answer.status_code)
                if "{hearing}" in path:
                    assert detail(mine[0])["hearing"] == "h1"
                if role not in roles:
                    assert (answer.status_code, detail(mine[0])["code"]) == (403, "forbidden")
                checked += 1
    assert checked >= 30


async def test_media_of_an_inspector_is_on_disk_before_it_leaves_and_has_an_end(held: Served) -> None:
    async with held.inspector() as http:
        [track] = (await http.get("/api/hearings/h1")).json()["tracks"]
        [[from_ms, to_ms]] = track["ranges"]
        for at in (from_ms, from_ms + 1000, from_ms + 2000):
            answer = await http.get(MEDIA, params={"from_ms": at, "to_ms": at + 1000})
            assert answer.status_code == 200
            query = select(t.audit).where(t.audit.c.what == "play")
            there = await held.center.database.read(lambda connection, q=query: list(connection.execute(q)))
            assert len(there) == 1, "a row that is on disk, and one for the whole stretch"
    await held.center.viewed.poll(all_of_them=True)
    [end] = await rows(held, "played")
    assert (end["role"], detail(end)["hearing"], detail(end)["tracks"]) == ("inspector", "h1", ["bench"])
    assert 2.5 < detail(end)["to_s"] - detail(end)["from_s"] < to_ms - from_ms


async def test_who_could_not_be_noted_is_shown_nothing(held: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(self: RecordWriter, more: Any) -> None:
        raise StorageError("the disk is full")

    async with held.inspector() as http:
        await rows(held)
        with monkeypatch.context() as broken:
            broken.setattr(RecordWriter, "audit", full)
            answer = await http.get("/api/hearings/h1")
            assert (answer.status_code, answer.json()["code"]) == (507, "storage")
            assert "现在开庭" not in answer.text
            assert (await http.get("/api/rooms")).status_code == 200, "the wall is no hearing, and stays on"
        assert (await http.get("/api/hearings/h1")).status_code == 200
    viewed = [detail(row).get("route") for row in await rows(held, "view")]
    assert viewed.count("GET /api/hearings/{hearing}") == 1
    assert "GET /api/rooms" in viewed, "what could not be written waits"


async def test_four_looks_at_a_sealed_hearing_are_on_the_log_as_refusals(held: Served) -> None:
    async with held.inspector("archivist") as archivist, held.inspector() as http:
        await archivist.put("/api/hearings/h1/access", json={"level": "withdrawn", "reason": "国家秘密"})
        paths = ["", "/explanation", "/exhibits/e1", "/media/bench?from_ms=0&to_ms=1"]
        for path in paths:
            assert (await http.get(f"/api/hearings/h1{path}")).status_code == 403
    found = [detail(row) for row in await rows(held, "refused") if row["role"] == "inspector"]
    assert len(found) == 4
    assert {(said["hearing"], said["code"], said["status"]) for said in found} == {("h1", "sealed", 403)}


async def test_another_rooms_upload_and_a_grants_end_are_on_the_log(held: Served) -> None:
    async with held.uploader() as (tus, _):
        upload = await tus.create(metadata(3))
        async with held.uploader("court1/c04") as (_, other):
            claim = {"upload": upload, "sha256": "0" * 64, "bytes": 1, "room": "court1/c03", "hearing": "h1"}
            answer = await other.post("/api/objects", json={**claim, "kind": "segment", "track": "bench", "index": 0})
            assert answer.status_code == 403
    refused = [row for row in await rows(held, "refused") if row["role"] == "device"]
    assert any(row["detail"].endswith("POST /api/objects") for row in refused), await rows(held)


async def test_a_websocket_that_is_refused_is_on_the_log(held: Served) -> None:
    address = held.url.replace("http", "ws") + "/api/live"
    async with held.inspector() as http:
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        for origin, headers in (
            (held.url, {}),
            ("http://evil.example", {"Cookie": cookie}),
            (None, {"Cookie": cookie}),
        ):
            with pytest.raises(websockets.InvalidStatus):
                async with websockets.connect(address, origin=origin, additional_headers=headers):  # type: ignore[arg-type]
                    pass
    found = [row["detail"] for row in await rows(held, "refused")]
    assert found[0] == "signed-out WS /api/live"
    assert "origin" in " ".join(found[1:])


async def test_who_watched_which_hearing_live_has_a_beginning_and_an_end(held: Served, room: RoomPeer) -> None:
    room.publish("status", status("h1"))
    await until(lambda: held.center.rooms.states["court1/c03"].live_id == "h1")
    async with held.inspector() as http:
        async with live(held, http) as one, live(held, http) as two:
            for ws in (one, two, one):
                await ws.send(json.dumps({"watch": ["court1/c03/bench"], "rooms": ["court1/c03"]}))
            [begun] = await held.audited("watch")
            said = detail(begun)
            assert (said["room"], said["hearing"], begun["role"]) == ("court1/c03", "h1", "inspector")
            assert await rows(held, "watched") == []
        await until(lambda: not held.center.live.gateway.tabs)
    held.center.watching.poll(all_of_them=True)
    [over] = await rows(held, "watched")
    assert (detail(over)["hearing"], detail(over)["session"]) == ("h1", said["session"])
    assert len(await rows(held, "watch")) == 1, "two tabs of one session are one"
    lasted = [detail(row) for row in await rows(held, "viewed") if detail(row).get("route") == "WS /api/live"]
    assert [said["times"] for said in lasted] == [2]


async def test_a_hearing_that_begins_in_a_room_that_is_watched_is_a_line(held: Served, room: RoomPeer) -> None:
    room.publish("status", status(None))
    await until(lambda: held.center.rooms.states["court1/c03"].heard)
    async with held.inspector() as http, live(held, http) as ws:
        await ws.send(json.dumps({"watch": ["court1/c03/bench"]}))
        [first] = await held.audited("watch")
        assert detail(first)["hearing"] is None
        room.publish("status", status("h1"))
        await until(lambda: held.center.rooms.states["court1/c03"].live_id == "h1")
        assert [detail(row)["hearing"] for row in await rows(held, "watch")] == [None, "h1"]


def status(hearing: str | None) -> dict[str, Any]:
    value: dict[str, Any] = {"online": True, "room_ns": ROOM_NS, "utc_ns": 1, "state": "idle", "tracks": []}
    value |= {"court_name": "尖山区人民法院", "room_name": "第三法庭", "seats": [], "hearing": None}
    if hearing is not None:
        case = {"case_no": "(2026)黑05民初123号", "public": True}
        value |= {"state": "open", "hearing": {"id": hearing, "case": case, "opened_ns": ROOM_NS}}
    return value


async def test_what_two_programs_ask_for_stays_a_few_rows(held: Served) -> None:
    async with held.inspector() as http:
        for n in range(150):
            await http.get("/api/rooms")
            await http.get(f"/api/hearings/none-{n}")
            await http.get(f"/api/hearings/h1/exhibits/e1/pages/{n + 1}")
    found = await rows(held)
    assert len(found) < 40
    assert sum(detail(row).get("more", 0) for row in found) >= 100, "and each of the others is counted"


async def test_nothing_that_a_get_answers_changes_the_record(held: Served) -> None:
    def tables(connection: Any) -> list[tuple[Any, ...]]:
        kept = [table for table in t.metadata.sorted_tables if not table.name.startswith("audit")]
        return [(table.name, *row) for table in kept for row in connection.execute(select(table))]

    before = await held.center.database.read(tables)
    async with held.inspector() as inspector, held.inspector("archivist") as archivist:
        for method, route, _ in routes(held):
            if method == "GET":
                for who in (inspector, archivist):
                    path: str = route.path  # type: ignore[attr-defined]
                    await who.get(path.format(**FILLED), params={"from_ms": 0, "to_ms": 1, "q": "庭"})
    assert await held.center.database.read(tables) == before


async def test_no_secret_and_no_word_of_a_hearing_is_in_the_log_or_in_the_audit(
    held: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = [held.code(), held.code("archivist")]
    async with held.inspector() as http:
        secrets += list(http.cookies.values())
        await http.get("/api/search", params={"q": "现在开庭"})
        await http.get("/api/hearings/h1")
        forged = "h1%0a%7b%22what%22:%22sign-in%22%7d"
        await http.get(f"/api/hearings/{forged}")
        await http.get("/api/hearings/h1\u2028x")
    async with httpx.AsyncClient(base_url=held.url, headers={"X-Wutong": "1"}) as stranger:
        await stranger.post("/api/session", json={"code": "GUES-SED1-23"})
        await stranger.get("/api/rooms", headers={"Cookie": "wutong_center=stolen-token-0123456789"})
    kept = json.dumps(await rows(held), ensure_ascii=False)
    told = "".join(capsys.readouterr()) + kept
    for secret in [*secrets, "GUES-SED1-23", "stolen-token", "现在开庭"]:
        assert secret not in told
    assert not [row for row in await rows(held) if re.search(r"[\n\r\u2028]", row["detail"])]


async def test_a_viewer_who_jumps_about_in_many_hearings_takes_bounded_memory(
    held: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.access.viewing_log.MAX_OPEN", 3)
    log = ViewingLog(RecordWriter(held.center.database))
    session = Session("archivist", "档案管理员", 0.0, 0.0)
    for n in range(6):
        await log.played(PlayedTo(session, f"h{n}"), "10.0.0.9", "bench", 0, 0, 10**9)
    await log.poll(all_of_them=True)
    assert len(await rows(held, "play")) == len(await rows(held, "played")) == 6


async def test_lines_that_could_not_be_written_are_written_when_they_can(held: Served) -> None:
    class Failing(RecordWriter):
        fails = True

        async def audit(self, more: Any, *, of_rooms: Collection[str] = ()) -> None:
            if self.fails:
                raise StorageError("the disk is full")
            await super().audit(more)

    record = Failing(held.center.database)
    audit = Audit(record)
    audit.note("sign-in", "inspector", "10.0.0.9", "")
    running = asyncio.create_task(audit.run())
    with pytest.raises(StorageError):
        await audit._write([])
    record.fails = False
    [row] = await held.audited("sign-in")
    assert row["address"] == "10.0.0.9"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
