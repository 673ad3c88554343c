"""Every role on every route of the center, by the status that it gets."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from server.access.grants import PARTY
from sync.http.rights.rules import rule_of
from tests.support.peers.center_peers import TOKENS, RoomPeer, Served, event, opening, until

NAMES = {
    "hearing": "h1",
    "track": "bench",
    "exhibit": "e1",
    "page": "1",
    "document": "d",
    "court": "court1",
    "room": "c03",
    "grant": "g",
    "person": "0" * 16,
    "slug": "court1",
    "session": "s",
    "factor": "f",
    "act": "a",
    "part": "center:1",
    "device": "1",
    "uuid": "0" * 32,
    "test": "t",
    "sha256": "0" * 64,
}
REFUSED = {"nobody": 401, "room": 401, "inspector": 403, "archivist": 403, PARTY: 403}
"""What somebody gets of a route that is not theirs: who has no session is asked to sign in, whoever has one is not."""


def routes(served: Served) -> Iterator[tuple[str, str, Any]]:
    """(method, path, rule) of what is not for everybody and is asked over HTTP."""
    for route in served.center.app.router.routes:
        rule = rule_of(getattr(route, "endpoint", None))
        assert rule is not None
        if not rule.public:
            for method in sorted(getattr(route, "methods", None) or ()):
                yield method, route.path.format(**NAMES), rule


@contextlib.asynccontextmanager
async def person(served: Served, role: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody of a role; a party has a grant of the hearing h1."""
    headers = {"X-Wutong": "1", "Tus-Resumable": "1.0.0"}
    if role == "room":
        headers["Authorization"] = f"Bearer {TOKENS['court1/c03']}"
    async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=20) as http:
        if role == PARTY:
            async with served.inspector("archivist") as archivist:
                body = {"role": "原告代理人", "name": "赵律师", "hours": 1}
                code = (await archivist.post("/api/hearings/h1/grants", json=body)).json()["code"]
            assert (await http.post("/api/view/session", json={"code": code})).status_code == 200
        elif role in ("inspector", "archivist"):
            assert (await http.post("/api/session", json={"code": served.code(role)})).status_code == 200
        yield http


async def test_each_role_gets_what_is_declared_for_it_and_nothing_else(served: Served, room: RoomPeer) -> None:
    room.publish("events", opening(1))
    room.publish("events", event(2, "close", {}, at_ms=5))
    await until(lambda: room.receipts() == {1, 2})
    walked = 0
    for role, refusal in REFUSED.items():
        async with person(served, role) as http:
            for method, path, rule in routes(served):
                # This room has a token; what is renewed is a certificate, which a token is not enough for.
                by_token = rule.machine is not None and path != "/api/certificate"
                theirs = by_token if role == "room" else role in rule.roles
                answer = await http.request(method, path, params={"q": "x", "from_ms": 0, "to_ms": 1})
                walked += 1
                if theirs:
                    assert answer.status_code not in (401, 403, 500), (role, method, path, answer.text)
                else:
                    wanted = 401 if rule.machine is not None else refusal
                    assert answer.status_code == wanted, (role, method, path, answer.text)
    assert walked > 5 * 20


async def test_of_a_closed_hearing_every_route_of_it_refuses_by_its_level(served: Served, room: RoomPeer) -> None:
    room.publish("events", opening(1))
    room.publish("events", event(2, "close", {}, at_ms=5))
    await until(lambda: room.receipts() == {1, 2})
    async with (
        person(served, "inspector") as inspector,
        person(served, "archivist") as archivist,
        person(served, PARTY) as party,
    ):
        people = {"inspector": inspector, "archivist": archivist, PARTY: party}
        for level, code in (("restricted", "restricted"), ("withdrawn", "sealed")):
            body = {"level": level, "reason": "涉及隐私"}
            assert (await archivist.put("/api/hearings/h1/access", json=body)).status_code == 200
            for role, http in people.items():
                for method, path, rule in routes(served):
                    of_it = path.startswith("/api/hearings/h1") and not path.endswith(("/access", "/grants"))
                    if method != "GET" or role not in rule.roles or not (of_it or path.startswith("/api/view")):
                        continue
                    answer = await http.get(path, params={"from_ms": 0, "to_ms": 1})
                    if role == "archivist" and level == "restricted":
                        assert answer.status_code in (200, 404), (path, answer.text)
                    else:
                        assert (answer.status_code, answer.json()["code"]) == (403, code), (role, path)


async def test_what_is_sealed_while_its_answer_is_made_is_not_answered(
    served: Served, room: RoomPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.publish("events", opening(1))
    room.publish("events", event(2, "close", {}, at_ms=5))
    await until(lambda: room.receipts() == {1, 2})
    use = served.center.folds.use

    async with (
        person(served, "inspector") as inspector,
        person(served, "archivist") as archivist,
        person(served, PARTY) as party,
    ):

        async def put(level: str) -> None:
            body = {"level": level, "reason": "涉及隐私"}
            assert (await archivist.put("/api/hearings/h1/access", json=body)).status_code == 200

        async def sealed_meanwhile(hearing: str, work: Any) -> Any:
            found = await use(hearing, work)
            await put("restricted")
            return found

        for http, path in (
            (inspector, "/api/hearings/h1"),
            (inspector, "/api/hearings/h1/explanation"),
            (party, "/api/view"),
        ):
            assert (await http.get(path)).status_code == 200, path
            with monkeypatch.context() as patched:
                patched.setattr(served.center.folds, "use", sealed_meanwhile)
                answer = await http.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "restricted"), path
            await put("open")
