"""16. Only lawfully public trials can be replayed to the public (art. 12): nothing of the record is open to anybody."""

from __future__ import annotations

import httpx

from sync.http.rights.rules import rule_of
from tests.support.peers.center_peers import RoomPeer, Served, opening, until

PAGES = {"/", "/inspect", "/inspect/{rest:path}", "/view", "/view/{rest:path}", "/assets/{path:path}", "/favicon.ico"}
PAGES |= {"/admin", "/admin/{rest:path}", "/account", "/account/{rest:path}"}
PAGES |= {"/api/session", "/api/enroll", "/api/enroll/room", "/api/view/session", "/api/authority", "/authority.pem"}
PAGES |= {f"/api/sign-in{step}" for step in ("", "/ways", "/provider", "/provider/back", "/post", "/first")}
PAGES |= {f"/api/sign-in/{step}" for step in ("totp", "recovery", "passkey", "passkey/ask", "new-password")}
PAGES |= {f"/api/sign-in/enroll{step}" for step in ("", "/totp", "/passkey", "/passkey/ask")}
"""Pages without content, the court's own certificate, and what has codes of its own: signing in step by step, enrolling
a device and a party coming in."""


async def test_without_signing_in_there_are_pages_and_nothing_of_a_hearing(archive: Served, sender: RoomPeer) -> None:
    routes = archive.center.app.router.routes
    assert {r.path for r in routes if (rule := rule_of(r.endpoint)) is not None and rule.public} == PAGES
    sender.publish("events", opening(1))
    await until(lambda: 1 in sender.receipts())
    async with httpx.AsyncClient(base_url=archive.url) as http:
        for path in ("", "/h1", "/h1/media/bench?from_ms=0&to_ms=1", "/h1/exhibits/e1", "/h1/explanation"):
            assert (await http.get(f"/api/hearings{path}")).status_code == 401, path


async def test_a_trial_that_is_not_public_is_closed_even_to_inspectors_until_it_is_granted(
    archive: Served, sender: RoomPeer
) -> None:
    secret = opening(1)
    secret["body"]["case"]["public"] = False
    sender.publish("events", secret)
    await until(lambda: 1 in sender.receipts())
    async with archive.inspector() as http, archive.inspector("archivist") as archivist:
        assert (await http.get("/api/hearings/h1")).json()["code"] == "restricted"
        assert (await http.get("/api/hearings")).json()[0]["case"]["case_no"] == ""
        grant = {"level": "open", "reason": "院长批准"}
        assert (await http.put("/api/hearings/h1/access", json=grant)).status_code == 403
        assert (await archivist.put("/api/hearings/h1/access", json=grant)).status_code == 200
        assert (await http.get("/api/hearings/h1")).status_code == 200
