"""Amounts and rates that contradict each other.

What one side says of one thing is compared with what it says of it elsewhere: 借款三十万元 and 借款二十万元 by the
plaintiff. Sums are compared with their parts, figures with the words beside them, and a rate by the year with the same
figure by the month. A statement that qualifies itself (尚欠, 第一笔, 已还, 约, 不是 …) is left alone, and so is a
thing of which more than two amounts are said: those are several things. Which of two is right, only a person can say.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

from edge.checks.finding import AMOUNT, CheckedLine, Facts, Finding, TextPlace
from edge.checks.sentences import clause_around, sentences
from edge.checks.sides import STATING, side_of
from transcriber.correction.numbers.numerals import BEGINS, NUMBER, value

MONEY: Final = re.compile(
    rf"(?<!第){BEGINS}(?:({NUMBER})(?:元整|元|块钱|块)|"
    r"((?:\d[\d,.]{0,12}|[一二两三四五六七八九十百千]{1,12})万)(?![人次平亩股字个家户台吨公多余来几]))"
)
_SAME: Final = {"借款本金": "借款", "本金": "借款", "借款金额": "借款", "借款数额": "借款"}
_THINGS: Final = (
    "借款本金|借款金额|借款数额|借款|本金|货款|工程款|租金|押金|定金|违约金|保证金|医疗费|误工费|护理费|交通费|营养费|"
    "残疾赔偿金|死亡赔偿金|精神损害抚慰金|经济补偿金|赔偿金|律师费|鉴定费|诈骗金额|涉案金额|盗窃金额|受贿金额"
)
_BETWEEN: Final = r"(?:金额|数额|总额|合计|共计|总计|一共|共|为|是|人民币|计|：|:)*"
_BEFORE: Final = re.compile(rf"({_THINGS}){_BETWEEN}$")
_AFTER: Final = re.compile(rf"^(?:整)?的?({_THINGS})(?!利息|期|人|合同|关系|纠纷)")
_QUALIFIED: Final = re.compile(
    r"剩|尚|仍|余|还欠|只欠|已|曾|先后|陆续|部分|其中|每|月供|分\w?期|第.笔|[首再又另末]|追加|各(?!方|位)|[一两三四五几多]次|[一两三四五几多]笔|扣|减|增|变更|"
    r"更正|口误|改|不是|没|并非|未|如果|假如|否认|不认|不予|只|仅|实际|称|主张|所谓|认为|约(?!定)|近|不到|超过|大概|"
    r"限额|上限|包括|之一|名下"
)
_ROUGHLY: Final = re.compile(r"^(?:左右|以上|以下|以内|上下|多|余)")
_ENDED: Final = re.compile(r"变更诉讼请求|变更为|增加诉讼请求|减少诉讼请求|更正|说错了|口误")
_RATE: Final = re.compile(
    rf"(年|月|日)(?:化)?(?:利率|利息|息)(?:为|是|按|约定|标准|的)*"
    rf"(?:百分之({NUMBER})|(\d{{1,6}}(?:\.\d{{1,6}})?)\s?%|({NUMBER})分(?!之))"
)
_RATE_QUALIFIED: Final = re.compile(
    r"逾期|罚|超过|不超|上限|四倍|调整|变更|不是|没|主张|称|市场报价|相当|折合|即|换算|最高|司法保护"
)
_TOTAL: Final = re.compile(r"共计|合计|总计|总共|一共")
_NO_SUM: Final = re.compile(r"每|其中|倍|折|扣|减|剩|尚|欠|余|至|到期|利率|包括|[几多]|分别|各|另|以上|不含")
_IN_WORDS: Final = re.compile(
    rf"{BEGINS}({NUMBER})(?:元整|元)?[（(](?:小写|即|人民币|大写|：|:|¥|￥)*({NUMBER})(?:元整|元)?[）)]"
)
_MONTH: Final = re.compile(r"[\d零〇一二三四五六七八九]{2,4}年[\d一二三四五六七八九十]{1,3}月")
_NEAR: Final = 40
"""Characters beside an amount in which its thing is looked for."""
_MOST_PARTS: Final = 40
"""Nobody adds up more in one sentence."""
_MOST: Final = 3
"""Findings of one thing: after so many the clerk knows."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One statement of an amount."""

    thing: str
    worth: Fraction
    at: int
    length: int
    sentence: int
    dated: str


def find(lines: Sequence[CheckedLine], facts: Facts) -> Iterator[Finding]:
    """Contradictions within lines, then between the lines of a side."""
    said: dict[tuple[str, str], list[tuple[CheckedLine, Stated]]] = defaultdict(list)
    for line in lines:
        for at, length, why in _in(line.text):
            yield Finding(AMOUNT, line.id, at, length, line.text[at : at + length], why)
        side = side_of(line.role)
        if side not in STATING:
            continue
        if _ENDED.search(line.text):
            # From here on the side says something else, and says so.
            for key in [key for key in said if key[0] == side]:
                yield from _contradictions(side, said.pop(key))
            continue
        for stated in (*_amounts(line.text), *_rates(line.text)):
            said[side, stated.thing].append((line, stated))
    for (side, _), statements in said.items():
        yield from _contradictions(side, statements)
    for side in {side for side, _ in said}:
        yield from _units(
            side, [one for (s, thing), all_ in said.items() if s == side and "利率" in thing for one in all_]
        )


def _contradictions(side: str, statements: list[tuple[CheckedLine, Stated]]) -> Iterator[Finding]:
    by_worth: dict[Fraction, list[tuple[CheckedLine, Stated]]] = defaultdict(list)
    for one in statements:
        by_worth[one[1].worth].append(one)
    if len(by_worth) != 2 or _enumerated(statements) or _of_other_days(by_worth):
        return
    # What is said less often is looked at; of two that are said as often, the later one.
    usual, odd = sorted(by_worth.values(), key=lambda all_: (-len(all_), statements.index(all_[0])))
    for line, stated in odd[:_MOST]:
        other_line, other = usual[0]
        here, there = _words(line, stated), _words(other_line, other)
        why = f"{side}方前后所说的{_name(stated.thing)}不一致：这里是“{here}”，另一处是“{there}”"
        also = TextPlace(other_line.id, other.at, other.length)
        yield Finding(AMOUNT, line.id, stated.at, stated.length, here, why, also=also, other=there)


def _enumerated(statements: list[tuple[CheckedLine, Stated]]) -> bool:
    """Two amounts of one thing in one sentence are two things."""
    worths: dict[tuple[str, int], set[Fraction]] = defaultdict(set)
    for line, stated in statements:
        worths[line.id, stated.sentence].add(stated.worth)
    return any(len(one) > 1 for one in worths.values())


def _of_other_days(by_worth: dict[Fraction, list[tuple[CheckedLine, Stated]]]) -> bool:
    """Two amounts with two dates are two events."""
    first, second = ({stated.dated for _, stated in all_ if stated.dated} for all_ in by_worth.values())
    return bool(first and second and not first & second)


def _units(side: str, rates: list[tuple[CheckedLine, Stated]]) -> Iterator[Finding]:
    """年利率百分之二 and 月利率百分之二."""
    by_year = [one for one in rates if one[1].thing == "年利率"]
    for line, stated in [one for one in rates if one[1].thing == "月利率"][:_MOST]:
        other = next((one for one in by_year if one[1].worth == stated.worth and stated.worth), None)
        if other is not None:
            here, there = _words(line, stated), _words(*other)
            why = f"{side}方前后所说的利率单位不一致：这里是“{here}”，另一处是“{there}”"
            also = TextPlace(other[0].id, other[1].at, other[1].length)
            yield Finding(AMOUNT, line.id, stated.at, stated.length, here, why, also=also, other=there)


def _name(thing: str) -> str:
    return "借款金额" if thing == "借款" else thing


def _words(line: CheckedLine, stated: Stated) -> str:
    return line.text[stated.at : stated.at + stated.length]


@lru_cache(maxsize=16384)
def _amounts(text: str) -> tuple[Stated, ...]:
    """The amounts of known things in a text, without those that qualify themselves."""
    out = []
    for number, (place, sentence) in enumerate(sentences(text)):
        day = _MONTH.search(sentence)
        for found in MONEY.finditer(sentence):
            low = max(0, found.start() - _NEAR)
            follows = sentence[found.end() : found.end() + _NEAR]
            before, after = _BEFORE.search(sentence[low : found.start()]), _AFTER.match(follows)
            thing = before[1] if before else after[1] if after else ""
            worth = value(found[1] or found[2])
            clause = clause_around(sentence, found.start(), found.end())
            if not thing or worth is None or _QUALIFIED.search(clause) or _ROUGHLY.match(follows):
                continue
            first = low + before.start() if before else found.start()
            last = found.end() if before or not after else found.end() + after.end()
            thing = _SAME.get(thing, thing)
            out.append(Stated(thing, worth, place + first, last - first, number, day[0] if day else ""))
    return tuple(out)


@lru_cache(maxsize=16384)
def _rates(text: str) -> tuple[Stated, ...]:
    out = []
    for number, (place, sentence) in enumerate(sentences(text)):
        for found in _RATE.finditer(sentence):
            worth = value(found[2] or found[3] or found[4])
            if worth is None or _RATE_QUALIFIED.search(sentence):
                continue
            thing = f"{found[1]}利率"
            out.append(Stated(thing, worth, place + found.start(), len(found[0]), number, ""))
    return tuple(out)


@lru_cache(maxsize=16384)
def _in(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sums that are not the sum, and figures that are not the words beside them."""
    out = []
    for found in _IN_WORDS.finditer(text):
        one, other = value(found[1]), value(found[2])
        if one is not None and other is not None and one != other and (one >= 100 or other >= 100):
            out.append((found.start(), len(found[0]), f"“{found[1]}”与“{found[2]}”不是同一个数"))
    for place, sentence in sentences(text):
        total = _TOTAL.search(sentence)
        if total is None or _NO_SUM.search(sentence):
            continue
        parts = [value(m[1] or m[2]) for m in MONEY.finditer(sentence[: total.start()])]
        sums = list(MONEY.finditer(sentence[total.end() :]))
        if not 2 <= len(parts) <= _MOST_PARTS or len(sums) != 1 or None in parts:
            continue
        stated = value(sums[0][1] or sums[0][2])
        worths = [part for part in parts if part is not None]
        suffixes = [sum(worths[i:], Fraction(0)) for i in range(len(worths))]
        if stated is not None and stated not in suffixes:
            at = place + total.start()
            length = total.end() - total.start() + sums[0].end()
            out.append((at, length, f"与前面各项之和不符：各项相加为 {_plain(suffixes[0])} 元"))
    return tuple(out)


def _plain(worth: Fraction) -> str:
    return f"{int(worth):,}" if worth.denominator == 1 else f"{float(worth):,.2f}"
