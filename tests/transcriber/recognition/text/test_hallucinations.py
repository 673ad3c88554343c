"""What models invent is not speech; what people say is."""

from __future__ import annotations

import pytest

from transcriber.recognition.recognizer import Rejection
from transcriber.recognition.text.hallucinations import echoes, finish, invented, once, said_again, tidy


@pytest.mark.parametrize(
    "text",
    [
        "字幕志愿者 杨茜茜",
        "谢谢观看",
        "請不吝點贊 訂閱 轉發 打賞支持明鏡與點點欄目",
        "。。。",
        "没有没有没有没有没有没有没有没有没有没有没有",
    ],
)
def test_what_models_say_over_silence_is_taken_out(text: str) -> None:
    assert invented(text, 5)


@pytest.mark.parametrize(
    "text",
    [
        "对对对对对，是这样。",
        "没有异议。",
        "他在视频最后说了谢谢观看，字幕上也有这几个字。",
        "借款本金三十万元，利息按年利率百分之六计算。",
    ],
)
def test_what_people_say_is_kept(text: str) -> None:
    assert invented(text, 5) is None


def test_a_hundred_characters_in_a_second_are_not_speech() -> None:
    assert invented("原告主张被告应当承担违约责任并赔偿损失" * 2, 0.8) is Rejection.TOO_FAST


def test_script_is_simplified_and_punctuation_chinese() -> None:
    assert tidy(" 請 坐下, 現在開庭. 年利率 6.5% , 對嗎?") == "请坐下，现在开庭。年利率6.5%，对吗？"


@pytest.mark.parametrize(
    ("text", "closed"), [("没有", "没有。"), ("是吗？", "是吗？"), ("三十万，", "三十万。"), ("", "")]
)
def test_an_utterance_ends_with_a_mark(text: str, closed: str) -> None:
    assert finish(text) == closed


def test_a_long_phrase_that_comes_twice_is_worth_another_look() -> None:
    assert said_again("被告向原告借款三十万元，双方2.2被告向原告借款三十万元。")
    assert not said_again("借条是我签的字，真实性没有异议，但是金额写多了。")


def test_a_hasty_echo_is_shown_once() -> None:
    assert echoes("全体起立，全体起立，全体起立，")
    assert once("全体起立，全体起立，全体起立，") == "全体起立，"
    assert not echoes("是是是")
