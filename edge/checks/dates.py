"""Dates that cannot be, and dates that contradict each other.

The civil calendar has no 二月三十日 (the farmers', 农历, has one in some years). Nobody repays a loan before it is
made, or signed a paper after the hearing, and one loan of one amount was made on one day. A date that is said of
something else, or denied, or of another calendar, is left alone.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from edge.checks.amounts import MONEY
from edge.checks.finding import DATE, CheckedLine, Facts, Finding, TextPlace
from edge.checks.sentences import sentences
from edge.checks.sides import STATING, side_of
from transcriber.correction.numbers.calendars import is_of_other_calendar
from transcriber.correction.numbers.numerals import DIGIT, HAN, value

_PART: Final = rf"(?:\d{{1,2}}|[{DIGIT}十]{{1,3}})"
_DATE: Final = re.compile(
    rf"(?:(\d{{4}}|[{DIGIT}]{{4}})年)?(?<![{HAN}\d个])({_PART})月(?:份)?({_PART})[日号](?!线|楼|院|车|商铺)"
)
_LENT: Final = re.compile(r"借款|借给|出借|向\w{1,6}借|借了|出具借条|签订借款|签订.{0,4}借条")
_REPAID: Final = re.compile(r"还款|归还|偿还|还清|清偿|还给|还了|付清")
_HAPPENED: Final = re.compile(r"出生|签订|签署|出具|转账|借款|交付|支付了|收到|发生|登记结婚|入职")
_NOT: Final = re.compile(
    r"不|没|未|无|称|主张|如果|应当?|约定|承诺|答应|期限|到期|届满|之前|以前|前|起|至今|催|要求|请求|所谓|说|证明"
)
_SEVERAL: Final = re.compile(r"第.笔|[又再另]|[两三四五几多][次笔]|分别|陆续|先后|其中")
_MOST_OF_A_MONTH: Final = 30
"""Days of a month of the farmers' calendar."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A date and what is said to have been then."""

    day: dt.date
    at: int
    length: int
    what: str
    """`lent`, `repaid` or empty."""
    worth: str
    """The one amount of the sentence."""
    several: bool


def find(lines: Sequence[CheckedLine], facts: Facts) -> Iterator[Finding]:
    """Impossible dates of every line; then loans and repayments of those who state them."""
    lent: dict[str, list[tuple[CheckedLine, Dated]]] = defaultdict(list)
    repaid: list[tuple[CheckedLine, Dated]] = []
    for line in lines:
        for at, length, why in _impossible(line.text):
            yield Finding(DATE, line.id, at, length, line.text[at : at + length], why)
        side = side_of(line.role)
        for dated in _dated(line.text):
            if facts.today is not None and dated.what != "repaid" and dated.day > facts.today and dated.what:
                words = line.text[dated.at : dated.at + dated.length]
                why = f"“{words}”在本次庭审之后，与所说的事已经发生矛盾"
                yield Finding(DATE, line.id, dated.at, dated.length, words, why)
            elif side in STATING and dated.what == "lent":
                lent[side].append((line, dated))
            elif side in STATING and dated.what == "repaid":
                repaid.append((line, dated))
    yield from _before_the_loan([one for all_ in lent.values() for one in all_], repaid)
    for side, loans in lent.items():
        yield from _other_day(side, loans)


def _before_the_loan(
    lent: list[tuple[CheckedLine, Dated]], repaid: list[tuple[CheckedLine, Dated]]
) -> Iterator[Finding]:
    days = {dated.day for _, dated in lent}
    if len(days) != 1 or any(dated.several for _, dated in lent):
        return
    loan_line, loan = lent[0]
    for line, dated in repaid:
        if dated.day < loan.day:
            words, other = _words(line, dated), _words(loan_line, loan)
            why = f"还款日期“{words}”早于借款日期“{other}”"
            also = TextPlace(loan_line.id, loan.at, loan.length)
            yield Finding(DATE, line.id, dated.at, dated.length, words, why, also=also, other=other)


def _other_day(side: str, loans: list[tuple[CheckedLine, Dated]]) -> Iterator[Finding]:
    """One loan of one amount on two days."""
    by_worth: dict[str, list[tuple[CheckedLine, Dated]]] = defaultdict(list)
    for one in loans:
        by_worth[one[1].worth].append(one)
    for worth, all_ in by_worth.items():
        days = {dated.day for _, dated in all_}
        if not worth or len(days) != 2 or any(dated.several for _, dated in all_):
            continue
        counts = {day: sum(d.day == day for _, d in all_) for day in days}
        usual_line, usual = max(all_, key=lambda one: counts[one[1].day])
        for line, dated in all_:
            if dated.day != usual.day and line.id != usual_line.id:
                words, other = _words(line, dated), _words(usual_line, usual)
                why = f"{side}方前后所说的同一笔借款日期不一致：这里是“{words}”，另一处是“{other}”"
                also = TextPlace(usual_line.id, usual.at, usual.length)
                yield Finding(DATE, line.id, dated.at, dated.length, words, why, also=also, other=other)


def _words(line: CheckedLine, dated: Dated) -> str:
    return line.text[dated.at : dated.at + dated.length]


@lru_cache(maxsize=16384)
def _impossible(text: str) -> tuple[tuple[int, int, str], ...]:
    out = []
    for found in _DATE.finditer(text):
        year, month, day = _read(found)
        if month is None or day is None:
            continue
        if is_of_other_calendar(text, found.start()):
            if not 1 <= day <= _MOST_OF_A_MONTH:
                out.append((found.start(), len(found[0]), f"没有哪个月有 {day} 日"))
            continue
        if not 1 <= month <= 12:
            out.append((found.start(), len(found[0]), f"没有 {month} 月"))
            continue
        most = calendar.monthrange(year if year and 1 <= year <= 9999 else 2024, month)[1]
        if not 1 <= day <= most:
            of = f"{year} 年 {month} 月" if year else f"{month} 月"
            out.append((found.start(), len(found[0]), f"{of}只有 {most} 天，没有 {day} 日"))
    return tuple(out)


def _read(found: re.Match[str]) -> tuple[int | None, int | None, int | None]:
    def number(group: int) -> int | None:
        part = found[group]
        read = None if part is None else value(part)
        return None if read is None else int(read)

    return number(1), number(2), number(3)


@lru_cache(maxsize=16384)
def _dated(text: str) -> tuple[Dated, ...]:
    """The whole dates of a text, with what is said of each until the next one."""
    out = []
    for place, sentence in sentences(text):
        dates = list(_DATE.finditer(sentence))
        money = {str(value(m[1] or m[2])) for m in MONEY.finditer(sentence)}
        for i, found in enumerate(dates):
            year, month, day = _read(found)
            if is_of_other_calendar(sentence, found.start()):
                continue  # on which day of the civil calendar it was, the words do not say
            if not (year and month and day) or not (1 <= month <= 12 and 1900 <= year <= 2200):
                continue
            if day > calendar.monthrange(year, month)[1]:
                continue
            rest = sentence[found.end() : dates[i + 1].start() if i + 1 < len(dates) else len(sentence)]
            out.append(
                Dated(
                    dt.date(year, month, day),
                    place + found.start(),
                    len(found[0]),
                    _what(rest, re.split(r"[，,：:、]", sentence[: found.start()])[-1]),
                    money.pop() if len(money) == 1 and len(dates) == 1 else "",
                    bool(_SEVERAL.search(sentence)),
                )
            )
    return tuple(out)


def _what(rest: str, before: str) -> str:
    """What is said to have happened: the first of it, unless it is denied, promised or somebody's claim."""
    if _NOT.search(before):
        return ""
    lent, repaid = _LENT.search(rest), _REPAID.search(rest)
    first = min((m for m in (lent, repaid) if m is not None), key=lambda m: m.start(), default=None)
    if first is None:
        return "happened" if (did := _HAPPENED.search(rest)) and not _NOT.search(rest[: did.end()]) else ""
    if _NOT.search(rest[: first.start()]) or rest.startswith(("起", "至", "止")):
        return ""
    return "lent" if first is lent else "repaid"
