"""A model that lost its way is told from a person who counts, answers and insists; numbers are never a repetition."""

from __future__ import annotations

import pytest

from transcriber.recognition.text.repetition import digits, echoes, loops, numeral_share, once, said_again


@pytest.mark.parametrize(
    "text",
    [
        "没有没有没有没有没有没有没有没有没有没有没有",
        "我们下面进行我们下面进行我们下面进行我们下面进行我们下面进行",
        "他说他没有收到钱他说他没有收到钱啊他说他没有收到钱他说他没有收到钱嗯他说他没有收到钱他说他没有收到钱",
    ],
)
def test_what_goes_round_in_a_circle_is_in_doubt(text: str) -> None:
    assert loops(text)


@pytest.mark.parametrize(
    "text",
    [
        "我的电话是13888888888。",
        "金额是1000000000元。",
        "卡号六二二二零零零零零零零零零零零零。",
        "6222 0222 2222 2222 222，就是这个卡号。",
        "身份证号码230103198501111111。",
        "一千元，一千元，一千元，一千元，一千元，一千元。",
        "第一笔还款一万元，第二笔还款一万元，第三笔还款一万元，第四笔还款一万元，第五笔还款一万元，第六笔还款一万元，第七笔还款一万元。",
        "零零零零零零零零零零零零",
        "对对对对对，是这样。",
        "没有异议。",
        "哈尔滨市南岗区。。。。。。。。。。",
    ],
)
def test_numbers_and_lists_of_them_are_speech(text: str) -> None:
    assert not loops(text)


def test_numbers_are_left_whole_in_captions_too() -> None:
    for text in ("13888888888", "一千元一千元", "222222", "六二二二六二二二"):
        assert once(text) == text
        assert not echoes(text)


def test_a_long_phrase_that_comes_twice_is_worth_another_look() -> None:
    assert said_again("被告向原告借款三十万元，双方2.2被告向原告借款三十万元。")
    assert not said_again("借条是我签的字，真实性没有异议，但是金额写多了。")


def test_a_hasty_echo_is_shown_once() -> None:
    assert echoes("全体起立，全体起立，全体起立，")
    assert once("全体起立，全体起立，全体起立，") == "全体起立，"
    assert not echoes("是是是")


def test_how_much_of_a_text_is_numbers() -> None:
    assert numeral_share("没有异议") == 0
    assert numeral_share("三十万元") == 1
    assert numeral_share("电话138") == 0.6
    assert digits("卡号6222，尾号三五") == "6222三五"
