"""The worst that a paste from Word did: a hearing that was signed and never got a document."""

from __future__ import annotations

import json

import pytest

from tests.support.rooms.edge_room import Room
from tests.support.rooms.signing_court import PARTIES, Court

pytestmark = pytest.mark.slow

CASE_NO = "（２０２６）黑05\v民初\x00123\u200b号\ufeff"


async def test_what_is_pasted_is_shown_signed_and_printed(room: Room) -> None:
    parties = {**PARTIES, "证\u200b人\v": "买买提 • 艾力\n王\x07芳"}
    said = (("审判长", "现在开庭。"), ("证人", "是我\u2028写的。"))
    court = await Court.of(room, said, case_no=CASE_NO, cause="借贷\u202e纠纷", title="\x1b[31m甲诉乙", parties=parties)
    hearing = (await room.state())["hearing"]
    assert hearing["case"]["case_no"] == "(2026)黑05民初123号"
    assert hearing["case"]["parties"] == {**PARTIES, "证人": "买买提·艾力、王芳"}
    assert (hearing["case"]["cause"], hearing["case"]["title"]) == ("借贷纠纷", "[31m甲诉乙")
    await court.edit("u1", "是我\v写的\x00。")
    sha256 = await court.lay()
    for role in PARTIES:
        await court.sign(sha256, role)
    for name in ("买买提艾力", "王 芳"):  # each signs with a spelling of their own
        await court.sign(sha256, "证人\ufeff", name=name)
    value = await court.finished()
    assert value["complete"]
    assert [(p["role"], p["name"], p["state"]) for p in value["people"] if p["role"] == "证人"] == [
        ("证人", "买买提·艾力", "signed"),
        ("证人", "王芳", "signed"),
    ]
    made = {kind: (await court.document(kind))[0] for kind in ("pdf", "docx", "srt", "vtt", "json")}
    assert "证人：是我 写的。" in made["srt"].decode()
    assert json.loads(made["json"])["heads"]["案号"] == "(2026)黑05民初123号"
    assert made["pdf"].startswith(b"%PDF")
    assert made["docx"].startswith(b"PK")
    court.log.close()
