"""What the event `open` says of a case: its kind, and with it who signs in which order and what the paper is called."""

from __future__ import annotations

from typing import Any

import pytest

from edge.documents.form import form_of
from edge.hearing.opened_case import opened_case
from edge.phrases.fields import kind_of
from edge.state.kind_alarms import kind_alarms
from server.store.rights.sitting import sitting_of
from sync.cases.shelf import CaseKinds, read_kinds
from sync.record.docket import Case
from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.record.signers import BENCH, bench_of, people_of

KINDS = read_kinds(None)


def opened(case: Case) -> Hearing:
    """A hearing of this case; nothing was said yet."""
    body: dict[str, Any] = {"case": opened_case(case, "h1", KINDS), "seats": [{"id": "a", "role": "书记员"}]}
    return Hearing.of("h1", [Event(number=1, hearing="h1", kind="open", room_ns=1, utc_ns=1, body=body)])


@pytest.mark.parametrize(
    ("number", "said", "kind", "branch", "parties", "order", "paper"),
    [
        (
            "(2026)浙0106民初1号",
            "",
            "civil",
            "民事",
            {"第三人": "丙", "被告": "乙", "原告": "甲"},
            ["原告", "被告", "第三人"],
            "法庭笔录",
        ),
        (
            "(2026)浙0106刑初1号",
            "",
            "criminal",
            "刑事",
            {"辩护人": "丙", "被告人": "乙", "公诉人": "甲"},
            ["公诉人", "被告人", "辩护人"],
            "法庭笔录",
        ),
        (
            "(2026)浙0106行初1号",
            "",
            "administrative",
            "行政",
            {"行政机关负责人": "丙", "被告": "某局", "原告": "甲"},
            ["原告", "被告", "行政机关负责人"],
            "法庭笔录",
        ),
        (
            "(2026)浙0106执异1号",
            "hearing",
            "hearing",
            "",
            {"被申请人": "乙", "申请人": "甲", "听证主持人": "丁"},
            ["申请人", "被申请人", "听证主持人"],
            "听证笔录",
        ),
    ],
)
def test_a_kind_says_who_signs_in_which_order_and_what_the_paper_is_called(
    number: str, said: str, kind: str, branch: str, parties: dict[str, str], order: list[str], paper: str
) -> None:
    hearing = opened(Case(case_no=number, kind=said, parties=parties))
    assert (hearing.case["kind"], hearing.case["branch"], kind_of(hearing.case)) == (kind, branch, branch)
    people = people_of(hearing, None)
    assert [person.role for person in people] == [*order, "书记员"]
    assert [person.role for person in people if person.bench] == [
        r for r in (*order, "书记员") if r in bench_of(hearing.case)
    ]
    made = form_of(hearing, court_name="法院", room_name="法庭")
    assert made.title == paper


def test_the_presiding_officer_of_a_hearing_is_of_the_bench() -> None:
    case = opened_case(Case(case_no="演示", kind="hearing", parties={"听证主持人": "丁", "申请人": "甲"}), "h1", KINDS)
    assert bench_of(case)[0] == "听证主持人"
    assert sitting_of(case) == ["丁"]


def test_a_hearing_of_before_there_were_kinds_is_read_as_it_was() -> None:
    assert bench_of({"parties": {}}) == BENCH
    assert bench_of({"bench": "审判长"}) == BENCH
    assert bench_of({"bench": ["审判长", 3]}) == ("审判长",)


def test_a_kind_that_is_not_there_any_more_hinders_no_hearing() -> None:
    case = Case(case_no="(2026)浙0106刑初1号", kind="military", parties={"被告人": "乙"})
    assert opened_case(case, "h1", KINDS)["kind"] == "criminal"


def test_a_broken_file_is_an_alarm_until_it_is_mended() -> None:
    assert kind_alarms(KINDS, 5) == []
    broken = CaseKinds(KINDS.kinds, ("civil.toml 第 1 行：缺少 name (…)",))
    (alarm,) = kind_alarms(broken, 5)
    assert (alarm["code"], alarm["since_ns"]) == ("case-kind", 5)
    assert "civil.toml" in alarm["text"]
