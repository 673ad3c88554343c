"""Words that stand twice: 的的, 我我们, a phrase that the engine said again, one sentence on two seats at once.

Much that stands twice in Chinese is right (慢慢, 对对方, 目的的, 商量商量), so only characters and words are looked at
that are never doubled lawfully, each with the neighbors that make it lawful after all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from edge.checks.finding import DOUBLED, CheckedLine, Facts, Finding, TextPlace
from transcriber.correction.numbers.numerals import HAN

_NEVER: Final[dict[str, tuple[str, str]]] = {
    # the character: (what may stand before two of it, what may stand after them)
    "的": ("目标有打无中众", "确"),
    "我": ("自忘", ""),
    "你": ("", ""),
    "他": ("其吉", ""),
    "她": ("", ""),
    "它": ("其", ""),
    "这": ("", ""),
    "那": ("", ""),
    "也": ("", ""),
    "把": ("", ""),
    "并": ("一合", "且非不"),
    "但": ("不非", ""),
    "呢": ("", ""),
    "吗": ("", ""),
    "吧": ("", ""),
    "们": ("", ""),
    "且": ("", ""),
    "了": ("为一", "解结断却然之无"),
    "是": ("但还就可也只都于若凡像却正又总更不要而乃便要算真先或", "否非"),
    "在": ("现存实正所内潜自好", "场案押职校逃建线编于"),
    "有": ("所没具享拥占持只还也都就既固共国私公约", "关效限无权偿利期罪没所人些"),
    "没": ("", "无"),
    "被": ("", "告上申诉执害继监保扶拆征"),
    "向": ("方导", "来前"),
    "于": ("对关由至属终", ""),
}
_WORDS: Final = (
    "原告|被告|我们|你们|他们|因为|所以|但是|如果|然后|根据|关于|对于|由于|并且|或者|而且|本案|本庭|法院|法庭|当事人|"
    "审判长|书记员|代理人|借款|利息|本金|合同|证据|事实|请求|判令|支付|偿还|签订|银行|现在|这个|那个|我方|对方|双方"
)
_TWICE: Final = re.compile(rf"({_WORDS})\1")
_SINGLE: Final = re.compile(rf"([{''.join(_NEVER)}])\1+")
_PHRASE: Final = re.compile(r"([\u4e00-\u9fff]{3,30}?)\1+")
_SENTENCE: Final = re.compile(r"([\u4e00-\u9fff，、]{6,80}[。！？；，])\1+")
_ANSWERS: Final = re.compile(r"^(没有异议|不同意|我同意|听清了|不清楚|不知道|没有了|是这样|对不起|没问题)+$")
_AGAIN: Final = re.compile(r"^(.{1,4}?)\1+$")
"""是的是的: so people answer, and it is theirs to say it so often."""
_NO_WORDS: Final = "〔"
"""A line of the transcriber's own, of speech that it could not write (`transcriber.unheard`): two are two stretches."""
_SAME_LINE: Final = 10
"""A line of so many characters is not said twice by accident."""


def find(lines: Sequence[CheckedLine], facts: Facts) -> Iterator[Finding]:
    """What stands twice in a line, and lines that stand twice."""
    for line in lines:
        for at, length, to in _in(line.text):
            words = line.text[at : at + length]
            yield Finding(DOUBLED, line.id, at, length, words, f"“{to}”重复", to=to)
    yield from _lines(lines)


def _lines(lines: Sequence[CheckedLine]) -> Iterator[Finding]:
    for before, line in pairwise(lines):
        text = line.text
        if text != before.text or len(text) < _SAME_LINE or text.startswith(_NO_WORDS):
            continue
        if before.seat == line.seat:
            why = "与上一句完全相同，可能重复记录"
        elif line.start_ns < before.end_ns:
            why = "两个席位同时有相同的话，可能是串音"
        else:
            continue
        also = TextPlace(before.id, 0, len(before.text))
        yield Finding(DOUBLED, line.id, 0, len(text), text, why, also=also, other=before.id)


@lru_cache(maxsize=16384)
def _in(text: str) -> tuple[tuple[int, int, str], ...]:
    found: list[tuple[int, int, str]] = []
    taken: set[int] = set()
    for at, length, to in (*_sentences(text), *_phrases(text), *_words(text), *_singles(text)):
        span = set(range(at, at + length))
        if not span & taken:
            taken |= span
            found.append((at, length, to))
    return tuple(sorted(found))


def _sentences(text: str) -> Iterator[tuple[int, int, str]]:
    for one in _SENTENCE.finditer(text):
        if not _ANSWERS.match(one[1][:-1]):
            yield one.start(), len(one[0]), one[1]


def _phrases(text: str) -> Iterator[tuple[int, int, str]]:
    for one in _PHRASE.finditer(text):
        said = one[1]
        if not (_ANSWERS.match(one[0]) or _AGAIN.match(said) or all(c in HAN for c in said)):
            yield one.start(), len(one[0]), said


def _words(text: str) -> Iterator[tuple[int, int, str]]:
    for one in _TWICE.finditer(text):
        before, after = text[: one.start()], text[one.end() :]
        # 对原告 原告代理人…: the second one begins another word.
        if after[:1] in ("人", "方", "代", "律") and not before.endswith(one[1]):
            continue
        yield one.start(), len(one[0]), one[1]


def _singles(text: str) -> Iterator[tuple[int, int, str]]:
    for one in _SINGLE.finditer(text):
        before, after = _NEVER[one[1]]
        prev, rest = text[one.start() - 1 : one.start()], text[one.end() : one.end() + 1]
        if (prev and prev in before) or (rest and rest in after):
            continue
        if one[1] in "是有没" and (not rest or not re.match(r"[\u4e00-\u9fff]", rest)):
            continue  # 是是，: so people answer
        yield one.start(), len(one[0]), one[1]
