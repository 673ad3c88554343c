"""11. On an objection the clerk replays the passage and corrects; a refused correction is itself recorded (art. 7)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support.rooms.edge_room import Room
from tests.support.rooms.signing_court import Court, printed


@pytest_asyncio.fixture
async def court(courtroom: Room) -> AsyncIterator[Court]:
    made = await Court.of(courtroom)
    yield made
    made.log.close()


async def test_a_correction_and_a_refused_one_are_leaves_and_stand_in_the_transcript(
    court: Court, tmp_path: Path
) -> None:
    lines = {u["id"]: u for u in (await court.room.state())["hearing"]["utterances"]}

    def played(line: str) -> dict[str, float]:
        return {"replayed_from_ms": lines[line]["start_ms"], "replayed_to_ms": lines[line]["end_ms"]}

    first = await court.lay()
    await court.sign(first, "原告")
    await court.edit("u3", "我实际收到二十六万元。", id="r1", act="objection", reopen=True)
    of = {"by": {"role": "被告", "name": "李建国"}}
    corrected = {"line": "u3", "wants": "我实际收到二十六万元。", "outcome": "corrected", "revision": "r1"}
    await court.post("objections", of | corrected | {"text": lines["u3"]["text"]} | played("u3"))
    refused = {
        "line": "u2",
        "wants": "请求偿还借款本金二十万元。",
        "outcome": "refused",
        "reason": "回放录音与笔录一致",
    }
    await court.post("objections", of | refused | played("u2"))
    assert (await court.states())["原告"] == "waiting"  # the words are others than were signed

    second = await court.lay()
    await court.sign_all(second)
    value = await court.finished()
    [one, other] = [e.body for e in await court.events("objection")]
    assert (one["outcome"], one["revision"], one["text"]) == ("corrected", "r1", lines["u3"]["text"])
    assert (other["outcome"], other["reason"]) == ("refused", "回放录音与笔录一致")
    assert other["replayed_to_ns"] > other["replayed_from_ns"] > 0

    pdf, _ = await court.document("pdf")
    words = printed(pdf, tmp_path)
    assert "被告：我实际收到二十六万元。" in words
    assert "不予补正，理由：回放录音与笔录一致" in words
    assert "已予补正" in words
    kept = json.loads((await court.document("json"))[0])
    versions = next(line["versions"] for line in kept["lines"] if line["id"] == "u3")
    assert [v["text"] for v in versions] == [lines["u3"]["text"], "我实际收到二十六万元。"]
    assert [v["version"] for v in kept["versions"]] == [1, 2]
    assert value["transcript"]["version"] == 2
