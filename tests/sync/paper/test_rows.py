"""Rows of Chinese text: where they may break, and what stays whole."""

from __future__ import annotations

from hypothesis import given, strategies

from sync.paper.characters import printable
from sync.paper.rows import broken


def width(text: str) -> float:
    return sum(0.5 if c.isascii() else 1.0 for c in text)


def test_rows_break_as_a_printer_breaks_them() -> None:
    rows = broken("今天开庭，原告（张某）说：“借款Wutong30万元。”", 4, 5, width)
    assert "".join(rows) == "今天开庭，原告（张某）说：“借款Wutong30万元。”"
    assert not any(row[0] in "，。）”：" for row in rows)
    assert not any(row[-1] in "（“" for row in rows[:-1])
    assert broken("", 4, 5, width) == [""]


def test_words_whose_letters_join_and_signs_with_their_code_points_are_not_cut() -> None:
    assert broken("他说مەن ئۇنى", 4, 5, width) == ["他说", "مەن ", "ئۇنى"]
    assert broken("བོད་སྐད་ཡིག", 4, 4, width) == ["བོད་", "སྐད་", "ཡིག"]
    assert broken("张〓(U+2EBF0)三", 3, 6, width) == ["张", "〓(U+2EBF0)", "三"]
    assert broken("〓〓(U+E000)", 9, 9, width) == ["〓〓(U+E000)"]


@given(strategies.text(max_size=60), strategies.integers(2, 9))
def test_no_character_is_lost_between_rows(text: str, room: int) -> None:
    words = printable(text)
    assert "".join(broken(words, room, room, width)).replace(" ", "") == words.replace(" ", "")
