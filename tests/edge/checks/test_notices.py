"""What a kind of case wants said, and nobody said."""

from __future__ import annotations

import pytest

from edge.checks.finding import CheckedLine, facts_of
from edge.checks.registry import check
from edge.hearing.opened_case import opened_case
from sync.cases.shelf import read_kinds
from sync.record.docket import Case


def missed(case_no: str, *said: tuple[str, str], kind: str = "") -> list[str]:
    """The first wording of each notice that is missing."""
    case = opened_case(Case(case_no=case_no, kind=kind), "h1", read_kinds(None))
    lines = [CheckedLine(f"l{i}", role, text) for i, (role, text) in enumerate(said)]
    return [one.other for _, one in check(lines, facts_of(dict(case), [], [], None)) if one.kind == "notice"]


CRIMINAL = "(2026)黑05刑初1号"
RIGHTS = ("审判长", "现在告知被告人的诉讼权利。是否申请回避？")
END = ("审判长", "今天的庭审到此结束。现在闭庭。")


def test_a_criminal_hearing_that_ends_without_the_last_statement_is_told() -> None:
    assert missed(CRIMINAL, RIGHTS, END) == ["最后陈述"]
    assert missed(CRIMINAL, END) == ["诉讼权利", "申请回避", "最后陈述"]
    assert missed(CRIMINAL, RIGHTS, ("审判长", "被告人作最后陈述。"), END) == []


@pytest.mark.parametrize("case_no", ["(2026)黑05民初1号", "(2026)黑05行初1号"])
def test_a_civil_or_administrative_hearing_has_rights_and_challenges(case_no: str) -> None:
    assert missed(case_no, END) == ["权利和义务", "申请回避"]
    assert missed(case_no, RIGHTS, END) == []


def test_the_presiding_officer_ends_a_hearing_too() -> None:
    assert missed("演示", ("听证主持人", "今天的听证到此结束。"), kind="hearing") == ["权利和义务"]


def test_there_is_time_until_the_court_ends_the_hearing() -> None:
    assert missed(CRIMINAL, RIGHTS) == []
    assert missed(CRIMINAL, ("被告人", "闭庭以后我会赔偿")) == []
    assert missed("演示", END, kind="other") == []


def test_a_hearing_of_before_there_were_kinds_misses_nothing() -> None:
    facts = facts_of({"case_no": CRIMINAL, "parties": {}}, [], [], None)
    assert [one for _, one in check([CheckedLine("l", *END)], facts) if one.kind == "notice"] == []
