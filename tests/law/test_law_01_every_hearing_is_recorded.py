"""1. A scheduled hearing without a recording raises an exception at the center (art. 1)."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from server.inspection.unrecorded import CODE, OVER, Unrecorded
from tests.support.peers.center_peers import RoomPeer, Served, opening, until


def docket(minutes_ago: int, *, public: bool = True) -> dict[str, Any]:
    at = datetime.now() - timedelta(minutes=minutes_ago)
    entry = {"id": "d1", "time": f"{at:%H:%M}", "case_no": "(2026)黑05民初123号", "public": public}
    return {"date": f"{at:%Y-%m-%d}", "hearings": [entry]}


async def alarms(archive: Served) -> list[dict[str, str]]:
    async with archive.inspector() as http:
        rooms = (await http.get("/api/rooms")).json()
    return next(room["center_alarms"] for room in rooms if room["address"] == "court1/c03")


async def plan(archive: Served, minutes_ago: int, *, public: bool = True) -> None:
    async with archive.inspector() as http:
        answer = await http.put("/api/docket/court1/c03", json=docket(minutes_ago, public=public))
        assert answer.status_code == 200, answer.text
    await archive.center.unrecorded.poll()


async def test_a_planned_hearing_that_nobody_opened_is_an_alarm_on_the_wall_and_a_line_of_the_audit(
    archive: Served,
) -> None:
    await plan(archive, 30)
    [alarm] = await alarms(archive)
    assert alarm["code"] == CODE
    assert "(2026)黑05民初123号" in alarm["text"]
    assert "法庭离线" in alarm["text"]
    await archive.center.unrecorded.poll()  # says it once
    again = Unrecorded(archive.center.archive, None, archive.center.rooms, 10)  # type: ignore[arg-type]  # must not write
    await again.poll()  # a restart of the center neither forgets nor repeats it
    [line] = await archive.audited(CODE)
    assert json.loads(line["detail"])["room"] == "court1/c03"


async def test_the_alarm_does_not_name_a_case_that_is_not_tried_in_public(archive: Served) -> None:
    await plan(archive, 30, public=False)
    [alarm] = await alarms(archive)
    assert "不公开审理" in alarm["text"]
    assert "123" not in alarm["text"]


async def test_one_that_is_not_due_yet_or_was_opened_is_none(archive: Served, sender: RoomPeer) -> None:
    await plan(archive, 5)
    assert await alarms(archive) == []
    await plan(archive, 30)
    assert [alarm["code"] for alarm in await alarms(archive)] == [CODE]
    late = opening(1)
    late["body"]["case"]["id"] = "d1"
    late["utc_ns"] = time.time_ns() - 60 * 10**9
    sender.publish("events", late)
    await until(lambda: 1 in sender.receipts())
    await archive.center.unrecorded.poll()
    assert await alarms(archive) == []
    assert len(await archive.audited(OVER)) == 1


async def put(archive: Served, planned: dict[str, Any]) -> None:
    async with archive.inspector() as http:
        (await http.put("/api/docket/court1/c03", json=planned)).raise_for_status()
    await archive.center.unrecorded.poll()


@pytest.mark.parametrize(
    "hidden_by", ["an empty day", "a later hour", "another day", "another day and this one, empty"]
)
async def test_no_docket_that_comes_later_hides_that_a_hearing_was_due(archive: Served, hidden_by: str) -> None:
    due = docket(30)
    await put(archive, due)
    assert [alarm["code"] for alarm in await alarms(archive)] == [CODE]
    if hidden_by.startswith("another day"):
        await put(archive, {"date": "2030-01-02", "hearings": due["hearings"]})
    if hidden_by == "a later hour":
        await put(archive, {**due, "hearings": [{**due["hearings"][0], "time": "23:59"}]})
    elif hidden_by != "another day":
        await put(archive, {**due, "hearings": []})
    [still] = await alarms(archive)
    assert (still["code"], "(2026)黑05民初123号" in still["text"]) == (CODE, True)
    assert ("开庭时间后" in still["text"]) == (hidden_by != "another day"), "what was done about it is said"
    assert len(await archive.audited(CODE)) == 1


async def test_what_was_taken_off_moved_or_renamed_in_time_is_not_missed(archive: Served) -> None:
    now = datetime.now()
    planned = docket(-60)  # in an hour
    await put(archive, planned)
    await put(archive, {"date": "2030-01-02", "hearings": []})
    await put(archive, {**planned, "hearings": []})
    watching = archive.center.unrecorded
    watching._utc_s = lambda: (now + timedelta(hours=3)).timestamp()
    await watching.poll()
    assert await alarms(archive) == []
    assert await archive.center.archive.audited(CODE) == []


async def test_what_another_day_displaced_before_its_hour_is_missed_and_recorded_late(
    archive: Served, sender: RoomPeer
) -> None:
    now = datetime.now()
    planned = docket(-60)
    await put(archive, planned)
    await put(archive, {"date": "2030-01-02", "hearings": []})
    watching = archive.center.unrecorded
    watching._utc_s = lambda: (now + timedelta(hours=3)).timestamp()
    await watching.poll()
    assert [alarm["code"] for alarm in await alarms(archive)] == [CODE]
    late = opening(1)
    late["body"]["case"]["id"] = "d1"
    late["utc_ns"] = int((now + timedelta(hours=1)).timestamp() * 1e9)
    sender.publish("events", late)
    await until(lambda: 1 in sender.receipts())
    await watching.poll()
    assert await alarms(archive) == []
    assert len(await archive.audited(OVER)) == 1


async def test_one_that_began_after_midnight_is_the_one_of_the_evening(
    archive: Served, sender: RoomPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    evening = docket(0)
    evening["date"] = f"{midnight - timedelta(days=1):%Y-%m-%d}"
    evening["hearings"][0]["time"] = "23:59"
    async with archive.inspector() as http:
        (await http.put("/api/docket/court1/c03", json=evening)).raise_for_status()
    watching = archive.center.unrecorded
    monkeypatch.setattr(watching, "_utc_s", lambda: midnight.timestamp() + 3600)
    await watching.poll()
    assert [alarm["code"] for alarm in await alarms(archive)] == [CODE]
    late = opening(1)
    late["body"]["case"]["id"] = "d1"
    late["utc_ns"] = int((midnight.timestamp() + 60) * 10**9)
    sender.publish("events", late)
    await until(lambda: 1 in sender.receipts())
    await watching.poll()
    assert await alarms(archive) == []


async def test_from_opening_to_close_every_moment_of_every_track_is_kept_or_declared(recorder: Any) -> None:
    from tests.support.rooms.recorder_room import spans

    await recorder.until(recorder.running, "all sources run")
    opened_ns = recorder.say("open", case={}, seats=[], tracks=[])
    await recorder.pass_media("bench", 5)
    closed_ns = recorder.say("close")
    view = await recorder.closed("bench", "mics", "mix")
    for track in ("bench", "mics", "mix"):
        [(from_ns, to_ns)] = spans(view, track)
        assert from_ns <= opened_ns + 1_200_000_000
        assert to_ns >= closed_ns - 20_000_000
