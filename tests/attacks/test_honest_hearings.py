"""What is honest passes, with the verdict that fits it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.exports.honest_exports import HEARING, Forge
from tests.support.exports.honest_room import OPENED_NS, Center, HonestRoom, Media, S, Story
from tests.support.exports.signed_words import write_and_sign
from tests.support.peers.tsa import Authority
from wutong.export.bundle import export
from wutong.export.sources.room import RoomSource
from wutong.verify.case import ExportCase
from wutong.verify.examine import Judgment, examine
from wutong.verify.verdict import Verdict


def codes(judgment: Judgment) -> set[str]:
    return {reason.code for reason in judgment.reasons}


def test_an_honest_hearing_is_authentic(forge: Forge) -> None:
    judgment = forge().judge()
    assert judgment.verdict is Verdict.AUTHENTIC, judgment.reasons
    assert not judgment.reasons
    assert judgment.media_bytes > 100_000


def test_a_hearing_with_a_lawful_pause_is_authentic(forge: Forge) -> None:
    assert forge("pause").judge().verdict is Verdict.AUTHENTIC


def test_a_declared_gap_is_told_with_its_cause(forge: Forge) -> None:
    judgment = forge("gaps").judge()
    assert judgment.verdict is Verdict.WITH_GAPS
    (reason,) = judgment.reasons
    assert reason.code == "gap"
    assert "摄像机断线" in reason.text("zh")
    assert (forge("gaps").folder / "explanation.txt").read_text().startswith("庭审录音录像情况说明")


def test_a_hearing_without_a_seal_is_unsealed(forge: Forge) -> None:
    judgment = forge("unsealed").judge()
    assert judgment.verdict is Verdict.UNSEALED
    assert codes(judgment) == {"unsealed"}


def test_a_hearing_that_goes_on_is_unsealed(forge: Forge) -> None:
    """What is still being written is in no leaf yet, and no lie."""
    judgment = forge("open").judge()
    assert judgment.verdict is Verdict.UNSEALED, judgment.reasons
    assert codes(judgment) <= {"not-closed", "unsealed", "pending"}
    assert judgment.media_bytes > 0


def test_without_the_centers_key_nothing_is_verifiable(forge: Forge) -> None:
    judgment = forge().judge(key=False)
    assert judgment.verdict is Verdict.NOT_VERIFIABLE
    assert codes(judgment) == {"no-center-key"}


def test_a_room_without_a_center_exports_and_is_not_verifiable(forge: Forge) -> None:
    """Fault 37: nobody witnessed it, and the words say so."""
    judgment = forge("alone").judge()
    assert judgment.verdict is Verdict.NOT_VERIFIABLE
    assert codes(judgment) == {"certificate-missing", "unwitnessed", "index-unsigned"}


def test_an_excerpt_is_authentic_by_its_proofs(forge: Forge) -> None:
    judgment = forge("excerpt").judge()
    assert judgment.verdict is Verdict.AUTHENTIC, judgment.reasons
    assert codes(judgment) == {"excerpt"}


def test_a_time_stamped_hearing_is_authentic(forge: Forge, authority: Authority) -> None:
    from sync.ledger.token import read_roots

    forgery = forge("stamped")
    assert codes(forgery.judge()) == {"token-unchecked"}
    forgery.tsa_roots, forgery.tsa_policy = read_roots(authority.root_pem), "1.2.3.4.1"
    judgment = forgery.judge()
    assert judgment.verdict is Verdict.AUTHENTIC, judgment.reasons
    assert codes(judgment) == {"token-says"}


def test_words_that_were_revised_and_signed_after_the_seal_are_authentic(forge: Forge) -> None:
    judgment = forge("signed").judge()
    assert judgment.verdict is Verdict.AUTHENTIC, judgment.reasons
    assert codes(judgment) == {"signed", "signed-before", "refused", "objection-refused"}
    told = [reason.text("zh") for reason in judgment.reasons]
    assert "原告 张三 签署的是第 1 版，其后文字又有修订" in told
    assert "原告 张三 已签名，签署的正是最后的文字" in told
    assert "被告 李四 拒绝签名：对第三行有异议" in told


def test_words_revised_after_they_were_signed_are_authentic_and_signed_by_nobody_as_they_are(
    place: Path, media: dict[str, Media], center: Center
) -> None:
    room = HonestRoom(place / "revised-again", HEARING, center)
    room.hold(media, Story())
    desk = write_and_sign(room)
    desk.act("edit", desk.to("u0", text="现在正式开庭。"))
    room.sign()
    room.sign()
    source = RoomSource(place / "revised-again", HEARING)
    export(source, place / "revised-again-out", people=False)
    source.close()
    room.close()
    judgment = examine(ExportCase(place / "revised-again-out", center.key.public_key()))
    assert judgment.verdict is Verdict.AUTHENTIC, judgment.reasons
    assert codes(judgment) == {"signed-before", "refused", "objection-refused"}


def test_an_excerpt_of_revised_words_is_authentic_and_says_what_the_whole_says(place: Path, forge: Forge) -> None:
    signed = forge("signed")
    whole = {line["id"]: line for line in json.loads(signed.read("transcript.json"))["lines"]}
    source = RoomSource(place / "signed" / "data", HEARING)
    export(source, place / "signed-excerpt", stretch=(round(0.2 * S), round(3.5 * S)), people=False)
    source.close()
    judgment = examine(ExportCase(place / "signed-excerpt", signed.center.key.public_key()))
    assert judgment.verdict is Verdict.AUTHENTIC, judgment.reasons
    lines = json.loads((place / "signed-excerpt" / "transcript.json").read_bytes())["lines"]
    assert {"u0", "u1", "n2", "n5"} <= {line["id"] for line in lines}
    assert "v1" not in {line["id"] for line in lines}, "what was said after the stretch, with acts of its own"
    for line in lines:
        assert line == whole[line["id"]]


def test_words_that_come_after_the_seal_are_sealed_again(place: Path, media: dict[str, Media], center: Center) -> None:
    room = HonestRoom(place / "late-words", HEARING, center)
    room.hold(media, Story())
    start = OPENED_NS + 7 * S
    body = {"id": "late", "seat": "judge", "role": "审判长", "start_ns": start, "end_ns": start + S, "text": "闭庭。"}
    room.say("utterance", body, 20)
    verdicts = []
    for name in ("before", "after"):
        room.sign()
        source = RoomSource(place / "late-words", HEARING)
        export(source, place / f"late-words-{name}", people=False)
        source.close()
        judgment = examine(ExportCase(place / f"late-words-{name}", center.key.public_key()))
        verdicts.append((judgment.verdict, codes(judgment)))
    room.close()
    assert verdicts == [(Verdict.UNSEALED, {"words-unsealed"}), (Verdict.AUTHENTIC, set())]
