"""10. Recognized text becomes the 笔录 only after judges, clerk and participants checked and signed it (art. 6)."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from docx import Document

from tests.support.rooms.edge_room import Room
from tests.support.rooms.signing_court import PARTIES, Court, printed

DRAFT = "草稿，未经核对签名"


@pytest_asyncio.fixture
async def court(courtroom: Room) -> AsyncIterator[Court]:
    made = await Court.of(courtroom)
    yield made
    made.log.close()


async def test_until_the_last_has_signed_it_is_a_draft_and_says_so_on_every_paper(court: Court, tmp_path: Path) -> None:
    sha256 = await court.lay()
    for role in list(PARTIES)[:-1]:
        await court.sign(sha256, role)
    pdf, is_draft = await court.document("pdf")
    assert is_draft
    assert DRAFT in printed(pdf, tmp_path)
    docx, is_draft = await court.document("docx")
    assert is_draft
    assert DRAFT in "".join(p.text for p in Document(io.BytesIO(docx)).sections[0].header.paragraphs)
    assert await court.events("document") == []

    await court.sign(sha256, list(PARTIES)[-1])
    await court.finished()
    pdf, is_draft = await court.document("pdf")
    assert not is_draft
    words = printed(pdf, tmp_path)
    assert "草稿" not in words
    assert "以上笔录已由到庭人员核对" in words
    assert sha256 in words

    await court.edit("u4", "现在休庭。", reopen=True)  # other words are no transcript before they are signed
    srt, is_draft = await court.document("srt")
    assert is_draft
    assert DRAFT in srt.decode()


async def test_neither_the_judge_nor_the_clerk_nor_a_party_can_be_left_out(court: Court) -> None:
    sha256 = await court.lay()
    for left_out in PARTIES:
        value = await court.signing()
        assert not value["complete"]
        await court.sign(sha256, left_out)
    assert (await court.signing())["complete"]
