"""Numbers of cases in the spellings that people type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.text.case_number import case_number_key, clean_case_number

NUMBER = "(2026)黑05民初123号"


@pytest.mark.parametrize(
    "typed",
    [
        NUMBER,
        "（2026）黑05民初123号",
        "（2026)黑05民初123号",
        "〔2026〕黑05民初123号",
        "[2026]黑05民初123号",
        "【２０２６】黑０５民初１２３号",
        " ( 2026 ) 黑 05 民初 123 号 ",
        "（二〇二六）黑05民初123号",
        "（二○二六）黑05民初123号",
        "\ufeff(2026)黑05\v民初\x00123号",
        "(2026)\u200b黑05民初123号",
        "⟨2026⟩黑05民初123号".replace("⟨", "〈").replace("⟩", "〉"),
    ],
)
def test_one_number_in_every_spelling(typed: str) -> None:
    assert clean_case_number(typed) == NUMBER
    assert case_number_key(typed) == case_number_key(NUMBER)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("（2013）浦民初字第123号", "(2013)浦民初字第123号"),  # as it was written before 2016
        ("（2026）黑05民初123号之一", "(2026)黑05民初123号之一"),
        ("（2026）最高法民终1号、2号", "(2026)最高法民终1号、2号"),
        ("2026年第3号", "2026年第3号"),
        ("仲裁 12 号", "仲裁 12 号"),
        ("(3026)", "(3026)"),
        ("未立案", "未立案"),
    ],
)
def test_nothing_is_guessed(typed: str, kept: str) -> None:
    assert clean_case_number(typed) == kept


def test_a_part_of_a_number_is_found_in_it() -> None:
    whole = case_number_key("(2013)浦民初字第123号")
    assert all(
        case_number_key(part) in whole for part in ("2013", "（2013）", "浦民初", "民初123", "字第123号", "123号")
    )


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean_case_number(text)
    assert clean_case_number(once) == once
