"""Words that stand twice."""

from __future__ import annotations

import pytest

from edge.checks.finding import CheckedLine
from edge.checks.registry import check
from tests.support.words.said import COUNSEL, DEFENDANT, FACTS, PLAINTIFF, hearing, lines, words


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("这是我的的意见", "的的", "的"),
        ("我我们同意", "我我", "我"),
        ("经原告原告同意", "原告原告", "原告"),
        ("请原告陈述请原告陈述诉讼请求", "请原告陈述请原告陈述", "请原告陈述"),
        ("对真实性没有异议。对真实性没有异议。", "对真实性没有异议。对真实性没有异议。", "对真实性没有异议。"),
    ],
)
def test_what_stands_twice_is_found(text: str, wrong: str, right: str) -> None:
    assert words((COUNSEL, text)) == [("doubled", wrong, right)]


@pytest.mark.parametrize(
    "text",
    [
        "慢慢说，常常这样，谢谢，看看，商量商量，研究研究",
        "双方对对方的身份没有异议",
        "证明目的的意见，标的的交付",
        "后来我还还过五万元",
        "为了了解情况，现在在哪里，存在在先",
        "没有没有，是的是的是的是的，对对对",
        "调解和和解，合同同样有效，被告告知原告",
        "我有有效合同，可以以现金支付",
        "原告原告代理人都到庭",
        "二零二零年，身份证尾号一二一二一二",
    ],
)
def test_what_is_doubled_lawfully_is_left_alone(text: str) -> None:
    assert words((DEFENDANT, text)) == []


def test_a_line_that_stands_twice_is_found_and_one_heard_on_two_seats() -> None:
    text = "借条是我签的字，真实性没有异议。"
    assert words((DEFENDANT, text), (DEFENDANT, text)) == [("doubled", text, None)]
    assert words((DEFENDANT, text), (PLAINTIFF, text)) == []  # one after the other: he agrees in the same words
    first, second = lines((DEFENDANT, text), (PLAINTIFF, text))
    at_once = CheckedLine(second.id, second.role, second.text, second.seat, first.start_ns + 1, first.end_ns)
    assert [finding.why for _, finding in check([first, at_once], FACTS)] == ["两个席位同时有相同的话，可能是串音"]


def test_a_blank_of_a_phrase_that_nobody_filled_in_is_found() -> None:
    assert words((COUNSEL, "与____组成合议庭，休庭____分钟")) == [("blank", "____", None)] * 2


def test_a_hearing_as_it_was_said_raises_nothing() -> None:
    assert words(*hearing()) == []
