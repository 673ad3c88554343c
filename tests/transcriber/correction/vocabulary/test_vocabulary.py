"""What a hearing's vocabulary is made of, and how sounds are compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import ConfigError
from transcriber.correction.vocabulary.case import MOST, Vocabulary
from transcriber.correction.vocabulary.lexicon import court_terms, parse, read
from transcriber.correction.vocabulary.sounds import distance, readings, syllable
from transcriber.correction.vocabulary.statutes import statute, statutes

CASE = {
    "case_no": "(2026)黑05民初123号",
    "cause": "民间借贷纠纷",
    "title": "张伟明诉李建国民间借贷纠纷一案",
    "parties": {"审判长": "赵敏", "原告": "张伟明", "被告": "李建国、王芳"},
    "vocabulary": {"place": ["尖山区"], "exhibit": ["借条原件"]},
}


def test_names_come_alone_and_as_they_are_spoken() -> None:
    texts = {t.text for t in Vocabulary.of_case(CASE).terms if t.of_case}
    assert {"张伟明", "原告张伟明", "王芳", "被告王芳", "由审判员赵敏担任审判长", "尖山区", "借条原件"} <= texts
    assert "张伟明诉李建国民间借贷纠纷一案" in texts


def test_the_bias_is_short_and_of_the_case_alone() -> None:
    bias = Vocabulary.of_case(CASE).bias
    assert bias == "赵敏，张伟明，李建国，王芳，尖山区，借条原件"
    assert Vocabulary.of_case({}).bias == ""
    assert len(Vocabulary.of_case({"vocabulary": {"person": [f"张{i:03}某" for i in range(100)]}}).bias) <= 60


def test_a_bias_that_is_said_back_is_known_as_such() -> None:
    vocabulary = Vocabulary.of_case(CASE)
    for echo in ("赵敏，张伟明，李建国。", "李建国王芳尖山区"):
        assert vocabulary.echoed(echo), echo
    for speech in ("李建国。", "张伟明和李建国", "我叫张伟明", "没有异议", ""):
        assert not vocabulary.echoed(speech), speech
    assert not Vocabulary.of_case({}).echoed("没有异议")


@pytest.mark.parametrize(
    ("case_no", "branch"),
    [("(2026)黑05民初123号", "民事"), ("(2026)沪01刑终9号", "刑事"), ("(2026)京行申7号", "行政"), ("演示", "")],
)
def test_the_branch_of_law_is_in_the_case_number(case_no: str, branch: str) -> None:
    assert Vocabulary.of_case({"case_no": case_no}).branch == branch


@pytest.mark.parametrize(
    "case",
    [
        {},
        {"parties": None},
        {"parties": {"原告": 3}},
        {"vocabulary": [1]},
        {"vocabulary": {"place": "尖山区"}},
        {"cause": 7},
    ],
)
def test_a_malformed_case_costs_its_own_words_alone(case: dict[str, object]) -> None:
    assert len(Vocabulary.of_case(case).terms) > 1000


def test_a_case_brings_a_bounded_number_of_words() -> None:
    many = {
        "vocabulary": {
            "term": [f"{a}{b}{c}" for a in "甲乙丙丁" for b in "子丑寅卯辰巳" for c in "天地玄黄宇宙洪荒日月"]
        }
    }
    assert sum(t.of_case for t in Vocabulary.of_case(many).terms) <= MOST


def test_a_file_of_terms_has_sections_remarks_and_several_terms_a_line(tmp_path: Path) -> None:
    file = tmp_path / "terms.txt"
    file.write_text(
        "# 本院\n[本地地名]\n尖山区 岭东区  # 两个区\n四方台区\n尖山区\n[人名]\n赵敏 我\n", encoding="utf-8"
    )
    assert [(t.text, t.kind) for t in read(file)] == [
        ("尖山区", "本地地名"),
        ("岭东区", "本地地名"),
        ("四方台区", "本地地名"),
        ("赵敏", "人名"),
    ]


def test_what_is_no_file_of_terms_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 2 of x begins a section"):
        parse("一词\n[地名\n", "x")
    with pytest.raises(ConfigError, match="line 1 of x has a term of 41 characters"):
        parse("长" * 41, "x")
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path / "none.txt")


def test_the_courts_terms_are_many_and_each_is_there_once() -> None:
    texts = [t.text for t in court_terms()]
    assert len(texts) > 1000
    assert len(set(texts)) == len(texts)
    assert {"质证意见", "举证责任", "申请回避", "合议庭"} <= set(texts)


def test_statutes_are_known_by_their_short_names_too() -> None:
    code = statute("民法典")
    assert code is not None
    assert (code.title, code.articles) == ("中华人民共和国民法典", 1260)
    assert statute("《中华人民共和国民法典》") == code
    assert statute("宇宙法") is None
    assert all(s.articles > 0 for s in statutes())


@pytest.mark.parametrize(
    ("one", "other", "most"),
    [("zhi4", "zi4", 0.2), ("min3", "ming2", 0.3), ("fu2", "hu2", 0.4), ("nan2", "lan2", 0.4), ("ma1", "ma3", 0.1)],
)
def test_what_is_mixed_up_sounds_near(one: str, other: str, most: float) -> None:
    a, b = syllable(one), syllable(other)
    assert a is not None
    assert b is not None
    assert 0 < distance(a, b) <= most


def test_what_nobody_mixes_up_is_far() -> None:
    a, b = syllable("ma1"), syllable("shi4")
    assert a is not None
    assert b is not None
    assert distance(a, b) > 1.5


_SYLLABLES = [
    s
    for c in "的一是在不了有和人这中大为上个国我以要他时来用们生到作地出就分对成会可主发年动二女绿儿云王问安欧"
    for s in readings(c)
]


@given(st.sampled_from(_SYLLABLES), st.sampled_from(_SYLLABLES))
def test_distance_is_the_same_both_ways_and_nothing_for_the_same(one: object, other: object) -> None:
    assert distance(one, other) == pytest.approx(distance(other, one))  # type: ignore[arg-type]  # of readings
    assert (distance(one, other) == 0) == (one == other)  # type: ignore[arg-type]  # likewise
