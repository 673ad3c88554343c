"""One parser of names: where one ends and the next begins, and which spellings are one name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.text.equal import DOT
from sync.text.names import _ANY_DOT, clean_name, same_name, split_names

AILI = "买买提·艾力"


@pytest.mark.parametrize("dot", "·•‧・･∙⋅●．.。｡")
@pytest.mark.parametrize("blanks", ["", " ", "　"])
def test_a_dot_of_any_kind_is_the_dot_of_a_name(dot: str, blanks: str) -> None:
    typed = f"买买提{blanks}{dot}{blanks}艾力"
    assert split_names(typed) == [AILI]
    assert same_name(typed, "买买提艾力") == (dot not in ".。｡")


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("张伟明、王芳", ["张伟明", "王芳"]),
        ("张伟明，王芳; 李强；赵敏,孙立", ["张伟明", "王芳", "李强", "赵敏", "孙立"]),
        ("张　伟、李 强", ["张伟", "李强"]),  # two characters, set as wide as three
        ("张伟\n李强", ["张伟", "李强"]),
        ("张伟\v李强", ["张伟", "李强"]),
        ("John Smith、Mary Ann Lee", ["John Smith", "Mary Ann Lee"]),
        ("ABC Co., Ltd.，张伟明", ["ABC Co., Ltd.", "张伟明"]),
        ("Li Wei, Sa Na, Sa", ["Li Wei", "Sa Na", "Sa"]),
        ("Wang Li, Co Minh，Nv Er", ["Wang Li", "Co Minh", "Nv Er"]),
        ("Li Wei, S. A. Khan", ["Li Wei", "S. A. Khan"]),
        ("Total, S.A.、Banco, S.A. de C.V.，Lee", ["Total, S.A.", "Banco, S.A. de C.V.", "Lee"]),
        ("Philips, N.V. (Eindhoven)", ["Philips, N.V. (Eindhoven)"]),
        ("ABC Co., Ltd. Beijing Branch, Sa Na", ["ABC Co., Ltd. Beijing Branch", "Sa Na"]),
        ("Maersk A/S、远洋公司", ["Maersk A/S", "远洋公司"]),
        ("某公司（北京、上海）、王五", ["某公司（北京、上海）", "王五"]),
        ("张伟明（反诉被告）、王芳", ["张伟明（反诉被告）", "王芳"]),
        ("张伟明（，王芳", ["张伟明（，王芳"]),  # a bracket that nobody closed
        ("、、张伟明、", ["张伟明"]),
        ("张伟、张伟", ["张伟"]),
        ("卡德尔·艾力·买买提", ["卡德尔·艾力·买买提"]),
        ("·艾力·", ["艾力"]),
        ("中国石油天然气股份有限公司 大庆分公司", ["中国石油天然气股份有限公司 大庆分公司"]),
        ("3.5公司、A.B.C", ["3.5公司", "A.B.C"]),  # a full stop is a dot between ideographs only
        ("3．5公司、艾力．买买提", ["3．5公司", "艾力·买买提"]),  # and a wide one but before a digit
        ("艾力 · • 买买提", ["艾力··买买提"]),
        ("\u200b", []),
        ("", []),
    ],
)
def test_names_part_at_marks_of_enumeration_only(field: str, names: list[str]) -> None:
    assert split_names(field) == names


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (AILI, "买买提艾力", True),
        (AILI, "买买提 • 艾力", True),
        ("张　伟", "张伟", True),
        ("JOHN SMITH", "John Smith", True),
        ("Ｊohn", "john", True),
        ("张伟明", "张伟民", False),
        (AILI, "买买提·艾里", False),
    ],
)
def test_dots_blanks_width_and_case_make_no_other_name(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same


def test_within_a_run_of_blanks_no_dot_is_looked_for_again() -> None:
    """A run is read from its first blank, or else as often as it is long."""
    run = "a" + " " * 50
    assert [_ANY_DOT.match(run + DOT, at) is not None for at in range(1, len(run))] == [True] + [False] * 49
    assert clean_name("a" + " " * 50 + "·" + " " * 50 + "b") == "a·b"


@given(st.lists(st.text(), max_size=5).map("、".join))
def test_a_name_that_was_parted_is_parted_no_further_and_is_clean(field: str) -> None:
    for name in split_names(field):
        assert clean_name(name) == name
        assert name
