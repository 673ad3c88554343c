"""After each utterance, what the corrector knows better: a visible revision, once, and never over a clerk's hand."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hardware.speech_settings import Transcriber
from sync.errors import ConfigError, StorageError
from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedServer
from transcriber.correction.reviser import Reviser
from transcriber.correction.vocabulary.corrector import Change, Corrector
from transcriber.recognition.recognizer import DOUBTED_PROBABILITY
from transcriber.unheard import LINES

HEARING = "h-1"
CASE = {"case_no": "(2026)黑05民初123号", "parties": {"原告": "张伟明", "被告": "李建国"}}


@dataclass
class RevisedHearing:
    """A room's log with a hearing, and its reviser."""

    log: RoomLog
    clock: RoomClock
    feed: FeedServer

    def say(self, kind: str, **body: Any) -> Event:
        return self.log.append(kind, body, hearing=HEARING, room_ns=1, utc_ns=1)

    def utter(self, name: str, text: str, sure: float = 0.7) -> Event:
        words = [{"text": c, "start_ns": 0, "end_ns": 1, "probability": sure} for c in text]
        body = {"id": name, "seat": "s", "role": "原告", "start_ns": 1, "end_ns": 2, "text": text, "words": words}
        return self.say("utterance", **body, confidence=sure)

    def edit(self, line: Event, text: str) -> Event:
        change = {"line": line.body["id"], "base": line.number, "set": {"text": text}}
        return self.say("revision", id="r1", act="edit", by="clerk", tab="t", name="", changes=[change])

    def reviser(self, **settings: Any) -> Reviser:
        return Reviser(settings=Transcriber(**settings), room_log=self.log, clock=self.clock, feed=self.feed)

    def revisions(self) -> list[Event]:
        return self.log.of_hearing(HEARING, ("revision",))

    def line(self, name: str) -> Any:
        return Hearing.of(HEARING, self.log.of_hearing(HEARING)).transcript.get(name)


@pytest.fixture
async def court(tmp_path: Path) -> AsyncIterator[RevisedHearing]:
    log = RoomLog(tmp_path / "log.sqlite")
    with tempfile.TemporaryDirectory() as short:  # a socket's path is short
        feed = FeedServer(Path(short) / "t.sock")
        await feed.start()
        court = RevisedHearing(log, RoomClock.open(tmp_path / "clock.json"), feed)
        court.say("open", case=CASE, seats=[], tracks=[])
        yield court
        await feed.stop()
    log.close()


async def test_a_correction_is_a_revision_with_its_reason(court: RevisedHearing) -> None:
    said = court.utter("u1", "被告发表执政意见。")
    await court.reviser().after(HEARING, said)
    [revision] = court.revisions()
    assert revision.number == said.number + 1
    assert (revision.body["by"], revision.body["act"]) == ("corrector", "correct")
    assert revision.body["reason"] == "执政→质证：同音，法庭调查「发表质证意见」"
    line = court.line("u1")
    assert line.text == "被告发表质证意见。"
    assert [v.get("text") for v in line.versions] == ["被告发表执政意见。", "被告发表质证意见。"]
    assert not line.touched


async def test_what_is_not_sure_is_proposed_in_its_place(court: RevisedHearing) -> None:
    said = court.utter("u1", "借款三十万元。休庭期间停止录音录下。")
    await court.reviser().after(HEARING, said)
    [revision] = court.revisions()
    line = court.line("u1")
    assert line.text == "借款30万元。休庭期间停止录音录下。"
    assert "三十万元→30万元：金额的写法" in revision.body["reason"]
    [proposal] = line.proposals
    at, length = proposal["at"], proposal["length"]
    assert (line.text[at : at + length], proposal["to"]) == ("下", "像")
    assert 0.5 <= proposal["confidence"] < 0.9


async def test_only_asked_for_it_only_proposes(court: RevisedHearing) -> None:
    said = court.utter("u1", "被告发表执政意见。")
    await court.reviser(corrections="propose").after(HEARING, said)
    [revision] = court.revisions()
    assert revision.body["act"] == "propose"
    line = court.line("u1")
    assert (line.text, line.proposals[0]["to"]) == ("被告发表执政意见。", "质证")


async def test_numbers_are_written_as_the_court_wants(court: RevisedHearing) -> None:
    said = court.utter("u1", "2023年6月1日借款30万元。")
    await court.reviser(numbers="as-heard").after(HEARING, said)
    assert court.revisions() == []
    await court.reviser(numbers="chinese").after(HEARING, said)
    assert court.line("u1").text == "二〇二三年六月一日借款三十万元。"


async def test_nothing_to_say_is_no_event(court: RevisedHearing) -> None:
    reviser = court.reviser()
    await reviser.after(HEARING, court.utter("u1", "我不同意。"))
    await reviser.after(HEARING, court.utter("u2", "〔此处语音未能转写，以录音为准〕"))
    off = court.reviser(corrections="off", numbers="chinese")
    await off.after(HEARING, court.utter("u3", "被告发表执政意见，30万元。"))
    assert court.revisions() == []


@pytest.mark.parametrize("text", sorted(LINES))
async def test_a_line_that_says_why_it_has_no_words_is_no_text_to_correct(court: RevisedHearing, text: str) -> None:
    reviser = court.reviser(numbers="chinese")
    await reviser.after(HEARING, court.utter("u1", text, 0.0))
    assert court.revisions() == []


async def test_words_in_doubt_stay_underlined_as_they_were_heard(court: RevisedHearing) -> None:
    text = "借款三十万元，" * 8
    await court.reviser().after(HEARING, court.utter("u1", text, DOUBTED_PROBABILITY))
    assert (court.line("u1").text, court.line("u1").unsure) == (text, [[0, len(text)]])


async def test_a_line_that_the_clerk_touched_a_moment_ago_is_left_alone(court: RevisedHearing) -> None:
    said = court.utter("u1", "被告发表执政意见。")
    court.edit(said, "被告：发表意见。")
    await court.reviser().after(HEARING, said)
    assert len(court.revisions()) == 1
    assert court.line("u1").text == "被告：发表意见。"


async def test_what_else_happened_meanwhile_does_not_hinder(court: RevisedHearing) -> None:
    other = court.utter("u0", "我同意。")
    said = court.utter("u1", "被告发表执政意见。")
    court.edit(other, "同意。")
    await court.reviser().after(HEARING, said)
    assert court.line("u1").text == "被告发表质证意见。"


async def test_after_a_crash_the_last_line_is_looked_at_once(court: RevisedHearing) -> None:
    first = court.utter("u1", "被告发表执政意见。")
    await court.reviser().after(HEARING, first)
    court.utter("u2", "原告张伟铭，没有意义。")  # killed before its revision
    for _ in range(2):
        await court.reviser().catch_up(HEARING)
    assert [e.body["changes"][0]["line"] for e in court.revisions()] == ["u1", "u2"]
    assert court.line("u2").text == "原告张伟明，没有异议。"


async def test_the_others_are_told(court: RevisedHearing) -> None:
    said = court.utter("u1", "被告发表执政意见。")
    told: list[Any] = []
    court.feed.publish_json = lambda topic, value, **_: told.append((topic, value))  # type: ignore[method-assign]  # listens
    await court.reviser().after(HEARING, said)
    assert told == [("log", {"number": said.number + 1})]


async def test_the_courts_own_terms_count(court: RevisedHearing, tmp_path: Path) -> None:
    terms = tmp_path / "terms.txt"
    terms.write_text("[本地地名]\n双鸭山市岭东区\n", encoding="utf-8")
    said = court.utter("u1", "住双鸭山市领东区。")
    await court.reviser(terms=terms).after(HEARING, said)
    assert court.line("u1").text == "住双鸭山市岭东区。"
    with pytest.raises(ConfigError, match="cannot be read"):
        court.reviser(terms=tmp_path / "none.txt")


async def test_a_hearing_without_a_case_has_the_courts_terms(court: RevisedHearing) -> None:
    event = court.log.append(
        "utterance", dict(court.utter("u9", "发表执政意见。").body), hearing="h-2", room_ns=1, utc_ns=1
    )
    await asyncio.wait_for(court.reviser().after("h-2", event), 60)
    assert json.dumps(court.log.of_hearing("h-2", ("revision",))[0].to_json()["body"], ensure_ascii=False)


async def test_an_engine_is_told_names_only_where_the_profile_wants_it(court: RevisedHearing) -> None:
    assert await court.reviser().bias(HEARING) == ""
    told = court.reviser(prompt=True)
    assert await told.bias(HEARING) == "张伟明，李建国"
    assert await told.echoed(HEARING, "张伟明，李建国。")
    assert not await told.echoed(HEARING, "我叫张伟明。")


async def test_a_defect_over_one_line_costs_its_revision_and_no_other(
    court: RevisedHearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Corrector.changes

    def stumbles(self: Corrector, text: str, *more: Any) -> list[Change]:
        if text.startswith("被告"):
            raise IndexError(text)
        return whole(self, text, *more)

    monkeypatch.setattr(Corrector, "changes", stumbles)
    reviser = court.reviser()
    await reviser.prepare()
    for name, text in (("u1", "被告发表执政意见。"), ("u2", "原告发表执政意见。")):
        await reviser.after(HEARING, court.utter(name, text))
    await court.reviser().catch_up(HEARING)  # the next start stumbles over it too, and goes on
    assert [court.line(name).text for name in ("u1", "u2")] == ["被告发表执政意见。", "原告发表质证意见。"]


async def test_a_defect_in_the_terms_of_a_case_costs_no_words(
    court: RevisedHearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbles(*_: Any) -> None:
        raise TypeError("no case that this code knows")

    monkeypatch.setattr(Reviser, "_make", stumbles)
    reviser = court.reviser(prompt=True)
    await reviser.prepare()
    await reviser.after(HEARING, court.utter("u1", "被告发表执政意见。"))
    assert (await reviser.bias(HEARING), await reviser.echoed(HEARING, "张伟明")) == ("", False)
    assert court.revisions() == []


async def test_a_disk_that_refuses_for_long_costs_the_revision_until_the_next_start(
    court: RevisedHearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transcriber.correction.reviser._RETRY_S", 0.01)
    said = court.utter("u1", "被告发表执政意见。")
    tries: list[str] = []

    def refuses(kind: str, *_: Any, **__: Any) -> Event:
        tries.append(kind)
        raise StorageError("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(court.log, "append", refuses)
        await court.reviser().after(HEARING, said)
    assert tries == ["revision"] * 8
    await court.reviser().catch_up(HEARING)
    assert court.line("u1").text == "被告发表质证意见。"
