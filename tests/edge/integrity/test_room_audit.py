"""The room says itself who signed in, who was refused and what was looked at, and none of it holds the clerk up."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
import websockets

from edge.integrity.room_audit import RoomAudit
from sync.errors import StorageError
from sync.http.audit.outcomes import Outcome
from sync.http.rights.people import Session
from sync.record.bodies.media import AccessBody
from sync.room.event_log import RoomLog
from tests.edge.api.test_edge_access import CLERK, TABLE
from tests.support.rooms.edge_room import Room, until


async def said(room: Room) -> list[dict[str, Any]]:
    """The bodies of all events `access`; what waits is written when the edge ends."""
    await room.stop()
    log = RoomLog(room.layout.log)
    try:
        return [dict(event.body) for event in log.since(0, limit=10_000) if event.kind == "access"]
    finally:
        log.close()


async def test_every_route_of_the_clerk_leaves_its_line(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.http.audit.outcomes.FREE_LINES", 1000)
    opened = await room.open()
    names = {"exhibit": "e1", "page": "1", "line": "u1", "kind": "pdf", "name": "c1", "part": "p1", "session": "s1"}
    wanted = [(method, path) for (method, path), who in TABLE.items() if who == CLERK and method != "WS"]
    wanted.sort(key=lambda one: one[1].endswith("/lock"))  # behind it nothing else is let through
    answers = {}
    for method, path in wanted:
        answer = await room.clerk.request(method, path.format(**names), json={} if method != "GET" else None)
        answers[f"{method} {path}"] = answer.status_code
    bodies = await said(room)
    for route, status in answers.items():
        mine = [body for body in bodies if body["detail"].get("route") == route]
        assert mine, (route, status)
        mine = [body for body in mine if body["detail"]["status"] == status]
        assert mine, (route, status)
        assert mine[0]["role"] == "clerk"
        assert (mine[0]["what"] in ("view", "act")) == (status < 400)
    assert {body.get("hearing") for body in bodies if body["what"] == "view"} >= {opened["id"]}


async def test_wrong_codes_and_a_stranger_are_in_the_log_of_the_room_and_wait_for_the_center(room: Room) -> None:
    async with httpx.AsyncClient(base_url=room.base, headers={"X-Wutong": "1"}, trust_env=False) as stranger:
        for _ in range(3):
            assert (await stranger.post("/api/session", json={"code": "WRNG-CODE-22"})).status_code == 401
        assert (await stranger.get("/api/state")).status_code == 401
        assert (await stranger.get("/api/display/page?of=x&page=1&token=guess")).status_code in (401, 403)
        with pytest.raises(websockets.InvalidStatus):
            async with room.socket("/api/live", cookies=False):
                pass
        with pytest.raises(websockets.InvalidStatus):
            async with room.socket("/api/display?token=guess"):
                pass
        assert (await stranger.post("/api/session", json={"code": room.code})).status_code == 200
        assert (await stranger.delete("/api/session")).status_code == 200
    bodies = await said(room)
    refused = " / ".join(body["detail"]["said"] for body in bodies if body["what"] == "refused")
    for part in ("code", "2 more: code 2", "signed-out GET /api/state", "signed-out WS /api/live", "/api/display"):
        assert part in refused, part
    assert [body["what"] for body in bodies if body["what"].startswith("sign")] == ["sign-in", "sign-out"]
    assert {body["address"] for body in bodies} == {"127.0.0.1"}
    kept = json.dumps(bodies)
    assert "WRNG" not in kept
    assert room.code not in kept
    log = RoomLog(room.layout.log)
    assert all(event.hearing is None for event in log.pending() if event.kind == "access")
    log.close()


async def test_the_panel_is_told_nothing_of_it_and_shows_the_hearing_as_before(room: Room) -> None:
    before = await room.state()
    for _ in range(5):
        await room.clerk.get("/api/explanation")
    after = await room.state()
    assert before["hearing"] == after["hearing"]
    async with room.socket("/api/live") as ws:
        assert json.loads(await ws.recv())["type"] == "state"
        await room.open()
        kinds = []
        while "open" not in kinds:
            message = json.loads(await ws.recv())
            kinds += [message["event"]["kind"]] if message["type"] == "event" else []
    assert kinds == ["open"]


def outcome(session: Session, number: int, status: int) -> Outcome:
    return Outcome(session, "10.0.0.9", "GET", "/api/exhibits/{exhibit}", {"exhibit": f"e{number}"}, status)


async def test_what_the_log_does_not_take_is_tried_again_and_holds_nobody_up() -> None:
    written: list[AccessBody] = []
    full = True

    async def append(body: AccessBody) -> None:
        if full:
            raise StorageError("the disk is full")
        written.append(body)

    audit = RoomAudit(append, lambda: "h1", lambda: 0.0)
    audit.note("sign-in", "clerk", "10.0.0.9", "")
    session = Session("clerk", "书记员", 0.0, 0.0)
    await audit.took(outcome(session, 1, 200))
    running = asyncio.create_task(audit.run())
    assert not await audit._write()
    full = False
    await until(lambda: len(written) == 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [(body["what"], body.get("hearing")) for body in written] == [("sign-in", "h1"), ("view", "h1")]


async def test_a_program_at_the_panel_is_counted_in_the_room_as_well() -> None:
    written: list[AccessBody] = []

    async def append(body: AccessBody) -> None:
        written.append(body)

    audit = RoomAudit(append, lambda: None, lambda: 0.0)
    session = Session("clerk", "书记员", 0.0, 0.0)
    for number in range(3000):
        await audit.took(outcome(session, number, 404))
        audit.note("refused", "", f"10.0.0.{number % 7}", f"signed-out GET /x{number}")
    audit._end(now=True)
    await audit._write()
    assert len(written) < 120
    assert sum(body["detail"].get("more", 0) for body in written) == 3000 - 10
    counted = sum(
        int(body["detail"]["said"].split()[0]) for body in written if "more:" in body["detail"].get("said", "")
    )
    assert counted == 3000 - 70


async def test_the_end_of_a_room_s_edge_writes_no_line_twice() -> None:
    written: list[AccessBody] = []
    gate, waiting = asyncio.Event(), 0

    async def append(body: AccessBody) -> None:
        nonlocal waiting
        written.append(body)  # the thread that writes goes on, whoever waits for it
        waiting += 1
        await gate.wait()

    audit = RoomAudit(append, lambda: None, lambda: 0.0)
    running = asyncio.create_task(audit.run())
    audit.note("sign-in", "clerk", "10.0.0.9", "")
    await until(lambda: waiting)
    running.cancel()
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(running, return_exceptions=True)
    assert [body["what"] for body in written] == ["sign-in"]
