"""Numbers of cases (案号) in every spelling that people type: (2026)黑05民初123号.

The form that is kept is that of 最高人民法院《关于人民法院案件案号的若干规定》: year in brackets, code of the court,
kind of case, number, 号. What is no such number is kept as a line; nothing is guessed and nothing is added.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from sync.text.characters import clean_line
from sync.text.equal import fold

_DIGITS: Final = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_YEAR: Final = re.compile(r"^\(?(\d{4}|[〇○零一二三四五六七八九]{4})(\)|年)?(?=[^\d)年])")
_FILLING: Final = re.compile(r"字?第|[()号]")


def clean_case_number(text: str) -> str:
    """Return a number of a case as it is written; any other text as `clean_line` has it."""
    line = clean_line(text)
    narrow = re.sub(r"\s", "", unicodedata.normalize("NFKC", line)).translate(_AS_ROUND)
    year = _YEAR.match(narrow)
    if year is None or not (narrow.startswith("(") and year[2] == ")"):
        return line
    return f"({year[1].translate(_DIGITS)}){narrow[year.end() :]}"


def case_number_key(text: str) -> str:
    """Return what is compared of a number of a case: without brackets, blanks, 字第 and 号, also of a part of one."""
    key = fold(text)
    year = re.match(r"\(?([〇○零一二三四五六七八九]{4})\)", key)
    if year:
        key = year[1].translate(_DIGITS) + key[year.end() :]
    return _FILLING.sub("", key)


_AS_ROUND: Final = str.maketrans("[{〔【〈《]}〕】〉》", "((((((" + "))))))")
