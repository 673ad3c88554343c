"""What a real room writes of words, revisions and signatures is taken by a center, exported, and judged as meant."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from server.events.admission import read_event
from sync.room.checkpoints import Checkpoints
from tests.support.rooms.edge_room import Room, enroll
from tests.support.rooms.signing_court import PARTIES, Court
from wutong.export.bundle import export
from wutong.export.sources.room import RoomSource
from wutong.verify.case import ExportCase
from wutong.verify.examine import examine
from wutong.verify.verdict import Verdict

WORDS = 10
"""The step of the verifier that judges words and signatures."""


@pytest_asyncio.fixture
async def court(tmp_path: Path) -> AsyncIterator[Court]:
    people = tmp_path / "people"
    people.mkdir()
    (tmp_path / "room").mkdir()
    async with Room(tmp_path / "room", people, enroll(people)) as room:
        made = await Court.of(room)
        yield made
        made.log.close()


async def test_what_a_room_writes_of_signed_words_is_taken_and_verifies(court: Court, tmp_path: Path) -> None:
    await court.edit("u2", "请求判令被告偿还借款本金三十万元及利息。", reason="听音更正")
    first = await court.lay()
    await court.sign(first, "原告")
    await court.sign("", "证人", act="expect", size=None, strokes=[])
    by = {"role": "被告", "name": "李建国"}
    await court.post(
        "objections", {"line": "u3", "by": by, "wants": "还过六万元", "outcome": "refused", "reason": "如录音"}
    )
    await court.edit("u0", "请全体起立！", reopen=True)
    last = await court.lay()
    assert last != first
    await court.refuse(last, "被告", "不认可金额")
    await court.sign_all(last, *(role for role in (*PARTIES, "证人") if role != "被告"))
    await court.finished()

    events = await court.events()
    for event in events:
        message = json.dumps(event.to_json(), ensure_ascii=False).encode()
        assert read_event("court1/c03", message).event == event
    checkpoints = Checkpoints(court.room.layout.log)
    async with asyncio.timeout(60):
        while (last_one := checkpoints.last(court.hearing)) is None or last_one.size < len(events):
            await asyncio.sleep(0.2)  # the notary signs every few seconds; an export ends with what is signed
    checkpoints.close()
    source = RoomSource(court.room.layout.data, court.hearing)
    export(source, tmp_path / "out", people=False)
    source.close()
    judgment = examine(ExportCase(tmp_path / "out"))
    about_words = [reason for reason in judgment.reasons if reason.step == WORDS]
    assert not [reason for reason in about_words if reason.verdict is Verdict.NOT_AUTHENTIC], about_words
    told = {reason.code for reason in about_words}
    assert told == {"signed", "signed-before", "refused", "objection-refused"}
    kinds = {path.suffix for path in (tmp_path / "out" / "documents").iterdir()}
    assert kinds == {".pdf", ".docx", ".json", ".srt", ".vtt"}
