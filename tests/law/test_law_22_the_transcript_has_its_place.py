"""22. Registration, hearing, 笔录, exhibits and management each have a place: that of the 笔录, from word to file."""

from __future__ import annotations

import asyncio

from tests.support.rooms.edge_room import Room
from tests.support.rooms.signing_court import Court, enroll_device
from wutong.verify.device_pdf import check_pdf


async def test_from_the_docket_over_the_words_to_a_file_that_the_device_signed(courtroom: Room) -> None:
    center = enroll_device(courtroom.layout, courtroom.profile.address)
    court = await Court.of(courtroom)
    try:
        state = await courtroom.state()
        assert next(u["text"] for u in state["hearing"]["utterances"]) == "请全体起立。"  # words, each with its moment
        await court.sign_all(await court.lay())
        await court.finished()
        kinds = {e.body["kind"]: e.body for e in await court.events("document")}
        assert set(kinds) == {"pdf", "docx", "srt", "vtt", "json"}
        folder = courtroom.layout.hearing(court.hearing)
        assert all((folder / said["file"]).stat().st_size == said["bytes"] for said in kinds.values())
        pdf, _ = await court.document("pdf")
        assert await asyncio.to_thread(check_pdf, pdf, center) == courtroom.profile.address
    finally:
        court.log.close()
