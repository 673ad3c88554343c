"""The archive's pages over HTTP: narrowed by the server, level by level, one behind the other."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from server.events.admission import read_event
from tests.support.peers.center_peers import Served, opening, said

pytestmark = [pytest.mark.broker, pytest.mark.both_databases]

DAY_MS = 86_400_000


async def hold(served: Served, count: int) -> None:
    """So many hearings, one a day, every third not in public; each with three lines."""
    number, batch = 0, []
    for n in range(count):
        first = opening(number := number + 1, hearing=f"h{n:02}", at_ms=n * DAY_MS)
        first["body"]["case"] |= {"public": n % 3 != 0, "case_no": f"(2026)黑05民初{n + 100}号"}
        batch.append(first)
        for k in range(3):
            line = said(number := number + 1, f"关于借条的第{k}句", hearing=f"h{n:02}", at_ms=n * DAY_MS + k)
            batch.append(line)
    received = [read_event("court1/c03", json.dumps(one).encode()) for one in batch]
    await served.center.record.store_events(received)
    served.center.classifications.stored(received)


async def pages(http: httpx.AsyncClient, path: str, what: str, **query: Any) -> list[dict[str, Any]]:
    """The rows of all pages."""
    rows: list[dict[str, Any]] = []
    after = ""
    while True:
        answer = await http.get(path, params={**query, "after": after})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        rows += page[what]
        if page["next"] is None:
            assert page["looked_to_utc_ms"] is None
            return rows
        after = page["next"]


async def test_pages_of_hearings_go_on_and_hide_what_is_closed(served: Served) -> None:
    await hold(served, 9)
    async with served.inspector() as http, served.inspector("archivist") as archivist:
        first = (await http.get("/api/archive/hearings", params={"most": 4})).json()
        assert (first["count"], first["at_least"], len(first["hearings"])) == (9, False, 4)
        rows = await pages(http, "/api/archive/hearings", "hearings", most=4)
        assert [row["id"] for row in rows] == [f"h{n:02}" for n in reversed(range(9))]
        assert [row["id"] for row in rows if row["case"]["case_no"] == ""] == ["h06", "h03", "h00"]
        assert {row["access"] for row in rows} == {"open", "restricted"}
        closed = await pages(http, "/api/archive/hearings", "hearings", level="restricted")
        assert [row["id"] for row in closed] == ["h06", "h03", "h00"]
        assert await pages(http, "/api/archive/hearings", "hearings", case="黑05民初106") == []
        found = await pages(archivist, "/api/archive/hearings", "hearings", case="黑05民初106")
        assert [row["id"] for row in found] == ["h06"]
        assert (await http.get("/api/archive/hearings", params={"case": "106"})).json()["count"] == 0
        assert await pages(http, "/api/archive/hearings", "hearings", room="court1/c99") == []
        assert len(await pages(http, "/api/archive/hearings", "hearings", room="court1/c03", court="court1")) == 9


async def test_words_are_paged_within_sight_also_when_something_is_sealed_between_two_pages(served: Served) -> None:
    await hold(served, 6)
    async with served.inspector() as http, served.inspector("archivist") as archivist:
        first = (await http.get("/api/archive/words", params={"q": "借条", "most": 4})).json()
        assert [hit["hearing"] for hit in first["hits"]] == ["h05", "h05", "h05", "h04"]
        body = {"level": "withdrawn", "reason": "商业秘密"}
        assert (await archivist.put("/api/hearings/h02/access", json=body)).status_code == 200
        rest = {"q": "借条", "most": 4, "after": first["next"]}
        second = (await http.get("/api/archive/words", params=rest)).json()
        assert [hit["hearing"] for hit in second["hits"]] == ["h04", "h04", "h01", "h01"]
        found = await pages(archivist, "/api/archive/words", "hits", q="借条", most=2)
        assert [hit["hearing"] for hit in found] == [f"h{n:02}" for n in (5, 4, 3, 1, 0) for _ in range(3)]
        assert await pages(http, "/api/archive/words", "hits", q="借条", level="restricted") == []


async def test_what_is_asked_wrongly_is_refused_in_words(served: Served) -> None:
    async with served.inspector() as http:
        for query in ("after=no-place", "from=yesterday", "most=0", "most=201", "level=secret", f"after={'a' * 1201}"):
            for path in ("/api/archive/hearings?", "/api/archive/words?q=x&"):
                answer = await http.get(f"{path}{query}")
                assert answer.status_code in (400, 422), (path, query)
                assert answer.json()["message"], (path, query)
