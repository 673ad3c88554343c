"""Expressions with numbers in them as one reads them, and each of them in digits or in characters.

Each rule is (what it is, a pattern of the whole expression, what makes the other form of it): a date with the end of
its range, an amount with 角 and 分, a rate, a time of day, an article with its paragraph. A rule answers with the
expression as it is where some part cannot be written in the other form, and None where it is no such expression. Each
text matches a pattern in one way only, so that a long row of numerals takes no longer than it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from transcriber.correction.numbers.numerals import spelled, unspelled, whole, written

Rule = tuple[str, re.Pattern[str], Callable[[str], str | None]]

_D = "[零〇一二三四五六七八九]"
_N = "[零〇一二两三四五六七八九十百千]"
_WHOLE = f"{_N}+(?:[万亿]{_N}+)*[万亿]?"
_A = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_NUMBERED = r"(?<![周初老小李王赵])(?<!星期)(?<!礼拜)(?<!^张)(?<![^零〇一二两三四五六七八九十百千几这那每\d]张)"
"""Not behind what ends with a numeral itself: 周二十点三十分 is half past ten, and 张三十万元 may be what 张三 got."""
_BEFORE = rf"(?<![零〇一二两三四五六七八九十百千万亿几数多点\d.第])(?<!\d,){_NUMBERED}"
_TO = r"(?:至|到|—|－|-|~|～)"
_HAN = re.compile(r"[零〇一二两三四五六七八九十百千万亿幺]")
_ARABIC = re.compile(r"\d")

# ---- dates
_Y = rf"(?:{_D}{{4}}|\d{{4}})年"
_M = r"(?:十[一二]?|[一二三四五六七八九元]|1[0-2]|[1-9])月"
_DAY = r"(?:[一二三四五六七八九十]{1,3}|[12]\d|3[01]|[1-9])"
_NO_DAY = r"(?!线|楼|院|车|商铺|房|库|桌|店|厂|文|证据)"
_ON = rf"{_DAY}[日号]{_NO_DAY}"
_WITH = rf"(?:{_TO}|、|和|与|及|或者?|以及|还是|跟)"
_DATE_PART = rf"(?:{_Y}(?:{_M}(?:份|{_ON}|{_DAY}(?={_TO}{_ON}))?)?|{_M}(?:份|{_ON}|{_DAY}(?={_TO}{_ON}))?|{_ON})"
_DATE = re.compile(rf"{_BEFORE}(?<![零〇一二三四五六七八九十\d]年){_DATE_PART}(?:{_WITH}{_DATE_PART})*")
_DATE_ANCHOR = re.compile(rf"{_Y}|{_M}{_DAY}[日号]|{_M}{_DAY}{_TO}")
_DATE_NUMBER = re.compile(rf"(?P<y>{_D}{{4}}|\d{{4}})(?=年)|(?P<n>[零〇一二三四五六七八九十]+|\d+)(?=(?P<u>.?))")

# ---- times of day
_HOUR = rf"(?:{_N}{{1,3}}|\d{{1,2}})[时点]"
_MINUTE = rf"(?:{_N}{{1,3}}|\d{{1,2}})分(?!之|钟)"
_TIME_PART = rf"{_HOUR}(?:{_MINUTE}|半|整)?"
_TIME = re.compile(rf"{_BEFORE}(?>{_TIME_PART}(?:{_TO}{_TIME_PART})*)(?!刻|[零〇一二两三四五六七八九十\d])")
_TIME_ANCHOR = re.compile(_MINUTE)
_TIME_NUMBER = re.compile(rf"({_N}+|\d+)([时点分])")

# ---- rates
_RATE_PART = rf"(?:[百千]分之{_N}+(?:点{_D}+)?|{_A}[%‰])"
_RATE_END = rf"(?:{_N}+(?:点{_D}+)?|{_A})(?=$|[，。？！；、,.?!;]|之间|不等|左右|的)"
_PART_OF_MORE = r"(?<![零〇一二两三四五六七八九十百千万亿几\d.,])(?<!^数)(?<![^人总次件票股份]数)"
"""三百分之一 is a third of a hundredth part, 数百分之一 of several; 总人数百分之五十 is a rate."""
_RATE = re.compile(rf"{_PART_OF_MORE}(?>{_RATE_PART}(?:{_WITH}{_RATE_PART}|{_TO}{_RATE_END})*)(?![几多来余点])")
_RATE_NUMBER = re.compile(
    rf"(?P<of>[百千])分之(?P<n>{_N}+)(?:点(?P<p>{_D}+))?|(?P<a>{_A})(?P<sign>[%‰])|(?P<bn>{_N}+)(?:点(?P<bp>{_D}+))?|(?P<ba>{_A})"
)

# ---- amounts of money
_SUM = rf"(?:{_N}+点{_D}+[万亿]?|{_WHOLE}|{_A}[万亿]?)"
_CENT = "[一二两三四五六七八九1-9]"
_CENTS = rf"(?:零?{_CENT}[角毛](?:零?{_CENT}分(?!之|钟))?|零?{_CENT}分(?=$|[，。？！；、,.?!;整]))?"
_MONEY_PART = rf"{_SUM}余?元{_CENTS}"
_MONEY = re.compile(rf"{_BEFORE}(?<![￥¥$])(?:{_SUM}{_TO})?{_MONEY_PART}(?:{_TO}{_MONEY_PART})*")
_MONEY_NUMBER = re.compile(rf"(?P<sum>{_SUM})(?P<unit>余?元)?(?P<cents>{_CENTS})")
_ROUND = re.compile(rf"{_BEFORE}[一二两三四五六七八九十]{_N}*万(?:{_N}+)?(?=块|多|左右|$|[，。？！；、])")

# ---- articles of law, and digits said one by one
_ARTICLE_PART = rf"(?:{_N}+|\d{{1,4}})条(?:之{_D})?(?:第(?:{_N}+|\d{{1,3}})款)?(?:第(?:{_N}+|\d{{1,3}})项)?"
_ARTICLE = re.compile(rf"第{_ARTICLE_PART}(?:(?:{_WITH})第?{_ARTICLE_PART})*")
_ARTICLE_NUMBER = re.compile(rf"({_N}+|\d+)(?=[条款项])")
_SAID = "[零〇一二三四五六七八九幺0-9]"
_CODE = f"(?:[A-Za-z]{{1,4}}{_SAID}+)"
"""The letters of a code, with digits behind them: 91230103MA18."""
_NOT_IN_ROW = r"(?<![零〇一二三四五六七八九幺两十百千万亿点第\d.])" + "".join(
    f"(?<!{_SAID}{'[A-Za-z]' * letters})" for letters in (1, 2, 3, 4)
)
_NO_ROW = r"(?![十百千万亿点元年月日号%])"
"""Behind a row of digits: what makes them a number, or a part of one. No row ends before its last digit is read."""
_ONE_BY_ONE = re.compile(
    rf"{_NOT_IN_ROW}(?>{_SAID}(?:{_SAID}+{_CODE}*|{_CODE}+))"
    rf"(?:[，、 -](?>{_SAID}{{2,}}{_CODE}*){_NO_ROW})*{_NO_ROW}"
)
"""No group is possessive: Python 3.11 does not go back to where a possessive group began that failed."""
_LEAST_DIGITS = 7

_AMOUNT = re.compile(rf"(?<![\d.,￥¥$])(?P<n>{_A})(?P<unit>[万亿])")
_QUANTITY = re.compile(
    r"(?<![A-Za-z\d.,(（\-/第年月])(?P<n>\d{1,4})(?P<unit>(?:个|名|份|张|次|天|日|年|岁|分钟|小时|块|页|组|项|款|倍))"
)


def _replaced(text: str, pattern: re.Pattern[str], make: Callable[[re.Match[str]], str | None]) -> str:
    """Every number of the expression by its other form; the expression as it is where one has none."""
    out, at = "", 0
    for m in pattern.finditer(text):
        new = make(m)
        if new is None:
            return text
        out += text[at : m.start()] + new
        at = m.end()
    return out + text[at:]


def _digits(number: str) -> str | None:
    """A whole number in digits, whichever way it is written."""
    if number.isdecimal() and number.isascii():
        return number
    return None if (worth := whole(number)) is None else str(worth)


def _characters(number: str) -> str | None:
    """A number in characters, whichever way it is written."""
    head, _, part = number.replace(",", "").partition(".")
    if not (head.isascii() and head.isdecimal()):
        return number
    if len(head) > 12 or (len(head) > 1 and head.startswith("0")):
        return None
    return written(int(head)) + (f"点{spelled(part)}" if part else "")


def _date_in_digits(text: str) -> str | None:
    if not _DATE_ANCHOR.search(text) or not _HAN.search(text):
        return None

    def one(m: re.Match[str]) -> str | None:
        if m["y"]:
            return unspelled(m["y"])
        number = _digits(m["n"])
        return number if number is not None and 1 <= int(number) <= (12 if m["u"] == "月" else 31) else None

    return _replaced(text, _DATE_NUMBER, one)


def _date_in_characters(text: str) -> str | None:
    if not _DATE_ANCHOR.search(text) or not _ARABIC.search(text):
        return None
    return _replaced(text, _DATE_NUMBER, lambda m: spelled(unspelled(m["y"]), "〇") if m["y"] else _characters(m["n"]))


def _time_in_digits(text: str) -> str | None:
    if not _TIME_ANCHOR.search(text) or not _HAN.search(text):
        return None

    def one(m: re.Match[str]) -> str | None:
        said, unit = m[1], m[2]
        early = unit == "分" and re.fullmatch(f"[零〇]{_D}", said)
        number = unspelled(said) if early else _digits(said)
        return None if number is None or int(number) > (59 if unit == "分" else 24) else number + unit

    return _replaced(text, _TIME_NUMBER, one)


def _time_in_characters(text: str) -> str | None:
    if not _TIME_ANCHOR.search(text) or not _ARABIC.search(text):
        return None

    def one(m: re.Match[str]) -> str | None:
        said, unit = m[1], m[2]
        if not said.isascii():
            return m.group()
        if int(said) > (59 if unit == "分" else 24) or (unit != "分" and len(said) > 1 and said[0] == "0"):
            return None
        zero = "零" if unit == "分" and len(said) == 2 and said[0] == "0" and said != "00" else ""
        return zero + written(int(said)) + unit

    return _replaced(text, _TIME_NUMBER, one)


def _rate_in_digits(text: str) -> str | None:
    if not _HAN.search(text):
        return None
    sign = ""

    def one(m: re.Match[str]) -> str | None:
        nonlocal sign
        if m["a"] or m["ba"]:
            sign = m["sign"] or sign
            return m.group() + ("" if m["a"] else sign)
        head, part = (m["n"], m["p"]) if m["n"] else (m["bn"], m["bp"])
        sign = sign if not m["n"] else "%" if m["of"] == "百" else "‰"
        number = whole(head)
        return None if number is None else f"{number}" + (f".{unspelled(part)}" if part else "") + sign

    return _replaced(text, _RATE_NUMBER, one)


def _rate_in_characters(text: str) -> str | None:
    if not _ARABIC.search(text):
        return None

    def one(m: re.Match[str]) -> str | None:
        if m["n"] or m["bn"]:
            return m.group()
        number = _characters(m["a"] or m["ba"])
        if number is None or m["ba"]:
            return number
        return ("百分之" if m["sign"] == "%" else "千分之") + number

    return _replaced(text, _RATE_NUMBER, one)


def _rounded(number: int) -> str:
    """A whole amount as a court writes it: 30万, 1.2亿, 35600."""
    if number >= 100_000_000 and number % 1_000_000 == 0:
        return (
            f"{number // 100_000_000}" + f"{number % 100_000_000 / 100_000_000:.2f}"[1:].rstrip("0").rstrip(".") + "亿"
        )
    return f"{number // 10_000}万" if number >= 10_000 and number % 10_000 == 0 else f"{number}"


def _money_in_digits(text: str) -> str | None:
    if not _HAN.search(re.sub(r"(?<=\d)[万亿]", "", text)):
        return None

    def one(m: re.Match[str]) -> str | None:
        said, unit = m["sum"], m["unit"] or ""
        cents = _cents(m)
        point = re.fullmatch(rf"({_N}+)点({_D}+)([万亿]?)", said)
        if point is not None:
            number = whole(point[1])
            return None if number is None or cents else f"{number}.{unspelled(point[2])}{point[3]}{unit}"
        if said[0].isdecimal() and said[0].isascii():
            if not cents:
                return m.group()
            return None if not said.replace(",", "").isdecimal() else f"{said}.{cents}{unit}"
        number = whole(said)
        if number is None:
            return None
        return f"{number}.{cents}{unit}" if cents else _rounded(number) + unit

    return _replaced(text, _MONEY_NUMBER, one)


def _cents(m: re.Match[str]) -> str:
    """What stands behind the point: 五角八分 is 58, 五分 is 05."""
    jiao, fen = (
        (_digits(said[0][0]) or "") if (said := re.search(f"{_CENT}[{unit}]", m["cents"])) else ""
        for unit in ("角毛", "分")
    )
    return f"{jiao or '0'}{fen}" if jiao or fen else ""


def _money_in_characters(text: str) -> str | None:
    if not _ARABIC.search(text):
        return None

    def one(m: re.Match[str]) -> str | None:
        head = len(m["sum"])
        large = m["sum"][-1] if m["sum"][-1] in "万亿" and m["sum"][0].isascii() else ""
        number = _characters(m["sum"].removesuffix(large) if large else m["sum"])
        if number is None:
            return None
        return number + large + re.sub(r"\d", lambda d: spelled(d[0]), m.group()[head:])

    return _replaced(text, _MONEY_NUMBER, one)


def _round_in_digits(text: str) -> str | None:
    return None if (number := whole(text)) is None else _rounded(number)


def _article_in_digits(text: str) -> str | None:
    return _replaced(text, _ARTICLE_NUMBER, lambda m: _digits(m[1])) if _HAN.search(text) else None


def _article_in_characters(text: str) -> str | None:
    return _replaced(text, _ARTICLE_NUMBER, lambda m: _characters(m[1])) if _ARABIC.search(text) else None


def _one_by_one_in_digits(text: str) -> str | None:
    if len(re.findall(_SAID, text)) < _LEAST_DIGITS or not _HAN.search(text):
        return None
    return re.sub(_SAID, lambda said: unspelled(said[0]), text)


def _quantity_in_characters(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    def make(text: str) -> str | None:
        m = re.fullmatch(rf"({_A})(\D+)", text)
        number = None if m is None else _characters(m[1])
        return None if m is None or number is None else number + m[2]

    return make


IN_DIGITS: Final[tuple[Rule, ...]] = (
    ("条文", _ARTICLE, _article_in_digits),
    ("比率", _RATE, _rate_in_digits),
    ("日期", _DATE, _date_in_digits),
    ("时间", _TIME, _time_in_digits),
    ("金额", _MONEY, _money_in_digits),
    ("金额", _ROUND, _round_in_digits),
    ("号码", _ONE_BY_ONE, _one_by_one_in_digits),
)
"""For the form in digits, in the order in which they are tried."""
IN_CHARACTERS: Final[tuple[Rule, ...]] = (
    ("条文", _ARTICLE, _article_in_characters),
    ("比率", _RATE, _rate_in_characters),
    ("日期", _DATE, _date_in_characters),
    ("时间", _TIME, _time_in_characters),
    ("金额", _MONEY, _money_in_characters),
    ("金额", _AMOUNT, _quantity_in_characters(_AMOUNT)),
    ("数量", _QUANTITY, _quantity_in_characters(_QUANTITY)),
)
"""For the form in characters."""
