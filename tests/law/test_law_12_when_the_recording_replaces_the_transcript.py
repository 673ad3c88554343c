"""12. The recording replaces the 笔录 only in simplified civil procedure and with the parties' consent (art. 8)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from sync.record.hearing import Hearing
from sync.room.event_log import RoomLog
from tests.support.rooms.edge_room import CASE, Room

PARTIES = {"原告": "张三", "被告": "李四"}


async def agree(courtroom: Room, *names: str) -> httpx.Response:
    return await courtroom.clerk.post("/api/hearing/replacement", json={"consents": list(names)})


async def opened(courtroom: Room, **more: Any) -> str:
    despite = (await courtroom.state())["selftest"]["hindrances"]
    answer = await courtroom.clerk.post("/api/hearing", json={**CASE, "parties": PARTIES, "despite": despite, **more})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def test_with_the_procedure_and_everybodys_consent_it_does_and_the_record_says_who_agreed(
    courtroom: Room,
) -> None:
    hearing = await opened(courtroom, procedure="simplified")
    assert (await agree(courtroom, "张三", "李四")).json()["replaced_by_consent_of"] == ["张三", "李四"]
    log = RoomLog(courtroom.layout.log)
    try:
        [event] = [e for e in log.of_hearing(hearing) if e.kind == "replacement"]
        assert Hearing.of(hearing, log.of_hearing(hearing)).replaced_by_consent_of == ["张三", "李四"]
    finally:
        log.close()
    assert event.body == {"consents": ["张三", "李四"]}


@pytest.mark.parametrize(
    ("more", "names", "code"),
    [
        ({}, ("张三", "李四"), "procedure"),
        ({"procedure": "ordinary"}, ("张三", "李四"), "procedure"),
        ({"procedure": "simplified"}, ("张三",), "consent"),
        ({"procedure": "simplified"}, (), "consent"),
        ({"procedure": "simplified", "parties": {}}, ("王五",), "consent"),
    ],
)
async def test_otherwise_it_never_does(
    courtroom: Room, more: dict[str, Any], names: tuple[str, ...], code: str
) -> None:
    await opened(courtroom, **more)
    answer = await agree(courtroom, *names)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert (await courtroom.state())["hearing"]["replaced_by_consent_of"] == []


async def test_without_a_hearing_there_is_nothing_to_replace(courtroom: Room) -> None:
    assert (await agree(courtroom, "张三")).json()["code"] == "no-hearing"
