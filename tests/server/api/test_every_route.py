"""Whatever anybody asks any route of the center, the answer is one, in time, and says nothing of how it is made."""

from __future__ import annotations

import pytest

from server.access.grants import PARTY
from tests.server.api.test_roles_and_routes import NAMES, person
from tests.support.peers.center_peers import RoomPeer, Served, event, opening, said, until
from tests.support.peers.route_walk import ask, requests

SIGN_OUT = ("DELETE", "/api/session")


@pytest.mark.parametrize("role", ["nobody", "room", "inspector", "archivist", PARTY])
async def test_no_request_of_anybody_makes_an_answer_of_another_form(served: Served, room: RoomPeer, role: str) -> None:
    for one in (opening(1), said(2, "现在开庭"), event(3, "close", {}, at_ms=5)):
        room.publish("events", one)
    await until(lambda: room.receipts() == {1, 2, 3})
    wrong: list[str] = []
    routes = set()
    async with person(served, role) as http:
        for asked in requests(served.center.app, NAMES, 10):
            if asked.route == SIGN_OUT:
                continue
            routes.add(asked.route)
            if words := await ask(http, asked):
                wrong.append(f"{asked.method} {asked.path[:200]} {str(asked.more)[:300]}: {words}")
    assert wrong == []
    assert len(routes) > 30
    assert not served.center.failed.done()


@pytest.mark.parametrize(
    "path",
    [
        "/api/hearings?case=%00",
        "/api/search?q=abc%00def",
        "/api/search?q=%ED%A0%80",
        "/api/search?q=%F3%A0%80%81",
        "/api/archive/words?q=abc%00def",
        "/api/archive/words?q=a&after=WzEsMixcInRdCg",
        "/api/archive/hearings?after=%ff%00",
        "/api/archive/hearings?from=99999-01-01&most=0",
        "/api/hearings?date=99999-01-01",
        "/api/hearings?date=0001-01-01",
        "/api/hearings/%00",
        "/api/hearings/h1/media/bench?from_ms=1e400&to_ms=1",
        "/api/hearings/h1/media/bench?from_ms=-1e300&to_ms=1e300",
        "/api/hearings/h1/media/%2e%2e%2f?from_ms=0&to_ms=1",
        "/api/hearings/h1/exhibits/e/pages/99999999999999999999999",
        "/assets/a%00b",
        "/assets/..%2f..%2fetc%2fpasswd",
        "/assets/" + "a" * 5000,
        "/assets/" + "a/" * 2500,
        "/api/hearings/" + "h" * 5000,
        "/inspect/%ff%00",
        "/api/report?from_date=9999-12-31&to_date=9999-12-31",
    ],
    ids=lambda path: path[:60],
)
async def test_odd_characters_and_numbers_are_answered_in_words(served: Served, path: str) -> None:
    async with served.inspector() as http:
        answer = await http.get(path)
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        for word in ("SELECT", "sqlalchemy", "Traceback", "site-packages"):
            assert word not in answer.text


@pytest.mark.parametrize("value", ["9" * 5000, "-1", "１２", "1e3", "0x10", "", "²"])
@pytest.mark.parametrize("header", ["Upload-Length", "Upload-Offset"])
async def test_a_header_that_is_no_number_is_refused(served: Served, header: str, value: str) -> None:
    async with served.uploader() as (_, http):
        sent = {"Tus-Resumable": "1.0.0", header: value.encode()}
        made = await http.post("/api/uploads/", headers=sent)  # type: ignore[arg-type]
        assert made.status_code < 500, made.text
        patched = await http.patch(f"/api/uploads/{'0' * 32}", headers=sent)  # type: ignore[arg-type]
        assert patched.status_code < 500, patched.text
