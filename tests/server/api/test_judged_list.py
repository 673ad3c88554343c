"""Lists and what a search finds say what may be seen when they leave, whatever it was when they were read."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from server.events.admission import read_event
from tests.support.peers.center_peers import ROOM_NS, Served, opening, said

pytestmark = pytest.mark.broker

ROOM_MS = ROOM_NS / 1e6
WORD = "隐私"
SEARCHES = (f"/api/search?q={WORD}", f"/api/archive/words?q={WORD}")
LISTS = ("/api/hearings", "/api/archive/hearings")


async def hold(served: Served) -> None:
    """A hearing with words from 1.2 to 2.2 s, while the room says that it runs."""
    received = [read_event("court1/c03", json.dumps(one).encode()) for one in (opening(1), said(2, WORD, at_ms=1200))]
    await served.center.record.store_events(received)
    live = {"id": "h1", "state": "open", "case": {"case_no": "123", "public": True}}
    status = {"online": True, "room_ns": ROOM_NS + 10**9, "hearing": live, "speaking": ["judge"]}
    served.center.rooms.status("court1/c03", json.dumps(status).encode())


class Meanwhile:
    """What somebody else does after an answer was made and before it leaves, once for each answer."""

    def __init__(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        self.act: Callable[[], Awaitable[Any]] | None = None

        async def catch_up(request: object) -> None:
            act, self.act = self.act, None
            if act is not None:
                await act()

        monkeypatch.setattr(served.center.access, "catch_up", catch_up)


async def put(http: httpx.AsyncClient, path: str, body: dict[str, object]) -> None:
    answer = await http.put(f"/api/hearings/h1/{path}", json={**body, "reason": "个人隐私"})
    assert answer.status_code == 200, answer.text


async def test_what_is_withdrawn_while_a_list_is_answered_is_not_in_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hold(served)
    meanwhile = Meanwhile(served, monkeypatch)
    async with served.inspector() as http, served.inspector("archivist") as other:
        for path in (*SEARCHES, *LISTS, *(f"{one}?case=黑05民初123" for one in LISTS), "/api/rooms"):
            before = (await http.get(path)).text
            assert WORD in before or "123" in before, path
            meanwhile.act = lambda: put(other, "access", {"level": "withdrawn"})
            answer = await http.get(path)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"
            assert WORD not in answer.text, path
            assert "123" not in answer.text, path
            if path in LISTS:
                assert "withdrawn" in answer.text, "that there is a hearing is told"
            elif "case=" in path:
                assert "h1" not in answer.text, "who looks for a case learns nothing of those that they may not see"
            await put(other, "access", {"level": "open"})


async def test_a_part_that_begins_within_what_was_said_hides_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hold(served)
    meanwhile = Meanwhile(served, monkeypatch)
    part = {"from_ms": ROOM_MS + 1900, "to_ms": ROOM_MS + 1950, "level": "restricted"}
    async with served.inspector() as http, served.inspector("archivist") as other:
        for path in SEARCHES:
            meanwhile.act = lambda: put(other, "sealed-parts", part)
            assert WORD not in (await http.get(path)).text, path
            assert WORD in (await other.get(path)).text, "the archivist may see it"
            assert WORD not in (await http.get(path)).text, path
            for one in served.center.sealing.of("h1"):
                lift = f"/api/hearings/h1/sealed-parts/{one.id}/lift"
                assert (await other.post(lift, json={"reason": "期满"})).status_code == 200
            assert WORD in (await http.get(path)).text, path
