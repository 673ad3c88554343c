"""3. An interruption needs one of three reasons, and no other way to pause exists (art. 3)."""

from __future__ import annotations

from pathlib import Path

from edge.service import assemble
from sync.http.rights.rules import rule_of
from sync.record.timeline import PauseReason
from tests.support.rooms.edge_room import Room

LAWFUL = {"recess", "closed_evidence", "mediation"}


async def test_the_three_reasons_interrupt_and_everything_else_is_refused(courtroom: Room) -> None:
    assert {reason.value for reason in PauseReason} == LAWFUL
    await courtroom.open()
    bodies = [{"reason": r} for r in ("lunch", "", "Recess", None, 3, ["recess"])] + [{}, {"why": "recess"}, None]
    for body in bodies:
        answer = await courtroom.clerk.post("/api/hearing/pause", json=body)
        assert answer.status_code == 422, body
    assert (await courtroom.state())["hearing"]["state"] == "open"
    for reason in sorted(LAWFUL):
        assert (await courtroom.clerk.post("/api/hearing/pause", json={"reason": reason})).json()["state"] == "paused"
        assert (await courtroom.clerk.post("/api/hearing/resume")).json()["state"] == "open"


async def test_no_other_route_of_the_room_interrupts_a_recording(courtroom: Room, tmp_path: Path) -> None:
    """Every route of the room, called by the clerk: only `pause` and `close` end the keeping."""
    storage = courtroom.profile.storage.model_copy(update={"data": tmp_path / "other"})
    other = assemble(courtroom.profile.model_copy(update={"storage": storage}))
    routes = [(r.path, sorted(r.methods - {"HEAD"})) for r in other.app.router.routes if getattr(r, "methods", None)]  # type: ignore[attr-defined]
    assert all(rule_of(getattr(r, "endpoint", None)) is not None for r in other.app.router.routes)
    other.close()
    hearing = await courtroom.open()
    ending = {"/api/hearing/close", "/api/hearing/pause", "/api/session"}
    machines = {path for path, _ in routes if path.startswith("/api/control/")}
    for path, methods in routes:
        if path in ending | machines:
            continue
        for method in methods:
            filled = path.replace("{exhibit}", "x").replace("{rest:path}", "x").replace("{path:path}", "x")
            filled = filled.replace("{page}", "1")
            await courtroom.clerk.request(method, filled, json={"reason": "lunch", "state": "paused", "kept": False})
    now = (await courtroom.state())["hearing"]
    assert (now["id"], now["state"], now["pauses"]) == (hearing["id"], "open", [])
    assert courtroom.recorder.keeps
