"""What a case number says, and how a wrong one is named."""

from __future__ import annotations

import pytest

from sync.cases.number import CaseNumberError, kind_by_number, read_case_number, type_words
from sync.cases.shelf import shipped_kinds


@pytest.mark.parametrize(
    ("text", "court", "level", "word", "number", "kind", "instance"),
    [
        ("（2026）浙0106民初1234号", "浙0106", "basic", "民初", 1234, "civil", "first"),
        ("(2026)黑05刑终7号", "黑05", "intermediate", "刑终", 7, "criminal", "second"),
        ("〔２０２５〕京行再３号", "京", "high", "行再", 3, "administrative", "retrial"),
        ("(2024)最高法知民终12号", "最高法", "supreme", "知民终", 12, "civil", "second"),
        ("(2026) 粤 0391 执恢 88 号", "粤0391", "basic", "执恢", 88, "enforcement", "first"),
        ("(2026)黔01委赔5号之一", "黔01", "intermediate", "委赔", 5, "committee", "first"),
        ("(2023)兵0801行赔初6号", "兵0801", "basic", "行赔初", 6, "administrative", "first"),
    ],
)
def test_a_number_is_read_in_its_parts(
    text: str, court: str, level: str, word: str, number: int, kind: str, instance: str
) -> None:
    read = read_case_number(text, this_year=2026)
    assert (read.court, read.level, read.type_word, read.number) == (court, level, word, number)
    assert (read.kind, read.instance) == (kind, instance)


@pytest.mark.parametrize(
    ("text", "part", "at", "said"),
    [
        ("浙0106民初1234号", "year", 0, "（2026）"),
        ("(2031)浙0106民初1号", "year", 1, "2031"),
        ("(2026)淅0106民初1号", "court", 6, "淅0106"),
        ("(2026)浙016民初1号", "court", 6, "浙016"),
        ("(2026)浙0106民出1号", "type", 11, "民初"),
        ("(2026)浙01061号", "court", 6, "浙01061"),
        ("(2026)浙0106民初号", "number", 13, "民初"),
        ("(2026)浙0106民初012号", "number", 13, "012"),
        ("(2026)浙0106民初12", "end", 15, "号"),
        ("(2026)浙0106民初12号附", "end", 15, "号附"),
        ("1" * 101, "end", 0, "100"),
        ("", "year", 0, "（2026）"),
    ],
)
def test_the_part_that_is_wrong_is_named_with_what_was_expected(text: str, part: str, at: int, said: str) -> None:
    with pytest.raises(CaseNumberError) as wrong:
        read_case_number(text, this_year=2026)
    assert (wrong.value.part, wrong.value.at) == (part, at)
    assert said in wrong.value.message


def test_every_type_word_is_of_a_kind_that_ships_and_no_word_of_two() -> None:
    assert {kind for kind, _ in type_words().values()} <= shipped_kinds().keys()
    assert all(word in type_words() for kind in shipped_kinds().values() for word in kind.types)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("(2026)浙0106刑初1号", "criminal"),
        ("(2013)杭民初字第12号", "civil"),
        ("(2026)浙0106行", None),
        ("黑05执异3号", "enforcement"),
        ("演示", None),
        ("", None),
    ],
)
def test_the_kind_is_known_by_the_type_word_in_old_numbers_too(text: str, kind: str | None) -> None:
    assert kind_by_number(text) == kind
