"""Words that come again and again: a model that lost its way, or a person who counts, answers and insists.

Promises: numbers are no repetition, in digits or in characters, with their units or without (13888888888,
一千元一千元): people read out lists. Nothing here takes words away from the record; `once` is for captions only.
"""

from __future__ import annotations

import re
import zlib

MAX_COMPRESSION = 2.6
"""UTF-8 bytes per deflated byte; Chinese speech stays below 1.6."""
_LEAST_BYTES = 60
_NUMERALS = frozenset("0123456789０１２３４５６７８９零〇一二两三四五六七八九十百千万亿幺壹贰叁肆伍陆柒捌玖拾佰仟")
_UNITS = frozenset("元角分块毛整年月日号时点条款项第笔张份次个期页岁%％")
_LOOP = re.compile(r"(.{3,12}?)\1{4,}|(.{1,2})\2{8,}", re.DOTALL)
"""对对对对对 is speech; nine times is not."""
_ECHOED = re.compile(r"(\w{3,20}[，。,、 ]?)\1+")
_LONG = 8
_LIST = 0.1
"""With so many numerals among its letters a text is a list: 第一笔还款一万元，第二笔还款一万元."""


def numeral_share(text: str) -> float:
    """How much of the letters of `text` are numerals and their units, 0…1; 0 where no numeral is among them."""
    letters = [c for c in text if c.isalnum() or c in "%％"]
    if not any(c in _NUMERALS for c in letters):
        return 0.0
    return sum(c in _NUMERALS or c in _UNITS for c in letters) / len(letters)


def _counts(unit: str) -> bool:
    """Whether what comes again is a number or only marks."""
    return not any(c.isalnum() for c in unit) or numeral_share(unit) == 1.0


def loops(text: str) -> bool:
    """Whether `text` repeats itself as people hardly ever do: its words are in doubt."""
    if any(not _counts(m[1] or m[2]) for m in _LOOP.finditer(text)):
        return True
    letters = [c for c in text if c.isalnum()]
    if sum(c in _NUMERALS for c in letters) >= _LIST * len(letters):
        return False
    raw = text.encode(errors="replace")
    return len(raw) > _LEAST_BYTES and len(raw) / len(zlib.compress(raw)) > MAX_COMPRESSION


def once(text: str) -> str:
    """Take out the immediate repetitions that a hasty pass makes; this is for captions only."""
    return _ECHOED.sub(lambda m: m.group() if _counts(m[1]) else m[1], text)


def echoes(text: str) -> bool:
    """Whether a phrase comes twice in a row: people do that, a hasty pass does it more often. Worth another look."""
    return any(not _counts(m[1]) for m in _ECHOED.finditer(text))


def said_again(text: str) -> bool:
    """Whether as many as eight letters in a row come twice: within one turn that is mostly a pass that lost its way."""
    letters = "".join(c for c in text if c.isalnum())
    return any(letters[i : i + _LONG] in letters[i + _LONG :] for i in range(len(letters) - 2 * _LONG + 1))


def digits(text: str) -> str:
    """Return the numerals of `text` alone, in their order."""
    return "".join(c for c in text if c in _NUMERALS)
