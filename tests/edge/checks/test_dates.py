"""Dates that cannot be, and dates that contradict each other."""

from __future__ import annotations

import pytest

from tests.support.words.said import COUNSEL, DEFENDANT, PLAINTIFF, found, words

LOAN = (COUNSEL, "二零二二年六月一日，被告因经营周转需要向原告借款三十万元。")


@pytest.mark.parametrize("text", ["二月三十日", "二零二三年二月二十九日", "2023年4月31日", "六月三十一号"])
def test_a_date_that_no_calendar_has_is_found(text: str) -> None:
    assert words((COUNSEL, f"合同于{text}签订。")) == [("date", text, None)]


@pytest.mark.parametrize("text", ["二月二十九日", "2024年2月29日", "十二月三十一日", "六个月三十日"])
def test_dates_that_can_be_are_left_alone(text: str) -> None:
    assert words((COUNSEL, f"至{text}。")) == []


@pytest.mark.parametrize(
    "text", ["农历二月三十日", "农历2023年2月30日", "阴历二月三十号", "闰二月三十日", "农历正月初八到二月三十日"]
)
def test_a_date_of_another_calendar_is_left_alone(text: str) -> None:
    assert words((COUNSEL, f"合同于{text}签订。")) == []


def test_no_month_of_any_calendar_has_so_many_days() -> None:
    assert words((COUNSEL, "合同于农历二月三十一日签订。")) == [("date", "二月三十一日", None)]
    assert words((COUNSEL, "农历八月十五日，即公历九月三十一日签订。")) == [("date", "九月三十一日", None)]


def test_a_repayment_by_another_calendar_is_not_before_the_loan() -> None:
    assert words(LOAN, (DEFENDANT, "我在农历2022年5月2日归还了五万元。")) == []


def test_a_repayment_before_the_loan_is_found_with_both_places() -> None:
    (one,) = found(LOAN, (DEFENDANT, "我在2021年5月1日归还了五万元。"))
    assert (one.kind, one.line, one.words) == ("date", "u1", "2021年5月1日")
    assert one.also is not None
    assert (one.also.line, one.other) == ("u0", "二零二二年六月一日")


def test_one_loan_on_two_days_is_found() -> None:
    other = (PLAINTIFF, "二零二二年七月一日，我借给被告三十万元。")
    assert words(LOAN, (COUNSEL, LOAN[1].replace("经营", "资金")), other) == [("date", "二零二二年七月一日", None)]


def test_what_has_happened_after_the_hearing_is_found() -> None:
    assert words((COUNSEL, "二零二九年六月一日，双方签订书面借条。")) == [("date", "二零二九年六月一日", None)]


@pytest.mark.parametrize(
    "said",
    [
        [LOAN, (DEFENDANT, "我在2023年5月1日归还了五万元。")],
        [LOAN, (COUNSEL, "支付利息，自二零二一年六月一日起至实际清偿之日止。")],
        [LOAN, (DEFENDANT, "我没有在2021年5月1日归还。")],
        [LOAN, (COUNSEL, "二零二三年七月一日，被告又向原告借款三十万元。")],
        [LOAN, (COUNSEL, "二零二三年七月一日，被告向原告借款五万元。")],
        [(COUNSEL, "被告承诺于二零二九年六月一日归还借款。")],
    ],
)
def test_what_is_no_contradiction_is_left_alone(said: list[tuple[str, str]]) -> None:
    assert words(*said) == []
