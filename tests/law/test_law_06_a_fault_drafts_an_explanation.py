"""6. A fault that leaves the record untrue or incomplete produces a draft written explanation to sign (art. 4)."""

from __future__ import annotations

import os
import signal

from sync.record.explanation import explain
from tests.support.peers.center_peers import RoomPeer, Served, event, opening, until
from tests.support.rooms.edge_room import Room
from tests.support.rooms.recorder_room import RecorderRoom


async def test_a_camera_that_is_killed_drafts_it_by_itself(recorder: RecorderRoom) -> None:
    await recorder.until(recorder.running, "all sources run")
    tracks = [{"id": "bench", "name": "审判席"}, {"id": "mics", "name": "话筒"}, {"id": "mix", "name": "混音"}]
    recorder.say("open", case={"case_no": "(2026)黑05民初7号"}, seats=[], tracks=tracks)
    await recorder.record(1, "bench", "mics", "mix")
    assert explain(recorder.view()) is None
    [worker] = recorder.workers("simulated_camera")
    os.kill(worker, signal.SIGKILL)
    await recorder.until(lambda: recorder.track("bench").get("restarts", 0) >= 1 and recorder.running(), "back again")
    await recorder.pass_media("bench", 1)
    recorder.say("close")
    view = await recorder.closed("bench", "mics", "mix")
    draft = explain(view, court_name="尖山区人民法院", room_name="第三法庭")
    assert draft is not None
    # A busy machine may lose a picture more; what the kill took is there, and the sound beside it.
    missing = next(m for m in draft.missing if m.track == "bench")
    assert missing.why
    assert {"话筒", "混音"} & set(missing.remaining)
    for words in (
        "(2026)黑05民初7号",
        "尖山区人民法院",
        "审判席",
        missing.why,
        "审判长（独任审判员）：＿",
        "未作任何填补",
    ):
        assert words in draft.text, draft.text


async def test_the_panel_and_the_center_show_the_same_draft(courtroom: Room, archive: Served, sender: RoomPeer) -> None:
    await courtroom.open()
    courtroom.recorder.keeps = False
    state = await courtroom.until_state(lambda s: [a for a in s["hearing"]["alarms"] if a["code"] == "not-recording"])
    draft = (await courtroom.clerk.get("/api/explanation")).json()
    assert draft["faults"][0]["code"] == "not-recording"
    assert draft["blanks"]
    assert state["hearing"]["case"]["case_no"] in draft["text"]

    sender.publish("events", opening(1))
    gap = {"track": "bench", "from_ns": 1_000_000_001_000_000_000, "to_ns": 1_000_000_003_000_000_000, "why": "断电"}
    sender.publish("events", event(2, "gap", gap, at_ms=3000))
    await until(lambda: {1, 2} <= sender.receipts())
    async with archive.inspector() as http:
        there = (await http.get("/api/hearings/h1/explanation")).json()
    assert "断电" in there["text"]
    assert there["missing_ms"] == 2000
