"""What a number says: 三十万, 30万, 300,000, 叁拾万, 三万五; and a whole number written in characters.

The one reader of numbers, for those who write them (`transcriber.correction.numbers.forms`) and for the checks.
Promises: what says no number (三五, 十百, a lone 万) has no value, never 0.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

PLAIN: Final = "零〇一二两三四五六七八九"
"""Digits as they are said; 幺 only where digits are said one by one."""
DIGIT: Final = PLAIN + "壹贰叁肆伍陆柒捌玖"
HAN: Final = DIGIT + "十拾百佰千仟万萬亿"
NUMBER: Final = rf"(?:\d[\d,]{{0,20}}(?:\.\d{{1,8}})?[百千万亿]{{0,3}}|[{HAN}]{{1,24}}(?:点[{DIGIT}]{{1,8}})?[万亿]?)"
"""A pattern of any number. Bounded, so that no text makes it slow: a pattern that runs holds up the whole process."""
BEGINS: Final = rf"(?<![\d{HAN}])"
"""Not in the middle of a longer number."""

_DIGITS: Final = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "幺": 1}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_LARGE: Final = {"万": 10_000, "亿": 100_000_000}
_WRITTEN: Final = "零一二三四五六七八九"
_IN_PLAIN: Final = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟萬", "一二三四五六七八九十百千万")


def value(text: str) -> Fraction | None:
    """Return what a number says, also one that is said digit by digit (二零二二); None where it says none."""
    plain = re.fullmatch(r"(\d[\d,]*(?:\.\d+)?)([百千万亿]*)", text)
    if plain is not None:
        out = Fraction(plain[1].replace(",", ""))
        for unit in plain[2]:
            out *= _UNITS.get(unit) or _LARGE[unit]
        return out
    text = text.translate(_IN_PLAIN)
    head, _, part = text.partition("点")
    unit_of_all = 1
    while part and part[-1] in _LARGE:
        unit_of_all *= _LARGE[part[-1]]
        part = part[:-1]
    number = int(digits) if (digits := unspelled(head)) else whole(head)
    if number is None or any(c not in _DIGITS for c in part):
        return None
    decimals = sum((Fraction(_DIGITS[c], 10**i) for i, c in enumerate(part, start=1)), Fraction(0))
    return (number + decimals) * unit_of_all


def whole(text: str) -> int | None:
    """Return the value of a whole number in characters (三十万五千); None where it is none (三五, 十百, 万)."""
    if not text:
        return None
    total = section = 0
    digit: int | None = None
    last_unit, last_large, zero = 10_000, 10**12, False
    for place, c in enumerate(text.translate(_IN_PLAIN)):
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
            if c == "亿" and last_large == _LARGE["万"] and total and total < 10**8:
                total, section = (total + section) * _LARGE[c], 0  # 一万亿
            elif section == 0 or _LARGE[c] >= last_large:
                return None
            else:
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


def spelled(digits: str, zero: str = "零") -> str:
    """Write digits one by one: 2023 is 二零二三."""
    return "".join(zero if d == "0" else _WRITTEN[int(d)] for d in digits)


def unspelled(text: str) -> str:
    """Return the digits of what is said one by one, in either script; empty where anything else is among it."""
    out = [c if c in "0123456789" else str(_DIGITS[c]) if c in _DIGITS else "" for c in text.translate(_IN_PLAIN)]
    return "".join(out) if all(out) else ""
