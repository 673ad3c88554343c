"""A court's own systems start, pause, stop, ask and mute with a token, and may do nothing that the clerk may not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from edge.api.court_systems import ApiToken
from sync.errors import ConfigError
from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.room.event_log import RoomLog
from sync.uplink.live.live_publisher import Leave
from tests.support.rooms.edge_room import CASE, Room

TOKEN = "token-of-the-court-0123456789abcdef"


@pytest_asyncio.fixture
async def system(tmp_path: Path, people: tuple[Path, str]) -> AsyncIterator[tuple[Room, httpx.AsyncClient]]:
    """A room with an API token, and a system that knows it."""
    room = Room(tmp_path, *people)
    file = tmp_path / "api-token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    panel = room.profile.panel.model_copy(update={"api_token_file": file})
    room.profile = room.profile.model_copy(update={"panel": panel})
    async with room, httpx.AsyncClient(base_url=room.base, trust_env=False, timeout=30) as http:
        http.headers["Authorization"] = f"Bearer {TOKEN}"
        yield room, http


async def test_start_pause_resume_mute_stop_and_ask(system: tuple[Room, httpx.AsyncClient]) -> None:
    room, http = system
    despite = (await room.state())["selftest"]["hindrances"]
    started = await http.post("/api/control/hearing", json={**CASE, "despite": despite})
    assert started.json()["state"] == "open", started.text
    assert (await http.get("/api/control/state")).json()["recording"] is True
    assert (await http.post("/api/control/pause", json={"reason": "lunch"})).status_code == 422
    assert (await http.post("/api/control/pause", json={"reason": "recess"})).json()["state"] == "paused"
    assert (await http.post("/api/control/resume")).json()["state"] == "open"
    assert (await http.post("/api/control/mute", json={"muted": True})).json()["live_muted"] is True
    assert (await room.state())["hearing"]["live_muted"] is True
    assert room.recorder.keeps
    state = (await http.get("/api/control/state")).json()
    assert state["recording"] is True  # the record knows nothing of it
    assert "utterances" not in state["hearing"]
    assert (await http.post("/api/control/stop")).json()["state"] == "closed"
    assert (await http.post("/api/control/stop")).json()["code"] == "no-hearing"


async def test_what_a_system_of_the_court_does_and_asks_is_in_the_audit_and_in_its_events(
    system: tuple[Room, httpx.AsyncClient],
) -> None:
    room, http = system
    despite = (await room.state())["selftest"]["hindrances"]
    hearing = (await http.post("/api/control/hearing", json={**CASE, "despite": despite})).json()["id"]
    for _ in range(3):
        assert (await http.get("/api/control/state")).status_code == 200
    await http.post("/api/control/pause", json={"reason": "recess"})
    assert (await http.post("/api/control/pause", json={"reason": "recess"})).status_code == 409
    await http.post("/api/control/resume")
    await http.post("/api/control/stop")
    opened = await room.open()
    for path, body in (("pause", {"reason": "recess"}), ("resume", {}), ("close", {})):
        assert (await room.clerk.post(f"/api/hearing/{path}", json=body)).status_code == 200
    await room.stop()
    log = RoomLog(room.layout.log)
    events = list(log.since(0, limit=10_000))
    log.close()
    acts = {"open", "pause", "resume", "close"}
    by = {
        name: {e.kind: e.body.get("by") for e in events if e.hearing == name and e.kind in acts}
        for name in (hearing, opened["id"])
    }
    assert by[hearing] == dict.fromkeys(acts, "api")
    assert by[opened["id"]] == dict.fromkeys(acts), "the clerk's own acts are as they were"
    [mark] = [e.body["text"] for e in events if e.kind == "mark" and e.hearing == hearing]
    assert mark.endswith("法院系统确认仍然开庭")
    lines = [e.body for e in events if e.kind == "access" and e.body.get("role") == "api"]
    told = {(line["what"], line["detail"]["route"], line["detail"]["status"]) for line in lines}
    assert {
        ("act", "POST /api/control/hearing", 200),
        ("view", "GET /api/control/state", 200),
        ("act", "POST /api/control/pause", 200),
        ("failed", "POST /api/control/pause", 409),
        ("act", "POST /api/control/resume", 200),
        ("act", "POST /api/control/stop", 200),
    } <= told
    [viewed] = [line for line in lines if line["what"] == "viewed"]
    assert viewed["detail"]["times"] == 3, "asked again and again it is one stretch"
    assert TOKEN not in str(lines)


async def test_without_the_token_nothing_is_answered(system: tuple[Room, httpx.AsyncClient]) -> None:
    room, http = system
    for header in ("", "Bearer", "Bearer wrong-token-0123456789", TOKEN):
        http.headers["Authorization"] = header
        assert (await http.get("/api/control/state")).status_code == 401
    assert (await room.clerk.post("/api/control/stop")).status_code == 401  # a clerk's session is no token


async def test_a_room_without_a_token_has_no_such_interface(room: Room) -> None:
    for header in ("", "Bearer"):
        answer = await room.stranger.get("/api/control/state", headers={"Authorization": header})
        assert answer.status_code == 401


async def test_a_token_that_others_read_or_guess_stops_the_start(system: tuple[Room, httpx.AsyncClient]) -> None:
    room, _ = system
    file = room.profile.panel.api_token_file
    assert file is not None
    holder = type("View", (), {"profile": room.profile})()
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="open to everybody"):
        ApiToken(holder)
    file.chmod(0o600)
    file.write_text("short")
    with pytest.raises(ConfigError, match="too short"):
        ApiToken(holder)


def test_while_muted_pictures_leave_the_room_and_sound_does_not() -> None:
    story = [("open", {}), ("mute", {"muted": True, "by": "api"})]
    view = Hearing.of("h", [Event(n, "h", kind, n, n, body) for n, (kind, body) in enumerate(story, 1)])
    leave = Leave.of(view)
    assert [leave.lets(track) for track in ("bench", "mix", "mics")] == [True, False, False]
    view.apply(Event(3, "h", "mute", 3, 3, {"muted": False, "by": "api"}))
    assert Leave.of(view) is Leave.ALL
