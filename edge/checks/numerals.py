"""Numbers as they are said and written in a court: 三十万, 30万, 300,000, 叁拾万, 三万五."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

_DIGITS: Final = dict(
    zip("零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖", (0, 0, 1, 2, 2, *range(3, 10), *range(1, 10)), strict=True)
)
_SMALL: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_LARGE: Final = {"万": 10_000, "萬": 10_000, "亿": 100_000_000}
DIGIT: Final = "零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖"
HAN: Final = DIGIT + "十拾百佰千仟万萬亿"
NUMBER: Final = rf"(?:\d[\d,]{{0,20}}(?:\.\d{{1,8}})?[百千万亿]{{0,3}}|[{HAN}]{{1,24}}(?:点[{DIGIT}]{{1,8}})?[万亿]?)"
"""A pattern of any number. Bounded, so that no text makes it slow: a pattern that runs holds up the whole process."""
BEGINS: Final = rf"(?<![\d{HAN}])"
"""Not in the middle of a longer number."""


def value(text: str) -> Fraction | None:
    """What a number says; None where it says nothing."""
    plain = re.fullmatch(r"(\d[\d,]*(?:\.\d+)?)([百千万亿]*)", text)
    if plain is not None:
        out = Fraction(plain[1].replace(",", ""))
        for unit in plain[2]:
            out *= _SMALL.get(unit) or _LARGE[unit]
        return out
    whole, _, part = text.partition("点")
    unit = Fraction(1)
    while part and part[-1] in _LARGE:
        unit *= _LARGE[part[-1]]
        part = part[:-1]
    out_or_none = _han(whole)
    if out_or_none is None or any(c not in _DIGITS for c in part):
        return None
    decimals = sum((Fraction(_DIGITS[c], 10**i) for i, c in enumerate(part, start=1)), Fraction(0))
    return (out_or_none + decimals) * unit


def _han(text: str) -> Fraction | None:
    if not text or any(c not in HAN for c in text):
        return None
    if all(c in _DIGITS for c in text):  # 二零二二: said digit by digit
        return Fraction("".join(str(_DIGITS[c]) for c in text))
    total = section = digit = last = 0
    for i, c in enumerate(text):
        if c in _DIGITS:
            digit = _DIGITS[c]
            if i == len(text) - 1 and last >= 100 and text[i - 1] not in "零〇":
                digit *= last // 10  # 三万五 is 35 000
            continue
        unit = _SMALL.get(c) or _LARGE[c]
        if c in _SMALL:
            section += (digit or 1) * unit
        else:
            here = section + digit
            total = total + here * unit if total % 100_000_000 == 0 and here else (total + here) * unit
            section = 0
        digit, last = 0, unit
    return Fraction(total + section + digit)
