"""Simplified script, and characters of it that are also the traditional form of others stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.recognition.text.script import STANDARD, in_simplified_alone, to_simplified
from transcriber.recognition.text.tidying import finish, tidy


@pytest.mark.parametrize(
    "text",
    [
        "张乾",
        "被告张乾向乾县人民法院起诉",
        "毕昇",
        "王昇",
        "徵羽",
        "於某某",
        "原告於乾",
        "李脩文",
        "黄陞",
        "他叫於东",
        "松原市乾安县某公司",
        "乾清宫",
    ],
)
def test_what_is_simplified_by_itself_stays(text: str) -> None:
    assert to_simplified(text) == text


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("張乾", "张乾"),
        ("乾縣人民法院", "乾县人民法院"),
        ("衣服還很乾淨", "衣服还很干净"),
        ("由於被告", "由于被告"),
        ("關於徵收決定", "关于征收决定"),
        ("什麽時候", "什么时候"),
        ("劉昇說", "刘昇说"),
        ("合夥經營", "合伙经营"),
        ("至於本案", "至于本案"),
        ("徐乾學沒有到庭", "徐乾学没有到庭"),
        ("松原市乾安縣", "松原市乾安县"),
        ("乾清宮門口", "乾清宫门口"),
    ],
)
def test_traditional_script_is_simplified(traditional: str, simplified: str) -> None:
    assert to_simplified(traditional) == simplified


def test_little_words_are_simplified_in_mixed_script_too() -> None:
    assert to_simplified("由於被告没有还钱") == "由于被告没有还钱"
    assert to_simplified("被告於2023年借款") == "被告于2023年借款"
    assert to_simplified("你说什麽") == "你说什么"


def test_the_characters_of_both_scripts_are_those_that_opencc_changes() -> None:
    assert all(in_simplified_alone(c) != c for c in STANDARD)


@given(st.text(st.sampled_from("张張乾於麽昇说說的，淨净县縣a1 "), max_size=12))
def test_as_many_characters_as_before(text: str) -> None:
    assert len(to_simplified(text)) == len(text)
    assert to_simplified(to_simplified(text)) == to_simplified(text)


def test_script_is_simplified_and_punctuation_chinese() -> None:
    assert tidy(" 請 坐下, 現在開庭. 年利率 6.5% , 對嗎?") == "请坐下，现在开庭。年利率6.5%，对吗？"


@pytest.mark.parametrize(
    ("text", "closed"), [("没有", "没有。"), ("是吗？", "是吗？"), ("三十万，", "三十万。"), ("", "")]
)
def test_an_utterance_ends_with_a_mark(text: str, closed: str) -> None:
    assert finish(text) == closed
