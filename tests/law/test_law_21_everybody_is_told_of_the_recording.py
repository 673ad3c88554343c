"""21. Participants are told that they are being recorded: a light, and the display in the room says so."""

from __future__ import annotations

import json
from typing import Any

from tests.support.paths import ROOT
from tests.support.rooms.edge_room import Room


async def shown(courtroom: Room, recording: bool) -> dict[str, Any]:
    """What the display is told, once it says so."""
    async with courtroom.socket(f"/api/display?token={courtroom.token}", cookies=False) as ws:
        while True:
            value = json.loads(await ws.recv())["value"]
            if value["recording"] is recording:
                return dict(value)


async def test_the_display_says_recording_exactly_while_it_is_true(courtroom: Room) -> None:
    assert (await shown(courtroom, False))["state"] is None
    await courtroom.open()
    assert (await shown(courtroom, True))["state"] == "open"
    await courtroom.clerk.post("/api/hearing/pause", json={"reason": "recess"})
    await shown(courtroom, False)
    await courtroom.clerk.post("/api/hearing/resume")
    await shown(courtroom, True)
    courtroom.recorder.keeps = False  # not a promise: what the recorder says
    await shown(courtroom, False)
    courtroom.recorder.keeps = True
    await shown(courtroom, True)
    await courtroom.clerk.post("/api/hearing/close")
    await shown(courtroom, False)


def test_the_sign_in_the_room_is_in_words_and_a_light() -> None:
    screen = (ROOT / "web/src/display/App.svelte").read_text(encoding="utf-8")
    assert 'class="lamp"' in screen
    assert "display.notice" in screen
    words = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "web/src/lib/messages").glob("*.ts"))
    assert "'display.notice': '本庭审全程录音录像" in words or "录音录像" in words
