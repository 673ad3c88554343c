"""Numbers take the court's form and keep their value; words with numerals in them are no numbers."""

from __future__ import annotations

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.correction.vocabulary.numerals import Form, in_form, rewrite, value, written

ALIKE = [
    ("三十万元", "30万元"),
    ("三万五千六百元", "35600元"),
    ("一亿两千万元", "1.2亿元"),
    ("二〇二三年六月一日", "2023年6月1日"),
    ("一九八五年三月十二日", "1985年3月12日"),
    ("年利率百分之六", "年利率6%"),
    ("百分之三点八五", "3.85%"),
    ("千分之五", "5‰"),
    ("民法典第六百七十五条", "民法典第675条"),
    ("十四时三十分", "14时30分"),
    ("三点五万元", "3.5万元"),
]
NO_NUMBERS = [
    "一份，一下，第一，万一，三番五次，十万火急",
    "他一五一十地说",
    "几万元，三十多万元，一二万元",
    "千真万确，一万年",
    "第一次庭审，第二份证据",
    "三百块",
]


@pytest.mark.parametrize(("chinese", "arabic"), ALIKE)
def test_a_number_is_written_in_the_form_that_the_court_chose(chinese: str, arabic: str) -> None:
    assert in_form(f"即{chinese}，", "arabic") == f"即{arabic}，"
    spoken = chinese.replace("两", "二")
    assert value(written(10)) == 10
    assert in_form(f"即{arabic}，", "chinese").replace("一点二亿", "一亿二千万").replace(
        "三万五千六百", "三万五千六百"
    ) == (f"即{spoken}，")


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_idioms_and_vague_numbers_stay(text: str) -> None:
    assert in_form(text, "arabic") == text


@pytest.mark.parametrize("text", ["(2026)黑05民初123号", "电话13812345678", "A4纸", "GB/T 15835-2011"])
def test_names_made_of_digits_stay(text: str) -> None:
    assert in_form(text, "chinese") == text


def test_each_number_says_what_it_is() -> None:
    found = rewrite("二零二二年六月一日借款三十万元，年利率百分之六", "arabic")
    assert [(r.old, r.new, r.why) for r in found] == [
        ("二零二二年六月一日", "2022年6月1日", "日期"),
        ("三十万元", "30万元", "金额"),
        ("百分之六", "6%", "比率"),
    ]


def test_spoken_short_forms_have_their_value() -> None:
    assert [value(t) for t in ("三百五", "两万三", "一百零五", "十", "二十")] == [350, 23000, 105, 10, 20]
    assert [value(t) for t in ("三五", "十百", "万", "零三十零")] == [None, None, None, None]


@given(st.integers(0, 10**12 - 1))
def test_a_numeral_is_read_as_it_was_written(number: int) -> None:
    assert value(written(number)) == number


@given(st.integers(0, 10**8 - 1))
def test_numerals_are_written_as_others_write_them(number: int) -> None:
    assert int(cn2an.cn2an(written(number), "normal")) == number


@given(st.integers(1, 10**9), st.sampled_from(["arabic", "chinese"]))
def test_an_amount_keeps_its_value_in_both_forms(number: int, form: Form) -> None:
    for text in (f"借款{written(number)}元。", f"借款{number}元。"):
        there = in_form(text, form)
        assert in_form(there, form) == there
        digits = in_form(there, "arabic").removeprefix("借款").removesuffix("元。")
        assert _worth(digits) == number


def _worth(digits: str) -> int:
    for name, size in (("亿", 10**8), ("万", 10**4)):
        if digits.endswith(name):
            return round(float(digits.removesuffix(name)) * size)
    return int(digits)


@given(st.text("一二三四五六七八九十百千万亿零两第几年月日元条点分之份下，。0123456789%", max_size=20))
def test_any_text_has_a_form_that_stays(text: str) -> None:
    for form in ("arabic", "chinese"):
        once = in_form(text, form)
        assert in_form(once, form) == once


@pytest.mark.parametrize(
    "row", ["一", "十", "万", "一万", "一十", "一千零", "百分之一", "第一", "二点五", "9", "1,234"]
)
def test_a_long_row_of_numerals_takes_no_longer_than_it_is(row: str) -> None:
    for form in ("arabic", "chinese"):
        once = in_form(row * 1000 + "。", form)
        assert in_form(once, form) == once


def test_two_long_numbers_read_out_together_are_digits() -> None:
    assert in_form("二三零一零三一九八五零三一二零零一八六二二二零二零二零零一一二二三三四四五", "arabic") == (
        "2301031985031200186222020200112233445"
    )


@pytest.mark.parametrize("number", [100_001_000, 500_006_920, 83_700_004_486])
def test_an_empty_ten_thousand_is_said(number: int) -> None:
    assert "亿零" in written(number)
    assert value(written(number)) == number
