"""Which characters reach the paper, and what stands where one cannot."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, strategies

from sync.paper import faces
from sync.paper.characters import clean, is_printed, missing, printable, writable

GB18030_LEVEL_3 = {
    "CJK": (0x4E00, 0x9FFF),
    "A": (0x3400, 0x4DBF),
    "B": (0x20000, 0x2A6DD),
    "C": (0x2A700, 0x2B738),
    "D": (0x2B740, 0x2B81D),
    "E": (0x2B820, 0x2CEA1),
    "F": (0x2CEB0, 0x2EBE0),
    "Yi": (0xA000, 0xA48C),
    "Hangul": (0xAC00, 0xD7A3),
}


@pytest.mark.parametrize("block", GB18030_LEVEL_3)
def test_every_character_of_the_national_standard_has_a_font(block: str) -> None:
    first, last = GB18030_LEVEL_3[block]
    covered: set[int] = set()
    for face in (faces.SERIF, *faces.FALLBACKS):
        for start, end in zip(*faces._covered(face), strict=True):
            covered |= set(range(max(start, first), min(end, last) + 1))
    assert [hex(code) for code in range(first, last + 1) if code not in covered] == []


def test_a_rare_name_a_minority_script_and_a_private_character_of_the_standard_are_printed() -> None:
    for text in ("𨰿𪚥𠮷㐀䶮", "مەن ئۇنى كۆردۈم", "བོད་སྐད་ཡིག", "ᠮᠣᠩᠭᠣᠯ", "ꆈꌠꁱꂷ", "买买提·艾力"):
        assert printable(text) == text
    assert printable("\ue863\ue816") == "䶮𠂇"


def test_what_no_font_has_is_a_sign_with_its_code_point_and_named_beforehand() -> None:
    assert printable("张\ue000三") == "张〓(U+E000)三"
    assert printable("\U000f0000") == "〓(U+F0000)"
    assert missing(["张三", "李\ue001四\ue000", "\ue000"]) == ["\ue000", "\ue001"]
    assert missing(["原告：同意。", "\u200b\x0b", ""]) == []


def test_controls_are_blanks_and_marks_without_a_shape_go() -> None:
    assert clean("a\x0bb\x00c\td\ne") == "a b c d e"
    assert clean("零\u200b宽\ufeff\u202e字\u2060") == "零宽字"
    assert clean("a\u00a0b\u2003c\u3000d") == "a b c\u3000d"
    assert clean("ن\u200cه") == "ن\u200cه"  # it keeps two Arabic letters apart
    assert clean("原\u200d告") == "原告"


def test_what_this_python_does_not_know_yet_is_no_blank() -> None:
    assert clean("\U00031350") == "\U00031350"
    assert printable("\U0002ebf0") in ("\U0002ebf0", "〓(U+2EBF0)")


def test_a_machine_without_the_fallback_fonts_prints_signs_and_no_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "FALLBACKS", ())
    faces.fallback.cache_clear()
    is_printed.cache_clear()
    try:
        assert printable("𨰿ཀ民") == "〓(U+28C3F)〓(U+0F40)民"
    finally:
        monkeypatch.undo()
        faces.fallback.cache_clear()
        is_printed.cache_clear()


@given(strategies.text(strategies.characters(max_codepoint=sys.maxunicode, categories=None), max_size=40))
def test_whatever_is_written_can_be_put_into_a_file_and_on_a_paper(text: str) -> None:
    for made in (writable(text), printable(text)):
        made.encode("utf-8")
        assert not any(c < " " or c in "\ufffe\uffff" for c in made)
    assert all(map(is_printed, printable(text)))
    assert printable(printable(text)) == printable(text)
