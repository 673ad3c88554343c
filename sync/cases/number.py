"""What a case number (案号) says: （2026）浙0106民初1234号 is year, code of the court, type word (类型代字) and number.

Promises: brackets and digits of any width are taken; the kind of case and the instance are those of `type_words.toml`,
which names its source. What was typed is never changed here: `clean_case_number` is how a number is kept. A text that
is no such number is a `CaseNumberError` that names the part, what stands there and what was expected. Numbers of
before 2016 have other forms: so a wrong number is told, and hinders no hearing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, Literal

from sync.errors import HearingError
from sync.text.case_number import clean_case_number

LONGEST_NUMBER: Final = 100
FIRST_YEAR: Final = 1949
PROVINCES: Final = "京津冀晋内辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川黔云藏陕甘青宁新"
"""Of the courts' codes, which are those of the regions; beside them 最高法, 兵 and 军."""
_COURT: Final = re.compile(rf"最高法|[{PROVINCES}兵军](?:\d{{2}}(?:\d{{2}})?)?(?!\d)")
_ANY_COURT: Final = re.compile(r"[^\d()]{0,3}?\d+|[^\d()]")
_NUMBER: Final = re.compile(r"[1-9]\d{0,7}")

Part = Literal["year", "court", "type", "number", "end"]
Instance = Literal["first", "second", "retrial", "review", "other"]
CourtLevel = Literal["supreme", "high", "intermediate", "basic"]


class CaseNumberError(HearingError):
    """A text that is no case number of today's form; `part` is the first that is wrong, `at` where it begins."""

    code = "invalid"

    def __init__(self, part: Part, at: int, what: str, english: str) -> None:
        super().__init__(f"{what} ({english})")
        self.part = part
        self.at = at
        """Characters of the number as it is kept (`clean_case_number`)."""


@dataclass(frozen=True, slots=True)
class CaseNumber:
    """A case number in its parts."""

    year: int
    court: str
    """Its code: 浙0106."""
    level: CourtLevel
    type_word: str
    number: int
    kind: str
    """The id of a kind of case."""
    instance: Instance


@cache
def type_words() -> Mapping[str, tuple[str, Instance]]:
    """(kind, instance) of each type word."""
    text = (resources.files(__package__) / "type_words.toml").read_text(encoding="utf-8")
    return {
        word: (kind, instance)
        for kind, instances in tomllib.loads(text).items()
        for instance, words in instances.items()
        for word in words
    }


def read_case_number(text: str, *, this_year: int) -> CaseNumber:
    """The parts of a number; `CaseNumberError` where it is none. `this_year`: no case is of a later one."""
    if len(text) > LONGEST_NUMBER:
        raise CaseNumberError("end", 0, f"案号超过 {LONGEST_NUMBER} 字", f"longer than {LONGEST_NUMBER} characters")
    line = clean_case_number(text)
    year = re.match(r"\((\d{4})\)", line)
    if year is None:
        raise CaseNumberError(
            "year",
            0,
            f"案号开头应为括号中的收案年度，例如（{this_year}）；现在是“{_shown(line)}”",
            f"a case number begins with the year in brackets, for example ({this_year})",
        )
    if not FIRST_YEAR <= int(year[1]) <= this_year:
        raise CaseNumberError(
            "year",
            1,
            f"收案年度应在 {FIRST_YEAR} 年到 {this_year} 年之间；现在是“{year[1]}”",
            f"the year is one from {FIRST_YEAR} to {this_year}, not {year[1]}",
        )
    at = year.end()
    court = _COURT.match(line, at)
    if court is None:
        raise _wrong_court(line, at)
    word, number_at = _type_word(line, court.end())
    kind, instance = type_words()[word]
    number = _NUMBER.match(line, number_at)
    if number is None:
        raise CaseNumberError(
            "number",
            number_at,
            f"“{word}”之后应为案件编号，即不以 0 开头的 1 到 8 位数字；现在是“{_shown(line[number_at:])}”",
            "after the type word comes the number of the case: 1 to 8 digits that do not begin with 0",
        )
    if not re.fullmatch(r"号(之[一二三四五六七八九十]{1,3})?", line[number.end() :]):
        raise CaseNumberError(
            "end",
            number.end(),
            f"案件编号之后应以“号”结尾；现在是“{_shown(line[number.end() :])}”",
            "a case number ends with 号 after its digits",
        )
    return CaseNumber(int(year[1]), court[0], _level(court[0]), word, int(number[0]), kind, instance)


def kind_by_number(text: str) -> str | None:
    """The id of the kind by the type word alone, also in a number of another form; None where it says none."""
    found = re.search(r"[\u4e00-\u9fff]+(?=字?第?\d*号)", clean_case_number(text)) or re.search(
        r"[\u4e00-\u9fff]+(?=字?第?\d*$)", clean_case_number(text)
    )
    said = found[0].removesuffix("第").removesuffix("字") if found else ""
    words = type_words()
    for start in range(len(said)):
        if said[start:] in words:
            return words[said[start:]][0]
    return None


def _type_word(line: str, at: int) -> tuple[str, int]:
    """(the type word, where it ends)."""
    found = re.compile(r"[^\d]*").match(line, at)
    said = "" if found is None else found[0]
    if said in type_words():
        return said, at + len(said)
    best = max((word for word in type_words() if said.startswith(word)), key=len, default="")
    if best and not re.match(r"(?!号)[\u4e00-\u9fff]", said[len(best) :]):
        return best, at + len(best)
    near = [word for word in type_words() if said[:1] and word.startswith(said[:1])][:6]
    expected = "、".join(near or ("民初", "刑初", "行初", "执"))
    shown = _shown(said)
    raise CaseNumberError(
        "type",
        at,
        f"“{shown}”不是类型代字，此处应为 {expected} 等" if said else f"法院代字之后应为类型代字，例如 {expected}",
        f"{shown} is no type word; expected is one like {expected}" if said else f"a type word is missing: {expected}",
    )


def _wrong_court(line: str, at: int) -> CaseNumberError:
    said = _ANY_COURT.match(line, at)
    shown = _shown("" if said is None else said[0])
    return CaseNumberError(
        "court",
        at,
        f"“{shown}”不是法院代字；应为最高法，或者省份简称加 0、2 或 4 位数字，例如 浙0106",
        f"{shown} is no code of a court: 最高法, or the short name of a province with 0, 2 or 4 digits like 浙0106",
    )


def _level(court: str) -> CourtLevel:
    if court == "最高法":
        return "supreme"
    return {0: "high", 2: "intermediate", 4: "basic"}[len(court) - 1]  # type: ignore[return-value]


def _shown(text: str) -> str:
    return text[:12] + ("…" if len(text) > 12 else "")
