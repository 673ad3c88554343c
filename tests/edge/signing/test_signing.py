"""Signing: words are laid before people, who sign exactly these, refuse or object; then documents, then the seal."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from edge.documents import jobs
from sync.errors import ConfigError
from sync.ledger.leaf import leaf_of, read_leaf
from sync.ledger.seal import check
from sync.ledger.tree import leaf_hash
from sync.record.hearing import Hearing
from sync.record.signing import false_versions, words_of, words_sha256
from tests.support.files import databases
from tests.support.rooms.edge_room import Room
from tests.support.rooms.signing_court import PARTIES, SAID, Court, strokes


@pytest_asyncio.fixture
async def court(room: Room) -> AsyncIterator[Court]:
    made = await Court.of(room)
    yield made
    made.log.close()


async def test_nothing_is_signed_before_the_close_or_while_words_may_come(room: Room) -> None:
    assert (await room.clerk.get("/api/transcript/signing")).json()["code"] == "no-hearing"
    await room.open()
    answer = await room.clerk.post("/api/transcript/final", json={"id": "a"})
    assert (answer.status_code, answer.json()["code"]) == (409, "open")
    await room.clerk.post("/api/hearing/close")
    hearing = (await room.state())["hearing"]["id"]
    room.transcriber.publish_json("status", {"state": "ready", "lag_ms": 0, "why": "", "hearings": [hearing]})
    await room.until_state(lambda s: s["transcriber"].get("hearings") == [hearing])
    assert (await room.clerk.post("/api/transcript/final", json={"id": "b"})).json()["code"] == "open"
    assert (await room.clerk.post("/api/transcript/final", json={"id": "b", "despite": True})).status_code == 200


async def test_a_signature_counts_for_exactly_the_words_it_was_given_for(court: Court) -> None:
    first = await court.lay()
    assert await court.lay() == first
    assert [e.body["version"] for e in await court.events("transcript")] == [1]
    lines = Hearing.of(court.hearing, await court.events()).transcript.lines
    assert first == words_sha256(court.hearing, words_of(lines))
    await court.sign(first, "原告")
    assert (await court.sign(first, "原告", 409))["code"] == "signed-already"
    assert (await court.edit("u3", "我收到二十七万元。", 409))["code"] == "signed"
    await court.edit("u3", "我收到二十七万元。", reopen=True)
    assert (await court.sign(first, "被告", 409))["code"] == "stale"
    assert (await court.signing())["transcript"]["current"] is False
    second = await court.lay()
    assert second != first
    assert set((await court.states()).values()) == {"waiting"}
    await court.sign(second, "原告")
    assert (await court.states())["原告"] == "signed"
    assert [e.body["transcript"] for e in await court.events("signature")] == [first, second]
    assert false_versions(court.hearing, await court.events()) == []


async def test_words_that_come_back_are_the_words_that_were_signed(court: Court) -> None:
    sha256 = await court.lay()
    await court.sign(sha256, "被告")
    await court.edit("u0", "请起立。", reopen=True)
    await court.lay()
    await court.edit("u0", "请全体起立。", reopen=True)
    assert await court.lay() == sha256
    assert (await court.signing())["transcript"]["version"] == 3
    assert (await court.states())["被告"] == "signed"


async def test_the_bench_signs_and_others_may_refuse_with_a_reason(court: Court) -> None:
    sha256 = await court.lay()
    assert (await court.refuse(sha256, "被告", "", 422))["code"] == "invalid"
    assert (await court.refuse(sha256, "审判长", "不愿意", 422))["code"] == "invalid"
    await court.refuse(sha256, "被告", "补正未获准许")
    value = await court.sign_all(sha256, "原告", "审判长")
    assert value["complete"] is False
    value = await court.sign_all(sha256, "书记员")
    assert value["complete"] is True
    assert {p["role"]: p["reason"] for p in value["people"]}["被告"] == "补正未获准许"
    await court.sign(sha256, "被告")  # who refused may think better of it
    assert (await court.states())["被告"] == "signed"


async def test_a_witness_is_added_and_who_was_not_there_is_not_waited_for(court: Court) -> None:
    sha256 = await court.lay()
    await court.post("signatures", {"role": "证人", "name": "周某", "act": "expect"})
    assert [p["role"] for p in (await court.signing())["people"]] == ["原告", "被告", "证人", "审判长", "书记员"]
    await court.sign_all(sha256)
    assert (await court.signing())["complete"] is False
    away = {"role": "证人", "name": "周某", "act": "absent", "reason": "作证后已离庭"}
    assert (await court.post("signatures", away))["complete"] is True
    assert {e.body["transcript"] for e in await court.events("signature")} == {sha256}


async def test_one_touch_twice_is_one_signature_and_a_slip_of_the_hand_is_none(court: Court) -> None:
    sha256 = await court.lay()
    for _ in range(2):
        await court.sign(sha256, "原告", id="once")
    assert len(await court.events("signature")) == 1
    short = [[[0.5, 0.5, 0.0, 0.5], [0.505, 0.5, 9.0, 0.5]]]
    wild: list[Any] = [[], short, [[[0.1, 2.0, 0.0, 0.5]]], [[[0.1, 0.2, 0.0]]], strokes() * 30]
    for bad in [*wild, [[[0.1, 0.1 + n / 9000, float(n), 0.5] for n in range(4001)]]]:
        assert (await court.sign(sha256, "被告", 422, strokes=bad))["code"] == "invalid"
    assert (await court.sign(sha256, "被告", 422, name=""))["code"] == "invalid"
    assert (await court.sign(sha256, "被告", 422, name="\u0007\u200b"))["code"] == "invalid"  # nothing once it is clean
    assert (await court.sign("f" * 64, "被告", 409))["code"] == "stale"


async def test_an_objection_is_corrected_by_a_revision_or_refused_with_a_reason(court: Court) -> None:
    by = {"role": "被告", "name": "李建国"}
    asked = {"line": "u3", "by": by, "wants": "我收到二十六万元。", "replayed_from_ms": 10.5, "replayed_to_ms": 20.0}
    assert (await court.post("objections", asked | {"outcome": "refused"}, 422))["code"] == "invalid"
    lost = asked | {"outcome": "corrected", "revision": "nowhere"}
    assert (await court.post("objections", lost, 404))["code"] == "not-found"
    false = asked | {"outcome": "refused", "reason": "回放与笔录一致", "text": "我什么也没收到。"}
    assert (await court.post("objections", false, 422))["code"] == "invalid"
    await court.post("objections", asked | {"outcome": "refused", "reason": "回放与笔录一致"})
    corrected = asked | {"outcome": "corrected", "text": SAID[3][1]}
    await court.edit("u3", "我收到二十六万元吧。", id="r0")
    assert (await court.post("objections", corrected | {"revision": "r0"}, 422))["code"] == "invalid"  # a plain edit
    await court.edit("u3", "我收到二十五万元。", id="other", act="objection")
    assert (await court.post("objections", corrected | {"revision": "other"}, 422))["code"] == "invalid"  # other words
    await court.edit("u3", "我收到二十六万元。", id="gone", act="objection")
    await court.post("undo", {"tab": "t1", "revision": "gone"})
    assert (await court.post("objections", corrected | {"revision": "gone"}, 422))["code"] == "invalid"  # taken back
    await court.edit("u3", "我收到二十六万元。", id="r1", act="objection")
    value = await court.post("objections", corrected | {"revision": "r1"})
    assert [o["outcome"] for o in value["objections"]] == ["refused", "corrected"]
    [first, second] = [e.body for e in await court.events("objection")]
    assert first["text"].startswith("我实际收到")
    assert (first["reason"], first["replayed_from_ns"]) == ("回放与笔录一致", 10_500_000)
    assert (second["revision"], second["text"]) == ("r1", SAID[3][1])


async def test_when_all_have_signed_the_documents_are_made_once_also_over_a_power_cut(court: Court) -> None:
    draft, is_draft = await court.document("srt")
    assert is_draft
    assert "草稿，未经核对签名" in draft.decode()
    await court.sign_all(await court.lay())
    value = await court.finished()
    assert {d["kind"] for d in value["documents"]} == {"pdf", "docx", "json", "srt", "vtt"}
    pdf, is_draft = await court.document("pdf")
    assert not is_draft
    [said] = [e.body for e in await court.events("document") if e.body["kind"] == "pdf"]
    assert said["sha256"] == hashlib.sha256(pdf).hexdigest()
    kept = court.room.layout.hearing(court.hearing) / said["file"]
    assert kept.read_bytes() == pdf
    await court.room.stop()
    with databases.opened(court.room.layout.log) as db:  # as if the power had gone before the last was written down
        db.execute("DELETE FROM outbox WHERE number IN (SELECT number FROM event WHERE key LIKE 'document/%/srt')")
        db.execute("DELETE FROM event WHERE key LIKE 'document/%/srt'")
    await court.room.start()  # what is missing is made, what is there is not made again
    await court.finished()
    assert sorted(e.body["kind"] for e in await court.events("document")) == ["docx", "json", "pdf", "srt", "vtt"]
    assert kept.read_bytes() == pdf
    leftover = [p.name for p in kept.parent.iterdir() if p.name.startswith(".")]
    assert leftover == []


async def test_every_version_and_signature_is_a_leaf_that_reads_back(court: Court) -> None:
    sha256 = await court.lay()
    await court.sign_all(sha256, *list(PARTIES)[:2])
    events = await court.events()
    leaves = [leaf_of(event) for event in events]
    assert [read_leaf(leaf) for leaf in leaves] == events
    assert check(events, [leaf_hash(leaf) for leaf in leaves]) is None  # the recorder of this room kept nothing
    assert max(len(leaf) for leaf in leaves) < 20_000


async def test_how_far_a_document_is_is_shown_while_the_panel_goes_on(court: Court) -> None:
    room = court.room
    async with room.socket("/api/live") as socket:
        fetching = asyncio.create_task(court.document("docx"))
        parts: list[float] = []
        async with asyncio.timeout(120):
            async for text in socket:
                message = json.loads(text) if isinstance(text, str) else {}
                if message.get("type") != "signing":
                    continue
                if message["value"]["making"] is not None:
                    parts.append(message["value"]["making"])
                    assert (await room.clerk.get("/api/state")).status_code == 200
                elif parts:
                    break
        assert (await fetching)[1]
    assert parts[0] == 0.0
    assert parts == sorted(parts)


async def test_what_the_paper_will_not_have_is_said_before_anybody_signs(court: Court) -> None:
    assert (await court.signing())["unprinted"] == []
    await court.edit("u3", "证人叫\ue000。")
    [one] = (await court.signing())["unprinted"]
    assert (one["code"], [place["line"] for place in one["places"]]) == ("U+E000", ["u3"])


async def test_one_document_that_fails_is_said_and_tried_again_and_the_others_are_there(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "WORKER", "tests.support.words.broken_maker")
    monkeypatch.setitem(os.environ, "WUTONG_BROKEN_MAKER", "raise")
    sha256 = await court.lay()
    await court.sign_all(sha256)
    answer = await court.room.clerk.get("/api/transcript/document.docx")
    assert (answer.status_code, answer.headers["x-wutong-draft"]) == (200, "0")
    answer = await court.room.clerk.get("/api/transcript/document.pdf")
    assert (answer.status_code, "a defect of a library" in answer.json()["message"]) == (507, True)
    value = await court.signing()
    assert [one["kind"] for one in value["failures"]] == ["pdf"]
    assert sorted(one["kind"] for one in value["documents"]) == ["docx", "json", "srt", "vtt"]
    folder = court.room.layout.hearing(court.hearing) / "documents"
    assert (folder / jobs.FAILED).exists()
    monkeypatch.setattr(jobs, "WORKER", "edge.documents.worker")
    assert (await court.room.clerk.get("/api/transcript/document.pdf")).status_code == 200
    assert (await court.signing())["failures"] == []
    assert not (folder / jobs.FAILED).exists()


async def test_a_machine_without_its_font_keeps_its_panel(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> list[object]:
        raise ConfigError("no font for Chinese is installed")

    monkeypatch.setattr("edge.signing.commands.unprinted", missing)
    await court.edit("u1", "现在开庭。")
    assert (await court.signing())["unprinted"] == []
    await court.lay()
