"""Numbers in the court's form: 30万元 or 三十万元, 2023年6月1日 or 二〇二三年六月一日, 6% or 百分之六.

Promises: a number keeps its value, and only amounts, dates, times of day, rates, articles and long strings of digits
are written in another form; words and idioms with numerals in them (一份, 一下, 第一, 万一, 三番五次) stay. An
expression is rewritten whole or not at all: a range (2023年6月至九月, 6月1号到七号) and an amount with its parts
(3200元五角八分) have one form from end to end, else they stay as they were heard. A date of another calendar than the
civil one (农历八月十五日) is not written in digits. What is in the wanted form already is not touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from transcriber.correction.numbers import expressions
from transcriber.correction.numbers.calendars import is_of_other_calendar

Form = Literal["arabic", "chinese"]

_IDIOM = re.compile(r"十万火急|十万八千里|千千万万|一五一十|一万年|十全十美|百万富翁|千万富翁")
_NUMERAL = "零〇一二两三四五六七八九十百千万亿幺\\d"
_RANGE = "至到—－~～"
_OPEN_BEFORE = re.compile(rf"[{_NUMERAL}%‰](?:[{_RANGE}、或和与及跟-]|或者|还是|以及)$")
"""A number without its unit before it: 三到五万元, 两千、三千和五千元."""
_STOP = "$|[，。？！；、,.?!;]"
_OPEN_AFTER = {
    "日期": rf"(?:[{_RANGE}-][{_NUMERAL}]+(?=[日号月年]|{_STOP})|的?[{_NUMERAL}]+(?=[月日号]))",
    "时间": rf"[{_RANGE}-][{_NUMERAL}]+(?=[时点分]|{_STOP})",
    "金额": rf"(?:[{_RANGE}-][{_NUMERAL}]+(?=[元块角毛]|{_STOP})|[{_NUMERAL}](?={_STOP}|[的钱]))",
    "比率": rf"(?:[{_RANGE}-]|[、或和]者?(?![百千万]分))[{_NUMERAL}]+(?=[%％个成]|分之|{_STOP})",
    "条文": rf"[{_RANGE}、-][{_NUMERAL}]+条",
}
"""An expression that goes on in a way that no rule reads: 百分之五或者六, 二〇二三年五六月份, 十五元八."""
_OPEN = {why: re.compile(pattern) for why, pattern in _OPEN_AFTER.items()}
_NEAR = 32
"""Characters of a range that are looked at; a numeral is shorter."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A number in another form; `at` counts the characters of the text it was found in."""

    at: int
    old: str
    new: str
    why: str


def rewrite(text: str, form: Form) -> list[Rewritten]:
    """Find the numbers of `text` that are not in the wanted form, in their order; they never overlap."""
    taken = bytearray(len(text))
    for idiom in _IDIOM.finditer(text):
        taken[idiom.start() : idiom.end()] = b"x" * len(idiom[0])
    found: list[Rewritten] = []
    for why, start, old, new in _matches(text, form):
        end = start + len(old)
        if not any(taken[start:end]):
            taken[start:end] = b"x" * len(old)
            if old != new:
                found.append(Rewritten(start, old, new, why))
    return sorted(found, key=lambda r: r.at)


def _matches(text: str, form: Form) -> Iterator[tuple[str, int, str, str]]:
    """(what it is, where, as it is, as it should be); the same where it has to stay as it was heard."""
    for why, pattern, make in expressions.IN_DIGITS if form == "arabic" else expressions.IN_CHARACTERS:
        for m in pattern.finditer(text):
            other_calendar = why == "日期" and form == "arabic" and is_of_other_calendar(text, m.start())
            stays = other_calendar or _goes_on(why, text, *m.span())
            new = m.group() if stays else make(m.group())
            if new is not None:
                yield why, m.start(), m.group(), new


def _goes_on(why: str, text: str, start: int, end: int) -> bool:
    """Whether it is part of a range that is not read as a whole."""
    if _OPEN_BEFORE.search(text[max(start - 3, 0) : start]):
        return True
    after = _OPEN.get(why)
    return after is not None and after.match(text[end : end + _NEAR]) is not None


def in_form(text: str, form: Form) -> str:
    """Return `text` with its numbers in the wanted form."""
    for one in reversed(rewrite(text, form)):
        text = text[: one.at] + one.new + text[one.at + len(one.old) :]
    return text
