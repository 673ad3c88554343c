"""Somebody of one court never learns of another's rooms and hearings, by whatever route; who sits sees theirs alone."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import websockets
from fastapi import Request, Response
from sqlalchemy import select

from server.config import load_config
from server.events.admission import read_event
from server.people.acting import CENTER
from server.people.court_tree import Court
from server.people.person import Person, Post
from server.running import running
from server.service import build
from server.store import tables as t
from server.store.archive.filters import HearingFilter, WordFilter
from server.store.database import open_database
from server.store.reader import RecordReader
from server.store.rights.sight import Sight
from server.store.writer import RecordWriter
from sync.errors import AccessError
from sync.http.rights.people import Session
from sync.http.rights.roles import ROLES
from sync.http.rights.rules import rule_of
from tests.support.files.migrated import new_store
from tests.support.peers.center_peers import CODES_OPEN, Served, config_text, event, opening, said
from tests.support.peers.people_store import acting, person_at

THEIRS = {"hearing": "h-far", "court": "court2", "room": "b01", "slug": "court2"}
UNKNOWN = {"hearing": "h-none", "court": "nowhere", "room": "b99", "slug": "nowhere"}
MORE = {"track": "bench", "exhibit": "e1", "page": "1", "document": "d", "part": "center:1", "sha256": "0" * 64}
SECRETS = ("court2", "b01", "h-far", "远院", "外院案")


def story(hearing: str, room: str, number: int, **parties: str) -> list[Any]:
    """A hearing of one line, by who sits in it."""
    first = opening(number, hearing=hearing)
    case = first["body"]["case"]
    case["parties"] = {"原告": "张三", **parties}
    if room.startswith("court2"):
        case["case_no"], first["body"]["court_name"] = "(2026)外院案1号", "远院"
    events = [
        first,
        said(number + 1, f"借条的话 {hearing}", hearing=hearing),
        event(number + 2, "close", {}, hearing=hearing),
    ]
    return [read_event(room, json.dumps(one).encode()) for one in events]


@contextlib.asynccontextmanager
async def center_of_two_courts(folder: Path, database: str = "", codes: str = CODES_OPEN) -> AsyncIterator[Served]:
    """No broker is there: what is asked is what is stored."""
    text = config_text(folder / "center", 1, database=database).replace(CODES_OPEN, codes)
    file = folder / "center.toml"
    file.write_text(text + '[[rooms]]\ncourt = "court2"\nroom = "b01"\ncourt_name = "远院"\nroom_name = "b01"\n')
    config = load_config(file)
    if not database:
        new_store(config.storage.data / "center.db")
    center = build(config)
    async with running(center, "127.0.0.1", 0) as port:
        yield Served(f"http://127.0.0.1:{port}", 1, folder / "center", center)


@pytest_asyncio.fixture
async def courts(tmp_path: Path, store_url: str) -> AsyncIterator[Served]:
    async with center_of_two_courts(tmp_path, store_url) as served:
        for batch in (
            story("h-near", "court1/c03", 1, 审判长="赵敏", 书记员="周静"),
            story("h-next", "court1/c04", 1, 审判长="钱进"),
            story("h-far", "court2/b01", 1, 审判长="赵敏"),
        ):
            await served.center.record.store_events(batch)
            served.center.classifications.stored(batch)
            served.center.persons.reaches.stored(batch)
        yield served


async def listed(http: httpx.AsyncClient) -> set[str]:
    """The hearings of both lists, and of the words that are found."""
    old = (await http.get("/api/hearings")).json()
    new = (await http.get("/api/archive/hearings")).json()
    assert new["count"] == len(new["hearings"])
    words = (await http.get("/api/archive/words", params={"q": "借条"})).json()["hits"]
    found = (await http.get("/api/search", params={"q": "借条"})).json()
    names = [{one["id"] for one in old}, {one["id"] for one in new["hearings"]}]
    names += [{one["hearing"] for one in hits} for hits in (words, found)]
    assert all(one == names[0] for one in names), names
    return names[0]


@pytest.mark.both_databases
async def test_every_route_answers_of_another_court_as_of_what_is_not_there(courts: Served) -> None:
    far = await person_at(courts, "远人", "inspector@court2")
    grants = "/api/hearings/h-far/grants"
    async with acting(courts, await person_at(courts, "远档", "archivist@court2"), "archivist@court2") as http:
        grant = (await http.post(grants, json={"role": "原告", "name": "李四", "hours": 1})).json()["id"]
    walked = 0
    for role in ROLES:
        person = await person_at(courts, f"近人{role}", f"{role}@court1")
        async with acting(courts, person, f"{role}@court1") as http:
            for route in courts.center.app.router.routes:
                rule = rule_of(getattr(route, "endpoint", None))
                if rule is None or role not in rule.roles:
                    continue
                for method in sorted(getattr(route, "methods", None) or ()):
                    walked += await asked(http, method, route.path, {"id": far.id, "person": far.id, "grant": grant})
            answer = await http.get("/api/rooms")
            assert not any(secret in answer.text for secret in SECRETS)
    assert walked > 6 * 10
    async with acting(courts, far, "inspector@court2") as http:
        assert await listed(http) == {"h-far"}


async def asked(http: httpx.AsyncClient, method: str, path: str, ids: dict[str, str]) -> int:
    """One route, of the other court and of none."""
    params: dict[str, Any] = {"q": "借条", "from_ms": 0, "to_ms": 1}
    answers = []
    for names in ({**MORE, **THEIRS, **ids}, {**MORE, **UNKNOWN, **dict.fromkeys(ids, "none")}):
        parts = {name: names.get(name, "none") for name in path_names(path)}
        answers.append(await http.request(method, path.format(**parts), params=params))
    theirs, unknown = answers
    assert theirs.status_code < 500, (method, path, theirs.text)
    named = set(path_names(path)) & {*THEIRS, *ids}
    assert not any(secret in theirs.text for secret in SECRETS), (method, path, theirs.text)
    if named:
        assert (theirs.status_code, theirs.text) == (unknown.status_code, unknown.text), (method, path)
        assert theirs.status_code >= 400, (method, path, theirs.text)
    return 1


def path_names(path: str) -> list[str]:
    """The names in a route's path."""
    return [part.partition("}")[0].partition(":")[0] for part in path.split("{")[1:]]


@pytest.mark.both_databases
async def test_who_sits_sees_the_hearings_that_name_them_in_their_own_court_and_no_others(courts: Served) -> None:
    judge = await person_at(courts, "赵　敏", "presiding@court1", "judge@court1")
    async with acting(courts, judge, "presiding@court1") as http:
        assert await listed(http) == {"h-near"}
        assert (await http.get("/api/hearings/h-near")).status_code == 200
        for other in ("h-next", "h-far", "h-none"):
            assert (await http.get(f"/api/hearings/{other}")).status_code == 404
        async with courts.inspector("archivist") as archivist:
            body = {"level": "restricted", "reason": "隐私"}
            assert (await archivist.put("/api/hearings/h-near/access", json=body)).status_code == 200
        assert (await http.get("/api/hearings/h-near")).status_code == 200
        assert (await http.put("/api/hearings/h-near/access", json=body)).status_code == 403
        assert (await http.get("/api/rooms")).json() == [], "no hearing of theirs runs in a room now"
        namesake = await person_at(courts, "赵敏", "clerk@court1")
        assert await listed(http) == set()
        assert (await http.get("/api/hearings/h-near")).status_code == 404
        await courts.center.persons.store.leave(namesake.id, CENTER)
        assert await listed(http) == {"h-near"}


async def test_a_court_above_sees_those_below_until_the_tree_is_another(courts: Served) -> None:
    store = courts.center.persons.courts
    await store.add(Court("city", "市院", "city", None), CENTER)
    for slug in ("court1", "court2"):
        await store.change(slug, CENTER, name=None, level=None, parent="city")
    leader = await person_at(courts, "院长", "leader@city")
    async with acting(courts, leader, "leader@city") as http:
        assert await listed(http) == {"h-near", "h-next", "h-far"}
        assert len((await http.get("/api/rooms")).json()) == 3
        raised = await http.put("/api/hearings/h-near/access", json={"level": "restricted", "reason": "x"})
        assert raised.status_code == 403, "a leader changes nothing"
        await store.add(Court("county", "县", "district", "court1"), CENTER)
        await store.change("court2", CENTER, name=None, level=None, parent="county")
        assert "h-far" in await listed(http)


async def test_what_is_open_is_cut_when_a_post_is_taken_and_the_session_is_over(courts: Served) -> None:
    person = await person_at(courts, "甲", "inspector@court1", "leader@court1")
    async with acting(courts, person, "inspector@court1") as http:
        cookie = http.headers["Cookie"]
        live = f"{courts.url.replace('http', 'ws')}/api/live?told=changes"
        async with websockets.connect(live, origin=courts.url, additional_headers={"Cookie": cookie}) as ws:  # type: ignore[arg-type]
            rooms = json.loads(await ws.recv())
            assert {one["address"] for one in rooms["rooms"]} == {"court1/c03", "court1/c04"}
            await courts.center.persons.store.change(person.id, CENTER, posts=(Post("leader", "court1"),))
            with contextlib.suppress(websockets.ConnectionClosed):
                while await ws.recv():
                    pass
            assert ws.close_code == 4401
        assert (await http.get("/api/rooms")).status_code == 401
    async with acting(courts, person, "leader@court1") as http:
        assert (await http.get("/api/rooms")).status_code == 200
        await courts.center.persons.store.lock(person.id, CENTER)
        assert (await http.get("/api/rooms")).status_code == 401
        await courts.center.persons.store.unlock(person.id, CENTER)
        assert (await http.get("/api/rooms")).status_code == 401, "who was locked signs in again"


async def test_shared_codes_are_closed_unless_the_configuration_leaves_them_open(tmp_path: Path) -> None:
    async with center_of_two_courts(tmp_path, codes="") as served:
        codes = json.loads((served.data / "codes.json").read_text())
        assert set(codes) == {"administrator"}
        async with httpx.AsyncClient(base_url=served.url, headers={"X-Wutong": "1"}) as http:
            answer = await http.post("/api/session", json={"code": codes["administrator"]})
            assert (answer.status_code, answer.json()["code"]) == (403, "codes-closed")
        person: Person = await person_at(served, "甲", "inspector@court1")
        async with acting(served, person, "inspector@court1") as http:
            assert (await http.get("/api/session")).json()["person"] == person.id


async def test_the_query_itself_takes_only_what_is_reached(database_url: str) -> None:
    database = open_database(database_url)
    try:
        record, reader = RecordWriter(database), RecordReader(database)
        for number in range(12):
            room = f"court{number % 3}/c{number}"
            await record.store_events(story(f"h{number}", room, 1, 审判长="赵敏" if number % 2 else "钱进"))

        async def taken(**more: Any) -> tuple[list[str], list[str]]:
            sight = Sight(frozenset({"open"}), **more)
            rows = await reader.hearings(HearingFilter(), sight)
            hits = await reader.search("借条的", WordFilter(), sight)
            return sorted(row["id"] for row in rows), sorted(hit["hearing"] for hit in hits.rows)

        one = sorted(f"h{n}" for n in range(12) if n % 3 == 1)
        assert await taken(courts=frozenset({"court1"})) == (one, one)
        two = sorted(f"h{n}" for n in range(12) if n % 3 != 1)
        assert await taken(courts=frozenset({"court0", "court2"})) == (two, two)
        sat = sorted(f"h{n}" for n in range(12) if n % 3 == 1 and n % 2)
        assert await taken(courts=frozenset({"court1"}), sits="赵敏") == (sat, sat)
        beyond: tuple[dict[str, Any], ...]
        beyond = ({"courts": frozenset()}, {"sits": ""}, {"courts": frozenset({"court1"}), "sits": ""})
        for nothing in beyond:
            assert await taken(**nothing) == ([], [])
    finally:
        database.close()


async def test_a_post_that_was_lost_meanwhile_opens_no_session(courts: Served) -> None:
    person = await person_at(courts, "甲", "inspector@court1")
    await courts.center.persons.store.change(person.id, CENTER, posts=(Post("leader", "court1"),))
    assert not courts.center.persons.known.stands(Session("inspector", "", 0, 0, person=person.id, court="court1"))
    request = Request({"type": "http", "headers": [], "client": ("127.0.0.1", 1)})
    with pytest.raises(AccessError):
        await courts.center.persons.sessions.open(request, Response(), person.id, Post("inspector", "court1"))


@pytest.mark.both_databases
async def test_every_line_of_what_a_person_does_names_them(courts: Served) -> None:
    person = await person_at(courts, "领导", "leader@court1", "inspector@court1")
    async with acting(courts, person, "leader@court1") as http:
        for path in ("/api/hearings/h-near", "/api/hearings/h-far", "/api/archive/hearings", "/api/admin/audit"):
            await http.get(path)
        live = f"{courts.url.replace('http', 'ws')}/api/live?told=changes"
        cookie = {"Cookie": http.headers["Cookie"]}
        async with websockets.connect(live, origin=courts.url, additional_headers=cookie) as ws:  # type: ignore[arg-type]
            await ws.send(json.dumps({"rooms": ["court1/c03"]}))
            await courts.audited("watch")
        await http.delete("/api/session")
    async with acting(courts, person, "inspector@court1") as http:
        level = {"level": "restricted", "reason": "隐私"}
        assert (await http.put("/api/hearings/h-near/access", json=level)).status_code == 200
        part = {"from_ms": 0, "to_ms": 1, "level": "withdrawn", "reason": "隐私"}
        assert (await http.put("/api/hearings/h-next/sealed-parts", json=part)).status_code == 200
    courts.center.audit._say_counts(now=True)
    await courts.center.audit._write([])
    a = t.audit.c
    query = select(a.what, a.person).where(a.role.in_(("leader", "inspector"))).order_by(a.row)
    lines = await courts.center.database.read(lambda connection: connection.execute(query).all())
    assert {line.person for line in lines} == {person.id}
    assert {"view", "failed", "refused", "watch", "sign-out", "act", "level", "sealed-part"} <= {
        one.what for one in lines
    }
