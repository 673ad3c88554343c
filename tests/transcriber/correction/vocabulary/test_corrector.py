"""Words that sound like a term are put right, visibly; everything else is let be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hardware.simulation.hearing_folder import HearingFolder
from hardware.simulation.scenario import Scenario
from tests.support.paths import HEARING, SHARED
from transcriber.correction.vocabulary.case import Vocabulary
from transcriber.correction.vocabulary.corrector import Corrector, applied
from transcriber.correction.vocabulary.lexicon import Term, court_terms
from wutong.bench.captions.vocabulary import measure

HERE = Path(__file__).parent
CASE = json.loads((HEARING / "case.json").read_text(encoding="utf-8"))

ORDINARY = [
    "今天的天气很好，我们去公园散步吧。",
    "酒店的早餐种类很多，服务员态度也不错。",
    "他在北京大学学习了四年，现在是一名工程师。",
    "这本书的内容非常有意思，推荐大家看看。",
    "这样的先进技术改善了环境，也有很大的意义。",
    "广州市房地产中介协会分析",
    "照明设备需要定期检查，美容院在二楼。",
    "孩子们成熟了很多，家里的气氛也更和谐。",
]
"""What people say elsewhere, with words in it that sound like terms: 先进, 环境, 意义, 照明, 美容, 成熟."""


@pytest.fixture(scope="module")
def corrector() -> Corrector:
    vocabulary = Vocabulary.of_case(CASE)
    return Corrector(vocabulary.terms, branch=vocabulary.branch)


def corrected(corrector: Corrector, text: str) -> str:
    return applied(text, [c for c in corrector.changes(text) if c.applies])


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("发表执政意见", "发表质证意见"),
        ("是否申请回币", "是否申请回避"),
        ("我是原告张伟铭", "我是原告张伟明"),
        ("住本市监山区", "住本市尖山区"),
        ("合一停进行评议", "合议庭进行评议"),
        ("对真实性没有意义", "对真实性没有异议"),
        ("由审判员照明担任审判长", "由审判员赵敏担任审判长"),
        ("现在进行发停辩论", "现在进行法庭辩论"),
    ],
)
def test_a_term_or_name_that_was_written_by_its_sound_is_put_right(
    corrector: Corrector, heard: str, meant: str
) -> None:
    assert corrected(corrector, heard) == meant


def test_a_change_says_what_it_is_and_why(corrector: Corrector) -> None:
    [change] = corrector.changes("被告发表执政意见。")
    assert (change.at, change.old, change.new) == (4, "执政", "质证")
    assert "同音" in change.why
    assert "「发表质证意见」" in change.why
    assert change.applies


def test_what_is_likely_is_asked_and_not_made(corrector: Corrector) -> None:
    """Two syllables that only sound alike are never put there; they are proposed, or let be."""
    for text in ("朱静告诉我", "他的期先", "停止录音录下"):
        assert not [c for c in corrector.changes(text) if c.applies], text
    [asked] = corrector.changes("休庭期间停止录音录下。")
    assert (asked.old, asked.new, asked.applies) == ("下", "像", False)


def test_a_common_word_is_replaced_only_where_it_is_all_that_was_said(corrector: Corrector) -> None:
    assert corrected(corrector, "没有意义。") == "没有异议。"
    [asked] = corrector.changes("这样做没有意义。")
    assert (asked.new, asked.applies) == ("异议", False)


@pytest.mark.parametrize("text", ["证人陈述属实，没有隐瞒。", "以上陈述属实。", "陈述属实。"])
def test_a_term_that_was_heard_is_never_another_without_being_asked(corrector: Corrector, text: str) -> None:
    """That it is true is no statement of facts."""
    [asked] = corrector.changes(text)
    assert (asked.old, asked.new, asked.applies) == ("属", "事", False)


def test_a_little_word_is_no_numeral_without_being_asked(corrector: Corrector) -> None:
    for text in (
        "这份证据与本案没有关系。",
        "证据以原件为准。",
        "证据是复印件。",
        "证据我看过了。",
        "我方证据有三份。",
    ):
        assert not [c for c in corrector.changes(text) if c.applies], text


@pytest.mark.parametrize("spelled", ["买买提艾力", "买买提•艾力", "买买提・艾力", "买卖提艾力", "买卖提‧艾丽"])
def test_a_name_of_several_parts_gets_the_dockets_dots(spelled: str) -> None:
    named = Corrector(Vocabulary.of_case({"parties": {"被告": "买买提•艾力"}}).terms)
    for before, after in (("被告", "没有到庭。"), ("", ""), ("我看见", "，他在哭。")):
        assert corrected(named, f"{before}{spelled}{after}") == f"{before}买买提·艾力{after}"
    assert named.changes("被告买买提·艾力没有到庭。") == []


def test_the_engines_certainty_counts() -> None:
    few = Corrector([Term("现金"), Term("交付现金")])
    sure = few.changes("交付先进", [("交付", 1.0), ("先进", 1.0)])
    unsure = few.changes("交付先进", [("交付", 1.0), ("先进", 0.2)])
    assert unsure
    assert unsure[0].confidence >= max((c.confidence for c in sure), default=0.0)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_speech_is_let_be(corrector: Corrector, text: str) -> None:
    assert corrector.changes(text) == []


def test_real_speech_from_elsewhere_is_let_be(corrector: Corrector) -> None:
    """Recorded outputs of the base model over news, a lecture and a meeting."""
    for one in json.loads((HERE / "heard_elsewhere.json").read_text(encoding="utf-8")):
        words = [(word, probability) for word, _, _, probability in one["words"]]
        assert corrector.changes(one["text"], words) == [], one["file"]


@pytest.mark.parametrize(
    "text", ["", "。", "Thank you, your honour.", "2023年6月1日", "〔此处语音未能转写，以录音为准〕"]
)
def test_what_has_no_words_of_ours_is_let_be(corrector: Corrector, text: str) -> None:
    assert corrector.changes(text) == []


_COMMON = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下"
    "过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都"
    "两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重"
    "新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想"
    "已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知"
    "较将组见计别她手角期根论运农指"
)
_TEXT = st.text(st.sampled_from(_COMMON + "，。？、0123456789ab "), max_size=40)


@settings(max_examples=60, deadline=None)
@given(_TEXT)
@example("请商房做最后成熟。")
def test_changes_fit_the_text_and_never_change_it_twice(text: str) -> None:
    corrector = _SHARED_CORRECTOR
    changes = corrector.changes(text)
    for change in changes:
        assert text[change.at : change.at + len(change.old)] == change.old
        assert len(change.new) == len(change.old)
        assert change.new != change.old
        assert 0.5 <= change.confidence <= 1
    assert changes == sorted(changes, key=lambda c: c.at)
    once = corrected(corrector, text)
    assert corrected(corrector, once) == once


@settings(max_examples=60, deadline=None)
@given(_TEXT)
def test_without_terms_nothing_is_ever_changed(text: str) -> None:
    assert _WITHOUT_TERMS.changes(text) == []


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([t.text for t in court_terms()]))
def test_every_term_is_right_as_it_is(term: str) -> None:
    assert [c for c in _SHARED_CORRECTOR.changes(term) if c.applies] == []


_SHARED_CORRECTOR = Corrector(Vocabulary.of_case(CASE).terms)
_WITHOUT_TERMS = Corrector([])


def test_the_docket_of_the_played_hearing_is_the_one_of_its_timeline() -> None:
    case = Scenario.load(HEARING).case.model_dump()
    assert {key: case[key] for key in CASE} == CASE


def test_a_heard_hearing_comes_much_nearer_to_what_was_said() -> None:
    """Recorded outputs of the base model over the turns of the mock hearing."""
    recorded = json.loads((HERE / "heard_civil.json").read_text(encoding="utf-8"))
    said = sorted(HearingFolder(SHARED / "hearing-civil").reference.utterances, key=lambda s: s.start)
    reference = "".join(s.text for s in said)
    figures = measure(recorded, reference, CASE)
    assert figures["cer_corrected"] <= 0.06 < figures["cer"]
    assert figures["corrections_wrong"] == 0
    bare = measure(recorded, reference, {})
    assert bare["cer_corrected"] < bare["cer"]
    assert bare["corrections_wrong"] <= 1


@pytest.mark.parametrize(
    ("heard", "right"),
    [
        ("被告张干没有到庭。", "被告张乾没有到庭。"),
        ("向干县人民法院起诉。", "向乾县人民法院起诉。"),
        ("毕升说饼干是干的。", "毕昇说饼干是干的。"),
        ("王泛森收到通知。", "王汎森收到通知。"),
    ],
)
def test_the_dockets_own_character_is_put_back(heard: str, right: str) -> None:
    case = {"parties": {"被告": "张乾"}, "vocabulary": {"person": ["毕昇", "王汎森"], "place": ["乾县人民法院"]}}
    vocabulary = Vocabulary.of_case(case)
    corrector = Corrector(vocabulary.terms, branch=vocabulary.branch)
    assert applied(heard, corrector.changes(heard)) == right
    assert corrector.changes(right) == []


def test_a_name_that_the_docket_has_in_both_characters_stays() -> None:
    vocabulary = Vocabulary.of_case({"parties": {"原告": "张干", "被告": "张乾"}})
    corrector = Corrector(vocabulary.terms)
    assert corrector.changes("张干没有到庭。") == []


@pytest.mark.parametrize(
    "heard",
    ["我太紧张干不了这个活。", "他是村里的张干部。", "你问张干什么？", "原告主张干部可以作证。", "这一张干净的借条。"],
)
def test_where_an_ordinary_word_lies_across_the_edge_of_a_name_the_clerk_is_asked(heard: str) -> None:
    corrector = Corrector(Vocabulary.of_case({"parties": {"被告": "张乾"}}).terms)
    [asked] = corrector.changes(heard)
    assert (asked.old, asked.new, asked.applies) == ("张干", "张乾", False)


def test_an_ordinary_word_that_is_written_like_a_name_is_asked_about() -> None:
    corrector = Corrector(Vocabulary.of_case({"parties": {"被告": "高昇"}}).terms)
    [asked] = corrector.changes("他去年高升了。")
    assert (asked.old, asked.new, asked.applies) == ("高升", "高昇", False)


def test_the_longer_name_of_another_person_stays() -> None:
    corrector = Corrector(Vocabulary.of_case({"parties": {"原告": "张干才、欧阳张干", "被告": "张乾"}}).terms)
    assert corrector.changes("张干才和欧阳张干都来了。") == []
    assert applied("张干没来。", corrector.changes("张干没来。")) == "张乾没来。"
