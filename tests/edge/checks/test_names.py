"""Names that differ from the docket."""

from __future__ import annotations

import pytest

from edge.checks.finding import facts_of
from tests.support.words.said import COUNSEL, JUDGE, words


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("原告张伟民诉称", "张伟民", "张伟明"),  # min/ming
        ("我叫章伟明", "章伟明", "张伟明"),  # the surname, by ear
        ("张卫明没有到庭", "张卫明", "张伟明"),
        ("李见国还过钱", "李见国", "李建国"),
        ("原告张伟国起诉", "张伟国", "张伟明"),  # sounds unlike it, but is called the plaintiff
        ("原告张明诉被告李建国", "张明", "张伟明"),  # a character too few
        ("书记员孙莉担任法庭记录", "孙莉", "孙丽"),
        ("由审判员赵明担任审判长", "赵明", "赵敏"),
    ],
)
def test_a_name_that_is_nearly_the_dockets_is_found(text: str, wrong: str, right: str) -> None:
    assert words((JUDGE, text)) == [("name", wrong, right)]


def test_names_behind_each_others_roles_are_found() -> None:
    assert words((JUDGE, "原告李建国诉被告张伟明一案")) == [("name", "李建国", "张伟明"), ("name", "张伟明", "李建国")]


@pytest.mark.parametrize(
    "text",
    [
        "原告张伟明诉被告李建国民间借贷纠纷一案",
        "证人张伟国到庭",  # somebody else, who is called neither plaintiff nor by a like sound
        "反诉原告李建国",
        "原告张伟明的儿子",
        "请求按月支付利率差额，没有理由",
        "孙女在场，昭明的事情我不知道",  # two characters are no name by themselves
        "照明费用由谁承担",
    ],
)
def test_other_words_and_other_people_are_left_alone(text: str) -> None:
    assert words((COUNSEL, text)) == []


@pytest.mark.parametrize(
    "spelled", ["买买提艾力", "买买提•艾力", "买买提.艾力", "买买提 艾力", "买买提。艾力", "买买提 ・ 艾力"]
)
def test_a_name_of_several_parts_is_written_with_the_dockets_dot(spelled: str) -> None:
    facts = facts_of({"parties": {"被告": "买买提 • 艾力、王秀兰"}}, [], [], None)
    assert words((COUNSEL, f"被告{spelled}没有到庭"), facts=facts) == [("name", spelled, "买买提·艾力")]
    assert words((COUNSEL, "被告买买提·艾力没有到庭"), facts=facts) == []


def test_somebody_whom_the_docket_knows_is_no_wrong_name() -> None:
    case = {"parties": {"原告": "张伟明"}, "vocabulary": {"person": ["张伟民"]}}
    facts = facts_of(case, [], [], None)
    assert words((COUNSEL, "张伟民是原告张伟明的弟弟"), facts=facts) == []


def test_several_people_of_one_role_are_known_each() -> None:
    facts = facts_of({"parties": {"被告": "李建国（已到庭）、王秀兰"}}, [], [], None)
    assert words((COUNSEL, "被告王秀兰"), facts=facts) == []
    assert words((COUNSEL, "被告王秀栏"), facts=facts) == [("name", "王秀栏", "王秀兰")]


def test_an_organization_with_one_wrong_character_is_found() -> None:
    facts = facts_of({"parties": {"被告": "尖山区宏达建材有限公司"}}, [], [], None)
    assert words((COUNSEL, "被告尖山区鸿达建材有限公司"), facts=facts) == [
        ("name", "尖山区鸿达建材有限公司", "尖山区宏达建材有限公司")
    ]
