"""23. Access levels, dated log entries, speech searched by speaker, audit and storage reports, an API from outside."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.service import assemble
from sync.http.rights.rules import rule_of
from tests.support.peers.center_peers import RoomPeer, Served, event, opening, said, until
from tests.support.rooms.edge_room import CASE, Room


async def test_every_change_of_a_level_is_a_dated_entry_with_who_and_why(archive: Served, sender: RoomPeer) -> None:
    sender.publish("events", opening(1))
    await until(lambda: 1 in sender.receipts())
    before_ns = time.time_ns()
    async with archive.inspector() as http:
        body = {"level": "restricted", "reason": "涉及未成年人"}
        assert (await http.put("/api/hearings/h1/access", json=body)).status_code == 200
    [line] = await archive.audited("level")
    assert before_ns <= line["utc_ns"] <= time.time_ns()
    assert (line["role"], line["address"]) == ("inspector", "127.0.0.1")
    assert json.loads(line["detail"]) == {
        "hearing": "h1", "level": "restricted", "before": "open", "reason": "涉及未成年人",
    }  # fmt: skip


async def test_what_was_said_is_found_by_who_said_it(archive: Served, sender: RoomPeer) -> None:
    sender.publish("events", opening(1))
    sender.publish("events", said(2, "我借给他十万元", role="原告", at_ms=100))
    sender.publish("events", said(3, "我没有借过十万元", role="被告", at_ms=200))
    await until(lambda: {1, 2, 3} <= sender.receipts())
    async with archive.inspector() as http:
        hits = (await http.get("/api/search", params={"q": "十万元", "role": "被告"})).json()
    assert [hit["utterance"] for hit in hits] == ["u3"]


@pytest.mark.parametrize("as_json", [True, False])
async def test_the_report_says_what_is_held_what_is_missing_and_who_looked(
    archive: Served, sender: RoomPeer, tmp_path: Path, as_json: bool
) -> None:
    sender.publish("events", opening(1))
    gap = {"track": "bench", "from_ns": 10**9, "to_ns": 3 * 10**9, "why": "断电"}
    sender.publish("events", event(2, "gap", gap, at_ms=10))
    segment = {"track": "bench", "index": 0, "file": "f", "bytes": 5 << 30, "sha256": "0" * 64, "mime": ""}
    sender.publish("events", event(3, "segment", {**segment, "from_ns": 0, "to_ns": 1}, at_ms=20))
    sender.publish("events", event(4, "close", {}, at_ms=3_600_000))
    await until(lambda: {1, 2, 3, 4} <= sender.receipts())
    async with archive.inspector() as http:
        await http.get("/api/hearings/h1")
    await archive.audited("view")
    command = [sys.executable, "-c", "from wutong.cli import main; main()", "report"]
    command += ["--config", str(tmp_path / "center.toml"), *(["--json"] if as_json else [])]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, env={"COLUMNS": "160"}, check=True)  # noqa: ASYNC221 (the center need not answer)
    if not as_json:
        for words in ("court1/c03", "5.00", "view 1", "sign-in 1"):
            assert words in answer.stdout, answer.stdout
        return
    report = json.loads(answer.stdout)
    [room] = report["rooms"]
    assert (room["room"], room["hearings"], room["hours"], room["bytes"]) == ("court1/c03", 1, 1.0, 5 << 30)
    assert (room["gaps"], room["gap_seconds"]) == (1, 2.0)
    assert report["storage"]["free_bytes"] > 0
    acts = {act: count for day in report["days"] for act, count in day["audit"].items()}
    assert (acts["sign-in"], acts["view"]) == (1, 1)


async def test_the_rooms_interface_for_other_systems_has_start_pause_stop_query_and_mute(
    courtroom: Room, tmp_path: Path
) -> None:
    storage = courtroom.profile.storage.model_copy(update={"data": tmp_path / "other"})
    edge = assemble(courtroom.profile.model_copy(update={"storage": storage}))
    acts = {
        str(getattr(route, "path", "")).removeprefix("/api/control/")
        for route in edge.app.router.routes
        if getattr(route, "path", "").startswith("/api/control/")
        and (rule := rule_of(getattr(route, "endpoint", None))) is not None
        and rule.machine is not None
    }
    edge.close()
    assert acts == {"hearing", "pause", "resume", "stop", "state", "mute"}
    answer = await courtroom.stranger.post("/api/control/hearing", json=CASE)
    assert answer.status_code == 401  # how it works with its token: tests/edge/test_control.py
