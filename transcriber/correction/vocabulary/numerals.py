"""Numbers in the court's form: 30万元 or 三十万元, 2023年6月1日 or 二〇二三年六月一日, 6% or 百分之六.

Promises: a number keeps its value, and only amounts, dates, times of day, rates, articles and long strings of digits
are written in another form; words and idioms with numerals in them (一份, 一下, 第一, 万一, 三番五次) stay. What is
in the wanted form already is not touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Form = Literal["arabic", "chinese"]

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "幺": 1}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}
_WRITTEN = "零一二三四五六七八九"

_D = "[零〇一二三四五六七八九]"
_N = "[零〇一二两三四五六七八九十百千]"
_WHOLE = f"{_N}+(?:[万亿]{_N}+)*[万亿]?"
"""Each text matches in one way only, so that a long row of numerals takes no longer than it is."""
_IDIOM = re.compile(r"十万火急|十万八千里|千千万万|一五一十|一万年|十全十美|百万富翁|千万富翁")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A number in another form; `at` counts the characters of the text it was found in."""

    at: int
    old: str
    new: str
    why: str


def value(text: str) -> int | None:
    """Return the value of a whole Chinese numeral (三十万五千), or None where it is none (三五, 十百)."""
    total = section = 0
    digit: int | None = None
    last_unit, last_large, zero = 10_000, 10**12, False
    for place, c in enumerate(text):
        if c in _DIGITS:
            if digit is not None or (_DIGITS[c] == 0 and place == len(text) - 1 and len(text) > 1):
                return None
            if _DIGITS[c] == 0 and len(text) > 1:
                zero = True
                continue
            digit = _DIGITS[c]
        elif c in _UNITS:
            if _UNITS[c] >= last_unit or (digit is None and (c != "十" or place > 0)):
                return None
            section += (1 if digit is None else digit) * _UNITS[c]
            last_unit, digit, zero = _UNITS[c], None, False
        elif c in _LARGE:
            section += digit or 0
            if section == 0 or _LARGE[c] >= last_large:
                return None
            total += section * _LARGE[c]
            last_large, last_unit, section, digit, zero = _LARGE[c], 10_000, 0, None, False
        else:
            return None
    if digit is None:
        return total + section
    # 三百五 is 350 in speech: the unit after the last one is left out.
    left_out = min(last_unit, last_large) // 10
    if not zero and left_out > 1 and last_unit < 10_000:
        return total + section + digit * left_out
    if not zero and last_large < 10**12 and last_unit == 10_000:
        return total + digit * last_large // 10
    return total + section + digit


def written(number: int) -> str:
    """Write a whole number of less than 10^12 in Chinese numerals."""
    out = _all_written(number)
    return out.removeprefix("一") if out.startswith("一十") else out


def _all_written(number: int) -> str:
    if number < 10:
        return _WRITTEN[number]
    for name, size in (("亿", 100_000_000), ("万", 10_000)):
        if number >= size:
            rest = number % size
            zero = "零" if 0 < rest < size // 10 else ""
            return _all_written(number // size) + name + zero + (_all_written(rest) if rest else "")
    out = zero = ""
    for name, size in (("千", 1000), ("百", 100), ("十", 10), ("", 1)):
        digit, number = divmod(number, size)
        if digit:
            out += (zero if out else "") + _WRITTEN[digit] + name
            zero = ""
        else:
            zero = "零"
    return out


def _spelled(digits: str, zero: str = "零") -> str:
    return "".join(zero if d == "0" else _WRITTEN[int(d)] for d in digits)


def _unspelled(text: str) -> str:
    return "".join(str(_DIGITS[c]) for c in text)


def _arabic_amount(m: re.Match[str]) -> str | None:
    number = value(m["n"])
    if number is None:
        return None
    shown = f"{number}"
    if number >= 100_000_000 and number % 1_000_000 == 0:
        shown = f"{number / 100_000_000:.2f}".rstrip("0").rstrip(".") + "亿"
    elif number >= 10_000 and number % 10_000 == 0:
        shown = f"{number // 10_000}万"
    return shown + m["unit"]


def _arabic_point(m: re.Match[str]) -> str | None:
    whole = value(m["n"])
    return None if whole is None else f"{whole}" + (f".{_unspelled(m['p'])}" if m["p"] else "")


def _arabic_rate(m: re.Match[str]) -> str | None:
    number = _arabic_point(m)
    return None if number is None else number + ("%" if m["of"] == "百" else "‰")


def _arabic_date(m: re.Match[str]) -> str | None:
    year, month, day = m["y"], m["m"], m["d"]
    out = ""
    if year:
        out += _unspelled(year) + "年"
    for part, unit, most in ((month, "月", 12), (day, m["u"], 31)):
        if part:
            number = value(part)
            if number is None or not 1 <= number <= most:
                return None
            out += f"{number}{unit}"
    return out


def _arabic_clock(m: re.Match[str]) -> str | None:
    hour, minute = value(m["h"]), value(m["m"].lstrip("零〇") or "零")
    if hour is None or minute is None or hour > 24 or minute > 59:
        return None
    return f"{hour}{m['u']}{minute}分"


def _arabic_article(m: re.Match[str]) -> str | None:
    number = value(m["n"])
    return None if number is None else f"第{number}条"


def _chinese_number(digits: str) -> str | None:
    whole, _, part = digits.replace(",", "").partition(".")
    if len(whole) > 12 or (len(whole) > 1 and whole.startswith("0")):
        return None
    return written(int(whole)) + (f"点{_spelled(part)}" if part else "")


def _chinese_amount(m: re.Match[str]) -> str | None:
    number = _chinese_number(m["n"])
    return None if number is None else number + m["unit"]


def _chinese_rate(m: re.Match[str]) -> str | None:
    number = _chinese_number(m["n"])
    return None if number is None else ("百分之" if m["of"] == "%" else "千分之") + number


def _chinese_date(m: re.Match[str]) -> str | None:
    out = _spelled(m["y"], "〇") + "年" if m["y"] else ""
    for part, unit in ((m["m"], "月"), (m["d"], m["u"])):
        if part:
            out += f"{written(int(part))}{unit}"
    return out


def _chinese_clock(m: re.Match[str]) -> str | None:
    zero = "零" if len(m["m"]) == 2 and m["m"][0] == "0" and m["m"] != "00" else ""
    return f"{written(int(m['h']))}{m['u']}{zero}{written(int(m['m']))}分"


def _chinese_article(m: re.Match[str]) -> str | None:
    number = _chinese_number(m["n"])
    return None if number is None else f"第{number}条"


_Rule = tuple[str, re.Pattern[str], Callable[[re.Match[str]], str | None]]
_NO_NUMBER_BEFORE = r"(?<![零〇一二两三四五六七八九十百千万亿几数多点\d.第])"
_ARABIC: tuple[_Rule, ...] = (
    ("条文", re.compile(f"第(?P<n>{_N}+)条"), _arabic_article),
    ("比率", re.compile(f"(?P<of>[百千])分之(?P<n>{_N}+)(?:点(?P<p>{_D}+))?"), _arabic_rate),
    (
        "日期",
        re.compile(f"(?:(?P<y>{_D}{{4}})年)(?:(?P<m>十[一二]?|[一二三四五六七八九])月(?:(?P<d>{_N}+)(?P<u>[日号]))?)?"),
        _arabic_date,
    ),
    (
        "日期",
        re.compile(
            f"{_NO_NUMBER_BEFORE}(?P<y>)(?P<m>十[一二]?|[一二三四五六七八九])月(?P<d>[一二三四五六七八九十]{{1,3}})(?P<u>[日号])"
        ),
        _arabic_date,
    ),
    (
        "时间",
        re.compile(
            f"{_NO_NUMBER_BEFORE}(?P<h>[零一二三四五六七八九十]{{1,3}})(?P<u>[时点])(?P<m>{_N}{{1,3}})分(?!之|钟)"
        ),
        _arabic_clock,
    ),
    (
        "金额",
        re.compile(f"{_NO_NUMBER_BEFORE}(?P<n>{_N}+)点(?P<p>{_D}+)(?P<unit>[万亿]?余?元)"),
        lambda m: None if (n := _arabic_point(m)) is None else n + m["unit"],
    ),
    ("金额", re.compile(f"{_NO_NUMBER_BEFORE}(?P<n>{_WHOLE})(?P<unit>余?元)"), _arabic_amount),
    (
        "金额",
        re.compile(
            f"{_NO_NUMBER_BEFORE}(?P<n>[一二两三四五六七八九十]{_N}*万(?:{_N}+)?)(?P<unit>(?=块|多|左右|$|[，。？！；、]))"
        ),
        _arabic_amount,
    ),
    ("号码", re.compile("(?P<n>[零〇一二三四五六七八九幺]{7,})"), lambda m: _unspelled(m["n"])),
)
_A = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
_CHINESE: tuple[_Rule, ...] = (
    ("条文", re.compile(r"第(?P<n>\d{1,4})条"), _chinese_article),
    ("比率", re.compile(rf"(?<![\d.])(?P<n>{_A}(?:\.\d+)?)(?P<of>[%‰])"), _chinese_rate),
    (
        "日期",
        re.compile(r"(?<!\d)(?P<y>\d{4})年(?:(?P<m>1[0-2]|[1-9])月(?:(?P<d>[12]\d|3[01]|[1-9])(?P<u>[日号]))?)?"),
        _chinese_date,
    ),
    ("日期", re.compile(r"(?<!\d)(?P<y>)(?P<m>1[0-2]|[1-9])月(?P<d>[12]\d|3[01]|[1-9])(?P<u>[日号])"), _chinese_date),
    ("时间", re.compile(r"(?<!\d)(?P<h>1\d|2[0-4]|\d)(?P<u>[时点])(?P<m>[0-5]\d|\d)分(?!之|钟)"), _chinese_clock),
    ("金额", re.compile(rf"(?<![\d.,])(?P<n>{_A}(?:\.\d+)?)(?P<unit>[万亿]?余?元|[万亿])"), _chinese_amount),
    (
        "数量",
        re.compile(
            r"(?<![A-Za-z\d.,(（\-/第年月])(?P<n>\d{1,4})(?P<unit>(?:个|名|份|张|次|天|日|年|岁|分钟|小时|块|页|组|项|款|倍))"
        ),
        _chinese_amount,
    ),
)


def rewrite(text: str, form: Form) -> list[Rewritten]:
    """Find the numbers of `text` that are not in the wanted form, in their order; they never overlap."""
    taken = [m.span() for m in _IDIOM.finditer(text)]
    found: list[Rewritten] = []
    for why, start, old, new in _matches(text, _ARABIC if form == "arabic" else _CHINESE):
        end = start + len(old)
        if all(end <= a or start >= b for a, b in taken):
            taken.append((start, end))
            if old != new:
                found.append(Rewritten(start, old, new, why))
    return sorted(found, key=lambda r: r.at)


def _matches(text: str, rules: tuple[_Rule, ...]) -> Iterator[tuple[str, int, str, str]]:
    for why, pattern, make in rules:
        for m in pattern.finditer(text):
            new = make(m)
            if new is not None:
                yield why, m.start(), m.group(), new


def in_form(text: str, form: Form) -> str:
    """Return `text` with its numbers in the wanted form."""
    for one in reversed(rewrite(text, form)):
        text = text[: one.at] + one.new + text[one.at + len(one.old) :]
    return text
