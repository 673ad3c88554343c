"""The docket's door: what is pasted into it is cleaned, and nobody is lost by that."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sync.record.docket import Case, Docket


def test_a_case_is_cleaned_where_it_comes_in() -> None:
    case = Case.model_validate(
        {
            "case_no": "（２０２６）黑05\v民初 123号\x00",
            "cause": "民间借贷\u200b纠纷",
            "title": "\ufeff张　伟诉买买提 • 艾力一案",
            "parties": {"原\u200b告": "张　伟", "被告": "买买提 • 艾力，王秀兰\n李建国"},
            "vocabulary": {"person": ["买买提.艾力"], "place": ["尖山区\u202e"]},
        }
    )
    assert case.case_no == "(2026)黑05民初123号"
    assert case.cause == "民间借贷纠纷"
    assert case.parties == {"原告": "张伟", "被告": "买买提·艾力、王秀兰、李建国"}
    assert case.vocabulary == {"person": ["买买提·艾力"], "place": ["尖山区"]}


def test_only_people_have_names() -> None:
    """A point, a full stop and a blank of another term stay: they are no dots of a name."""
    terms = {
        "exhibit": ["2023．6．1借条", "收条。转账", "附件 A.B"],
        "term": ["年息1．5%", "甲 乙双方"],
        "statute": ["民法典•总则"],
        "place": ["3·15维权站", "张 村"],
    }
    people = {"person": ["买买提．艾力", "张 伟", "阿依 • 古丽"]}
    case = Case.model_validate({"case_no": "1", "vocabulary": terms | people})
    assert case.vocabulary == terms | {"person": ["买买提·艾力", "张伟", "阿依·古丽"]}


def test_roles_that_become_one_keep_the_names_of_both() -> None:
    case = Case.model_validate({"case_no": "1", "parties": {"原告": "张伟明", "原\u200b告": "王芳", "被告": ""}})
    assert case.parties == {"原告": "张伟明、王芳", "被告": ""}


@pytest.mark.parametrize(
    "case",
    [
        {"case_no": "\u200b\ufeff"},  # looks like nothing, and is nothing
        {"case_no": "x" * 101},
        {"case_no": "1", "parties": {"\u2060": "张伟明"}},
        {"case_no": "1", "parties": {str(n): "" for n in range(33)}},
        {"case_no": 7},
        {"case_no": "1", "parties": {"原告": ["张伟明"]}},
        {"case_no": "1", "vocabulary": {"term": ["\u200b一"]}},
        {"case_no": "1", "vocabulary": {"person": ["·艾·"]}},
        {"case_no": "1", "vocabulary": {"person": [7]}},
        {"case_no": "1", "vocabulary": {"person": "张伟明"}},
        {"case_no": "1", "vocabulary": ["张伟明"]},
    ],
)
def test_what_is_nothing_once_it_is_clean_is_refused(case: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Case.model_validate(case)


def test_a_day_keeps_its_entries() -> None:
    entry = {"id": "d1\v", "time": "09:30", "case_no": "1"}
    [read] = Docket.model_validate({"date": "2026-11-29", "hearings": [entry]}).hearings
    assert read.id == "d1"


@pytest.mark.parametrize(
    "date", ["2026-02-30", "2026-13-01", "0000-01-01", "٢٠٢٦-١١-٢٢", "2026-11-22\n2026", "２０２６年"]
)
def test_a_day_that_no_calendar_has_is_refused(date: str) -> None:
    with pytest.raises(ValidationError):
        Docket.model_validate({"date": date})


def test_wide_digits_are_those_of_a_day_and_an_hour() -> None:
    entry = {"id": "d1", "time": "０９:3０", "case_no": "1"}
    docket = Docket.model_validate({"date": "２０２６-11-22\n", "hearings": [entry]})
    assert (docket.date, docket.hearings[0].time) == ("2026-11-22", "09:30")
    with pytest.raises(ValidationError):
        Docket.model_validate({"date": "2026-11-22", "hearings": [{**entry, "time": "09:3٣"}]})
