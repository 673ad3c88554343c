"""Opening, pausing, resuming, closing: what is lawful works, what is not is refused, and a restart changes nothing."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from edge.hearing.alarms import NOT_RECORDING
from edge.service import assemble
from sync.cases.shelf import shipped_kinds
from sync.errors import StorageError
from sync.room.event_log import RoomLog
from tests.support.rooms.edge_room import CASE, Room


async def test_a_hearing_from_opening_to_closing(room: Room) -> None:
    hearing = await room.open()
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{8}", hearing["id"])
    assert hearing["state"] == "open"
    assert hearing["case"]["case_no"] == CASE["case_no"]
    assert hearing["alarms"] == []
    assert [t["id"] for t in hearing["tracks"]] == ["bench", "mics", "mix"]
    assert hearing["seats"][1] == {"id": "plaintiff", "role": "原告", "roles": ["原告", "原告代理人"], "channel": 1}
    for reason in ("recess", "closed_evidence", "mediation"):
        paused = await room.clerk.post("/api/hearing/pause", json={"reason": reason})
        assert paused.json()["state"] == "paused"
        resumed = await room.clerk.post("/api/hearing/resume")
        assert resumed.json()["state"] == "open"
    closed = (await room.clerk.post("/api/hearing/close")).json()
    assert closed["state"] == "closed"
    assert [p["reason"] for p in closed["pauses"]] == ["recess", "closed_evidence", "mediation"]
    assert closed["alarms"] == []


async def test_only_the_three_lawful_reasons_interrupt_a_recording(room: Room) -> None:
    await room.open()
    for reason in ("lunch", "", "RECESS", None, 1, "recess "):
        answer = await room.clerk.post("/api/hearing/pause", json={"reason": reason})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), reason
    assert (await room.state())["hearing"]["state"] == "open"


async def test_a_second_hearing_is_refused_while_one_is_open_or_paused(room: Room) -> None:
    await room.open()
    assert (await room.clerk.post("/api/hearing", json=CASE)).json()["code"] == "already-open"
    await room.clerk.post("/api/hearing/pause", json={"reason": "recess"})
    answer = await room.clerk.post("/api/hearing", json=CASE)
    assert (answer.status_code, answer.json()["code"]) == (409, "already-open")
    await room.clerk.post("/api/hearing/close")
    assert (await room.clerk.post("/api/hearing", json=CASE)).status_code == 200


async def test_of_two_touches_at_once_one_hearing_opens(room: Room) -> None:
    answers = await asyncio.gather(*(room.clerk.post("/api/hearing", json=CASE) for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409, 409]


async def test_acts_without_their_state_are_refused(room: Room) -> None:
    async def code(method: str, path: str, **more: object) -> str:
        answer = await room.clerk.request(method, path, **more)  # type: ignore[arg-type]  # json only
        assert answer.status_code == 409
        return str(answer.json()["code"])

    reason = {"reason": "recess"}
    view = {"exhibit": "x", "page": 1}
    assert await code("POST", "/api/hearing/pause", json=reason) == "no-hearing"
    assert await code("POST", "/api/hearing/resume") == "no-hearing"
    assert await code("POST", "/api/hearing/close") == "no-hearing"
    assert await code("POST", "/api/marks", json={"kind": "举证"}) == "no-hearing"
    assert await code("PUT", "/api/presentation", json=view) == "no-hearing"
    await room.open()
    assert await code("POST", "/api/hearing/resume") == "not-paused"
    await room.clerk.post("/api/hearing/pause", json=reason)
    assert await code("POST", "/api/hearing/pause", json=reason) == "paused"
    assert await code("PUT", "/api/presentation", json=view) == "paused"
    await room.clerk.post("/api/hearing/close")
    assert await code("POST", "/api/hearing/resume") == "no-hearing"


async def test_a_full_disk_refuses_to_open(room: Room) -> None:
    storage = room.profile.storage.model_copy(update={"reserve_gib": 1_000_000.0})
    room.profile = room.profile.model_copy(update={"storage": storage})
    await room.stop()
    await room.start()
    await room.until_state(lambda state: state["recorder"])
    answer = await room.clerk.post("/api/hearing", json=CASE)
    assert (answer.status_code, answer.json()["code"]) == (409, "disk")
    assert (await room.state())["hearing"] is None


async def test_no_running_track_refuses_to_open(room: Room) -> None:
    room.recorder.runs = False
    await room.until_state(lambda state: state["recorder"]["tracks"][0]["state"] == "failed")
    answer = await room.clerk.post("/api/hearing", json=CASE)
    assert (answer.status_code, answer.json()["code"]) == (409, "recorder")


async def test_a_silent_recorder_refuses_to_open(room: Room) -> None:
    room.recorder.speaks = False
    await room.until_state(lambda state: state["recorder"] is None)
    answer = await room.clerk.post("/api/hearing", json=CASE)
    assert (answer.status_code, answer.json()["code"]) == (409, "recorder")


async def test_an_unconfirmed_recording_raises_the_alarm_and_clears_it_when_it_is_kept(room: Room) -> None:
    room.recorder.keeps = False
    hearing = await room.open()
    assert hearing["state"] == "open"
    assert [(a["code"], a["cleared_ms"]) for a in hearing["alarms"]] == [("not-recording", None)]
    room.recorder.keeps = True
    state = await room.until_state(lambda state: state["hearing"]["alarms"][0]["cleared_ms"])
    assert len(state["hearing"]["alarms"]) == 1


async def test_a_recorder_that_dies_in_the_middle_raises_the_alarm(room: Room) -> None:
    await room.open()
    room.recorder.speaks = False
    await room.until_state(lambda state: [a["code"] for a in state["hearing"]["alarms"]] == ["not-recording"])
    room.recorder.speaks = True
    await room.until_state(lambda state: state["hearing"]["alarms"][0]["cleared_ms"])


async def test_a_dead_transcriber_raises_the_alarm_and_the_hearing_goes_on(room: Room) -> None:
    await room.open()
    await room.transcriber.stop()
    state = await room.until_state(lambda state: state["hearing"]["alarms"])
    assert [a["code"] for a in state["hearing"]["alarms"]] == ["transcriber"]
    assert state["hearing"]["state"] == "open"
    await room.transcriber.start()
    await room.until_state(lambda state: state["hearing"]["alarms"][0]["cleared_ms"])


async def test_a_transcriber_that_begins_anew_leaves_no_caption_behind(room: Room) -> None:
    await room.open()
    said = {"id": "u1", "seat": "judge", "role": "审判长", "start_ns": 1, "end_ns": 2, "text": "现在", "stable": 0}
    room.transcriber.publish_json("caption", said)
    await room.until_state(lambda state: [c["id"] for c in state["captions"]] == ["u1"])
    room.transcriber.publish_json("status", {"state": "loading", "lag_ms": 0, "why": ""})
    await room.until_state(lambda state: state["captions"] == [])


async def test_a_restart_shows_the_same_state(room: Room) -> None:
    await room.open()
    await room.clerk.post("/api/marks", json={"kind": "举证", "text": "原告举证"})
    paused = (await room.clerk.post("/api/hearing/pause", json={"reason": "mediation"})).json()
    await room.stop()
    await room.start()
    assert (await room.state())["hearing"] == paused
    assert (await room.clerk.post("/api/hearing/resume")).json()["state"] == "open"


async def test_the_docket_survives_an_outage_and_opens_a_hearing(room: Room, tmp_path: Path) -> None:
    from sync.room.feed import FeedServer

    uplink = FeedServer(room.layout.feed("uplink"))
    await uplink.start()
    entry = {**CASE, "id": "d1", "time": "09:30", "public": False}
    uplink.publish_json("docket", {"date": "tomorrow", "hearings": []}, retain=True)
    uplink.publish_json("docket", {"date": "2026-11-22", "hearings": [entry]}, retain=True)
    await room.until_state(lambda state: state["docket"])
    await uplink.stop()
    await room.stop()
    await room.start()
    assert (await room.state())["docket"]["hearings"] == [entry]
    assert (await room.clerk.post("/api/hearing", json={"docket_id": "d9"})).status_code == 404
    await room.until_state(lambda state: state["recorder"])
    opened = (await room.clerk.post("/api/hearing", json={"docket_id": "d1"})).json()
    civil = shipped_kinds()["civil"]
    said: dict[str, object] = {
        "kind": "civil",
        "branch": "民事",
        "roles": civil.roles,
        "bench": civil.bench,
        "paper": "法庭笔录",
    }
    said |= {"notices": civil.notices, "marks": civil.marks}
    assert opened["case"] == {**CASE, **said, "id": "d1", "public": False}


async def test_a_case_that_is_not_one_is_refused(room: Room) -> None:
    long, unknown = {"case_no": "x" * 101}, {"case_no": "1", "who": "me"}
    bodies: list[Any] = [{}, {"case_no": ""}, long, unknown, {"docket_id": ""}, [], {"case_no": 1}]
    for body in bodies:
        answer = await room.clerk.post("/api/hearing", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), body


async def test_marks_are_kept(room: Room) -> None:
    await room.open()
    mark = (await room.clerk.post("/api/marks", json={"kind": "质证", "text": "x"})).json()
    assert (await room.state())["hearing"]["marks"] == [mark]


async def test_every_act_is_in_the_outbox(room: Room) -> None:
    await room.open()
    await room.clerk.post("/api/hearing/close")
    log = RoomLog(room.layout.log)
    assert [e.kind for e in log.pending() if e.kind != "access"] == ["open", "close"]
    log.close()


async def test_a_log_that_takes_nothing_refuses_acts_but_keeps_the_panel_up(room: Room) -> None:
    await room.stop()
    edge = assemble(room.profile)
    await edge.state.start()
    try:
        await edge.state.append("open", {"case": CASE}, hearing="h")
        assert edge.room_log._connection is not None
        edge.room_log._connection.execute("PRAGMA query_only = 1")  # SQLite now refuses every write
        with pytest.raises(StorageError):
            await edge.state.append("mark", {}, hearing="h")
        await edge.alarms.set(NOT_RECORDING, True)
        edge.room_log._connection.execute("PRAGMA query_only = 0")
        await edge.alarms.set(NOT_RECORDING, True)
        assert edge.state.hearing is not None
        assert [alarm.code for alarm in edge.state.hearing.alarms] == ["not-recording"]
    finally:
        await edge.state.feed.stop()
        edge.close()
