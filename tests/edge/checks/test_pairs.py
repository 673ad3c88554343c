"""Questions of the court that one of those who were asked did not answer."""

from __future__ import annotations

import pytest

from edge.checks.finding import facts_of
from tests.support.words.said import CLERK, COUNSEL, DEFENDANT, FACTS, JUDGE, PLAINTIFF, found, words

BOTH = (JUDGE, "双方当事人对对方出庭人员的身份有无异议？")
NEXT = (JUDGE, "下面由原告举证。")


def test_one_answer_where_both_sides_were_asked_is_found() -> None:
    (one,) = found(BOTH, (PLAINTIFF, "没有异议。"), NEXT, (COUNSEL, "证据一。"))
    assert (one.kind, one.line, one.words) == ("pair", "u0", BOTH[1])
    assert one.why.endswith("没有被告的回答")


def test_questions_in_a_row_are_one_question() -> None:
    asked = (JUDGE, "当事人有申请回避的权利。是否听清？是否申请回避？")
    (one,) = found(asked, (DEFENDANT, "听清了，不申请。"), NEXT)
    assert one.words == "是否听清？是否申请回避？"
    assert one.why.endswith("没有原告的回答")


@pytest.mark.parametrize("call", ["请被告答辩。", "被告质证。", "被告，对证据一的真实性发表质证意见。"])
def test_who_was_called_and_did_not_answer_is_found(call: str) -> None:
    assert words((JUDGE, call), (COUNSEL, "我补充一点。"), NEXT) == [("pair", call, None)]


@pytest.mark.parametrize(
    "said",
    [
        [BOTH, (COUNSEL, "没有异议。"), (DEFENDANT, "没有。"), NEXT],
        [BOTH, (PLAINTIFF, "没有异议。"), (JUDGE, "被告呢？"), (DEFENDANT, "没有。"), NEXT],
        [BOTH, (PLAINTIFF, "没有异议。")],  # the question is still open
        [BOTH, (CLERK, "请看屏幕。"), NEXT],  # nobody answered: the court went on
        [
            (JUDGE, "请被告答辩。"),
            (PLAINTIFF, "他还没有还钱。"),
            (JUDGE, "原告不要打断被告发言。"),
            (DEFENDANT, "好。"),
            NEXT,
        ],
        [(JUDGE, "双方当事人符合法律规定，可以参加本案诉讼。"), NEXT, (COUNSEL, "证据一。"), (JUDGE, "好。")],
        [(JUDGE, "请双方当事人核对笔录，确认无误后签字。"), (JUDGE, "现在闭庭。")],
    ],
)
def test_what_was_answered_or_needs_no_answer_is_left_alone(said: list[tuple[str, str]]) -> None:
    assert words(*said) == []


def test_a_criminal_hearing_has_its_own_two_sides() -> None:
    facts = facts_of({}, [{"id": "a", "roles": ["公诉人"]}, {"id": "b", "roles": ["被告人", "辩护人"]}], [], None)
    asked = (JUDGE, "控辩双方有无新的证据？")
    assert len(found(asked, ("公诉人", "没有。"), (JUDGE, "法庭调查结束。"), facts=facts)) == 1
    assert found(asked, ("公诉人", "没有。"), ("辩护人", "没有。"), (JUDGE, "法庭调查结束。"), facts=facts) == []
    assert FACTS.roles >= {"原告", "被告"}
