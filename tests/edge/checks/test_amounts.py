"""Amounts and rates that contradict each other."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.support.words.said import COUNSEL, DEFENDANT, PLAINTIFF, found, words
from transcriber.correction.numbers.numerals import value

CLAIM = (COUNSEL, "请求判令被告偿还借款本金三十万元。")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("三十万", 300_000),
        ("30万", 300_000),
        ("300,000", 300_000),
        ("叁拾万", 300_000),
        ("一亿二千万", 120_000_000),
        ("三万五", 35_000),
        ("三万零五", 30_005),
        ("一千二百", 1_200),
        ("二零二二", 2022),
        ("十五", 15),
        ("两百五", 250),
        ("1.5万", 15_000),
        ("三点五", Fraction(7, 2)),
    ],
)
def test_numbers_are_read_as_they_are_said_and_written(text: str, number: Fraction) -> None:
    assert value(text) == number


def test_two_amounts_of_one_loan_by_one_side_are_found_with_both_places() -> None:
    (one,) = found(CLAIM, (DEFENDANT, "没有三十万。"), (PLAINTIFF, "证明被告向原告借款二十万元的事实。"))
    assert (one.kind, one.line, one.words, one.to) == ("amount", "u2", "借款二十万元", None)
    assert one.also is not None
    assert (one.also.line, one.other) == ("u0", "借款本金三十万元")
    assert "三十万" in one.why
    assert "二十万" in one.why


def test_what_is_said_less_often_is_the_one_to_look_at() -> None:
    said = [(COUNSEL, "借款二十万元。"), CLAIM, (COUNSEL, "证明借款30万元。")]
    assert words(*said) == [("amount", "借款二十万元", None)]


@pytest.mark.parametrize(
    "said",
    [
        [CLAIM, (DEFENDANT, "借款二十万元。")],  # the other side says something else: that is the dispute
        [CLAIM, (COUNSEL, "证明借款300,000元。")],
        [CLAIM, (COUNSEL, "我方变更诉讼请求，请求偿还借款本金二十万元。")],
        [CLAIM, (COUNSEL, "尚欠本金二十万元。"), (COUNSEL, "被告已还本金十万元。")],
        [(COUNSEL, "第一笔借款十万元，第二笔借款二十万元。")],
        [(COUNSEL, "借款十万元、借款二十万元。")],
        [(COUNSEL, "二零二零年一月一日借款五万元。"), (COUNSEL, "二零二一年三月一日借款八万元。")],
        [CLAIM, (COUNSEL, "被告称借款二十万元，这不属实。")],
        [CLAIM, (COUNSEL, "不是借款二十万元。")],
        [CLAIM, (COUNSEL, "大约借款二十多万元。")],
        [(COUNSEL, "约定年利率百分之六。"), (COUNSEL, "逾期年利率百分之十。")],
        [(COUNSEL, "年利率百分之十二。"), (COUNSEL, "即月利率百分之一。")],
    ],
)
def test_what_is_no_contradiction_is_left_alone(said: list[tuple[str, str]]) -> None:
    assert words(*said) == []


def test_rates_that_differ_and_rates_of_another_unit_are_found() -> None:
    year = (COUNSEL, "双方约定年利率百分之六。")
    assert words(year, (PLAINTIFF, "借条写明年利率为8%。")) == [("amount", "年利率为8%", None)]
    assert words(year, (PLAINTIFF, "当时约定月利率百分之六。")) == [("amount", "月利率百分之六", None)]


def test_a_sum_that_is_not_the_sum_of_its_parts_is_found() -> None:
    parts = "医疗费三千元、误工费五千元、护理费两千元"
    assert words((COUNSEL, f"{parts}，共计一万二千元。")) == [("amount", "共计一万二千元", None)]
    assert words((COUNSEL, f"{parts}，共计一万元。")) == []
    assert words((COUNSEL, "借款三十万元、利息两万元，其中现金五万元，共计三十二万元。")) == []


def test_figures_that_are_not_the_words_beside_them_are_found() -> None:
    assert words((COUNSEL, "货款叁拾万元整（小写：200000元）。"))[0][:2] == ("amount", "叁拾万元整（小写：200000元）")
    assert words((COUNSEL, "货款叁拾万元（300,000元）。")) == []


def test_a_unit_without_a_number_is_no_amount() -> None:
    assert words((COUNSEL, "借款本金万元。"), (PLAINTIFF, "借款本金三十万元。"), (COUNSEL, "欠款几百元。")) == []
