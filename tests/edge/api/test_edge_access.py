"""Who may do what in a room: the whole table, and nothing beside it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import websockets
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import Route

from edge.service import assemble
from hardware.profile import Profile
from sync.http.rights.rules import rule_of
from tests.support.rooms.edge_room import CASE, Room

PUBLIC, CLERK, MACHINE = "public", "clerk", "api token"
TABLE = {
    ("POST", "/api/session"): PUBLIC,
    ("GET", "/api/session"): PUBLIC,
    ("DELETE", "/api/session"): PUBLIC,
    ("GET", "/api/panel"): PUBLIC,
    ("POST", "/api/panel/sign-in"): PUBLIC,
    ("POST", "/api/panel/pin"): PUBLIC,
    ("PUT", "/api/panel/pin"): CLERK,
    ("POST", "/api/panel/lock"): CLERK,
    ("GET", "/api/panel/sessions"): CLERK,
    ("DELETE", "/api/panel/sessions/{session}"): CLERK,
    ("GET", "/api/state"): CLERK,
    ("GET", "/api/explanation"): CLERK,
    ("POST", "/api/selftest"): CLERK,
    ("DELETE", "/api/selftest"): CLERK,
    ("PUT", "/api/selftest/views"): CLERK,
    ("POST", "/api/hearing"): CLERK,
    ("POST", "/api/hearing/pause"): CLERK,
    ("POST", "/api/hearing/resume"): CLERK,
    ("POST", "/api/hearing/close"): CLERK,
    ("POST", "/api/hearing/replacement"): CLERK,
    ("POST", "/api/hearing/sealed-parts"): CLERK,
    ("POST", "/api/hearing/sealed-parts/{part}/end"): CLERK,
    ("GET", "/api/control/state"): MACHINE,
    ("POST", "/api/control/hearing"): MACHINE,
    ("POST", "/api/control/pause"): MACHINE,
    ("POST", "/api/control/resume"): MACHINE,
    ("POST", "/api/control/stop"): MACHINE,
    ("POST", "/api/control/mute"): MACHINE,
    ("PUT", "/api/presentation"): CLERK,
    ("DELETE", "/api/presentation"): CLERK,
    ("POST", "/api/marks"): CLERK,
    ("POST", "/api/exhibits"): CLERK,
    ("GET", "/api/exhibits/{exhibit}"): CLERK,
    ("GET", "/api/exhibits/{exhibit}/pages/{page}"): CLERK,
    ("POST", "/api/transcript/revisions"): CLERK,
    ("POST", "/api/transcript/voice"): CLERK,
    ("POST", "/api/transcript/undo"): CLERK,
    ("GET", "/api/transcript/{line}/sound"): CLERK,
    ("GET", "/api/transcript/signing"): CLERK,
    ("POST", "/api/transcript/final"): CLERK,
    ("POST", "/api/transcript/signatures"): CLERK,
    ("POST", "/api/transcript/objections"): CLERK,
    ("GET", "/api/transcript/document.{kind}"): CLERK,
    ("GET", "/api/kinds"): "clerk",
    ("GET", "/api/kinds/number"): "clerk",
    ("GET", "/api/phrases"): CLERK,
    ("GET", "/api/phrases/file"): CLERK,
    ("PUT", "/api/phrases"): CLERK,
    ("PUT", "/api/checks/{name}"): CLERK,
    ("GET", "/api/display/page"): PUBLIC,
    ("WS", "/api/live"): CLERK,
    ("WS", "/api/display"): PUBLIC,
    ("GET", "/"): PUBLIC,
    ("GET", "/panel"): PUBLIC,
    ("GET", "/panel/{rest:path}"): PUBLIC,
    ("GET", "/display"): PUBLIC,
    ("GET", "/display/{rest:path}"): PUBLIC,
    ("GET", "/assets/{path:path}"): PUBLIC,
    ("GET", "/favicon.ico"): PUBLIC,
}
CHANGING = [(m, path) for (m, path), who in TABLE.items() if m in ("POST", "PUT", "DELETE") and who != MACHINE]


async def test_the_table_of_routes_and_roles_is_whole(room: Room, tmp_path: Path) -> None:
    storage = room.profile.storage.model_copy(update={"data": tmp_path / "other"})
    profile: Profile = room.profile.model_copy(update={"storage": storage})
    edge = assemble(profile)
    found: dict[tuple[str, str], str] = {}
    for route in edge.app.router.routes:
        assert isinstance(route, Route | APIRoute | APIWebSocketRoute)
        rule = rule_of(route.endpoint)
        assert rule is not None
        who = MACHINE if rule.machine else PUBLIC if rule.public else "+".join(sorted(rule.roles))
        methods = {"WS"} if isinstance(route, APIWebSocketRoute) else set(route.methods or ()) - {"HEAD"}
        found |= {(method, route.path): who for method in methods}
    edge.close()
    assert found == TABLE


async def test_a_stranger_may_not(room: Room) -> None:
    for (method, path), who in TABLE.items():
        if who == CLERK and method != "WS":
            answer = await room.stranger.request(method, path.replace("{exhibit}", "x"), json={})
            assert (answer.status_code, answer.json()["code"]) == (401, "signed-out"), path


async def test_no_change_without_the_header_that_no_form_can_send(room: Room) -> None:
    del room.clerk.headers["X-Wutong"]
    for method, path in CHANGING:
        answer = await room.clerk.request(method, path, json={"reason": "recess"})
        assert (answer.status_code, answer.json()["code"]) == (403, "header"), path
    assert (await room.state())["hearing"] is None


async def test_no_change_from_another_site(room: Room) -> None:
    answer = await room.clerk.post("/api/hearing", json=CASE, headers={"Origin": "http://evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "origin")


async def test_websockets_of_another_site_are_refused(room: Room) -> None:
    for path in ("/api/live", f"/api/display?token={room.token}"):
        for origin in ("http://evil.example", None):
            with pytest.raises(websockets.InvalidStatus) as refused:
                await room.socket(path, origin=origin)
            assert refused.value.response.status_code == 403


async def test_the_live_socket_needs_a_clerk(room: Room) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await room.socket("/api/live", cookies=False)
    assert refused.value.response.status_code == 403


async def test_what_is_not_declared_is_not_there(room: Room) -> None:
    for path in ("/docs", "/openapi.json", "/redoc", "/api", "/api/hearings", "/metrics", "/%2e%2e/etc/passwd"):
        assert (await room.clerk.get(path)).status_code == 404, path


async def test_a_code_signs_in_and_out(room: Room) -> None:
    answer = await room.stranger.post("/api/session", json={"code": "AAAA-AAAA-AA"})
    assert (answer.status_code, answer.json()["code"]) == (401, "code")
    assert (await room.stranger.post("/api/session", json={"code": room.code.lower()})).json()["role"] == "clerk"
    assert (await room.stranger.get("/api/state")).status_code == 200
    await room.stranger.delete("/api/session")
    assert (await room.stranger.get("/api/state")).status_code == 401


async def test_secrets_are_for_the_owner_alone(room: Room) -> None:
    for path in (room.layout.access, room.layout.access.with_name("codes.json"), room.layout.display_token):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_pages_say_what_browsers_may_do(room: Room) -> None:
    answer = await room.stranger.get("/panel")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (await room.stranger.get("/")).headers["Location"] == "/panel"


async def test_a_clerk_who_is_signed_out_stops_no_recording(room: Room) -> None:
    """The panel that nobody may use any more is the locked one: the hearing goes on until somebody closes it."""
    await room.open()
    await room.clerk.delete("/api/session")
    for method, path in CHANGING:
        if path.startswith("/api/hearing"):
            assert (await room.clerk.request(method, path, json={"reason": "recess"})).status_code == 401
    room.clerk.cookies.clear()
    assert (await room.clerk.post("/api/session", json={"code": room.code})).status_code == 200
    hearing = (await room.state())["hearing"]
    assert (hearing["state"], hearing["closed_ms"]) == ("open", None)
