"""Characters that people paste and that nobody sees, and letters that look alike and are not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.text.characters import clean_line, clean_words

ANY_TEXT = st.text(st.characters(codec=None))


@pytest.mark.parametrize(
    ("pasted", "line"),
    [
        ("合同\v纠纷", "合同 纠纷"),  # Word's line break in a cell
        ("张\x00伟", "张伟"),
        ("\ufeff买卖合同\u200b纠纷\u2060", "买卖合同纠纷"),
        ("原告\u202e告被\u202c", "原告告被"),  # bidirectional override: shown the other way round than it is stored
        ("\u2067李明\u2069", "李明"),
        ("民间　借贷\xa0 纠纷\t", "民间 借贷 纠纷"),
        ("第１２３号Ａ座ｂ", "第123号A座b"),
        ("（反诉）：“是”", "（反诉）：“是”"),  # punctuation keeps its width
        ("e\u0301te\u0301", "été"),
        ("e\u200b\u0301", "é"),  # composed once nothing stands between
        ("a\u200d\u0301", "á"),
        ("张\ufe00三\U000e0100", "张三"),  # selectors of variants
        ("\ud840", "\ufffd"),
        ("一\ufffe二\U0001ffff", "一\ufffd二\ufffd"),
        ("soft\xadhyphen", "softhyphen"),
        ("一\r\n二\u2028三\x85四", "一 二 三 四"),
        ("\x1b[31m红", "[31m红"),  # an escape sequence of a terminal
        ("\U000e0041标签\U000e007f", "标签"),
        ("ㅤ", ""),  # the Hangul filler looks like a blank name
    ],
)
def test_what_is_pasted_is_what_it_looks_like(pasted: str, line: str) -> None:
    assert clean_line(pasted) == line


@pytest.mark.parametrize(
    "text",
    [
        "𠮷野家𪚥𨰿",  # planes 2 and 3 of ISO 10646
        "ئۇيغۇر تىلى",
        "می\u200cخواهم",  # the joiner changes how Persian is read
        "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ\u180b\u202fᠦᠨ",  # a selector and the narrow blank of Mongolian
        "བོད་ཡིག",
        "ꆈꌠꁱꂷ",
        "क्\u200dष",
        "\ue000",  # for private use: shown as a box, and that is said before anybody signs
    ],
)
def test_scripts_keep_what_they_need(text: str) -> None:
    assert clean_line(text) == text


def test_words_keep_their_lines_and_the_blanks_between_them() -> None:
    assert clean_words("一\r\n二\v三\n\n　　四  五\xa0六") == "一\n二\n三\n\n　　四  五 六"


@given(ANY_TEXT)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    for clean in (clean_line, clean_words):
        once = clean(text)
        assert clean(once) == once


@given(ANY_TEXT)
def test_what_was_cleaned_can_be_encoded_and_has_no_controls(text: str) -> None:
    line = clean_line(text)
    line.encode()
    assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert "  " not in line
    assert line == line.strip()


@given(ANY_TEXT)
def test_no_letter_and_no_digit_is_lost(text: str) -> None:
    """What has a shape stays, in its order; NFC and width aside."""

    def shapes(said: str) -> list[str]:
        plain = unicodedata.normalize("NFKD", said)
        return [c for c in plain if unicodedata.category(c)[0] in "LN" and c not in "\u115f\u1160\u3164\uffa0"]

    assert shapes(clean_line(text)) == shapes(text)
