"""Full punctuation: marks where a speaker paused, asked or counted up, which engines set sparsely in Chinese.

Promises: only marks are added, or a full stop becomes a question mark; no other character changes, and the words joined
are the text again. It is part of the utterance and not a revision: marks are no words that were heard, nothing is
corrected. Whatever goes wrong here, the words stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

import structlog

from transcriber.correction.vocabulary.lexicon import Term, court_terms, ideographs, is_ideograph
from transcriber.defects import DEFECTS
from transcriber.recognition.recognizer import Transcription, Word

log = structlog.get_logger(__name__)

COMMA_S, STOP_S = 0.25, 0.42
"""Pauses inside of a turn (seconds) that are a comma, and the end of a sentence."""
_LEAST = 2
"""Characters between two marks: shorter pieces are hesitations."""
_MARKS = frozenset("，。？！；：、…")
_BEGINS = ("现在", "下面", "首先", "其次", "第二", "第三", "第四", "最后", "综上")
"""Words with which a sentence begins: before them a pause is its end."""
_ASKS = re.compile(
    r"(吗|呢|什么|谁|多少|怎么样|如何|为何|哪里|哪些|哪个|了没有|清楚没有|到没有|是不是|对不对|行不行|可不可以)$"
    r"|(有无|有没有|是否|能否|可否|是不是|能不能|可不可以|愿不愿意|同不同意|为什么|多少|几[个名次份张年月天])[^，。]{1,14}$"
)
_JOINS = re.compile(r"(?<=[\u4e00-\u9fff]{3})(但是|因此|所以|而且|然而|并且)(?=[\u4e00-\u9fff]{2})")
_ADDRESSED = re.compile(
    r"(原告|被告|审判长|公诉人|辩护人|证人|书记员|被告人|上诉人|被上诉人|第三人)(?=你|请(?!求|示|假|来|了|的))"
)
_ASKS_NOT = re.compile(
    r"不知道|不清楚|无论|不论|不管|关于|对于|至于|取决于|要看|查明|核实|说明|询问|征求|考虑|判断|认定|什么的$|没什么|多少有"
)


def punctuated(transcription: Transcription, terms: Iterable[Term] | None = None) -> Transcription:
    """Set full punctuation; `terms` with marks inside (甲、乙) say what is counted up.

    Words over which this stumbles stand as they came.
    """
    try:
        return _punctuated(transcription, terms)
    except DEFECTS as error:
        log.error("not_punctuated", why=repr(error))
        return transcription


def _punctuated(transcription: Transcription, terms: Iterable[Term] | None) -> Transcription:
    if not transcription.words or "".join(w.text for w in transcription.words) != transcription.text:
        return transcription if not transcription.text else replace(transcription, text=_asked(transcription.text))
    words = _counted(list(transcription.words), _enumerations() if terms is None else _with_marks(terms))
    words = _joined(_paused(words))
    words = _asking(words)
    return replace(transcription, text="".join(w.text for w in words), words=tuple(words))


def _paused(words: Sequence[Word]) -> list[Word]:
    out: list[Word] = []
    since = 0
    for word, following in zip(words, (*words[1:], None), strict=True):
        since = 0 if word.text[-1:] in _MARKS else since + sum(map(is_ideograph, word.text))
        mark = ""
        if following is not None and since >= _LEAST and _between(word, following):
            pause_s = following.start_s - word.end_s
            if pause_s >= STOP_S or (pause_s >= COMMA_S and _begins(words[len(out) + 1 :])):
                mark = "。"
            elif pause_s >= COMMA_S:
                mark = "，"
        since = 0 if mark else since
        out.append(replace(word, text=word.text + mark) if mark else word)
    return out


def _between(word: Word, following: Word) -> bool:
    """Whether a mark could stand here: between Chinese characters, not inside of a number."""
    return is_ideograph(word.text[-1:] or "a") and is_ideograph(following.text[:1] or "a")


def _begins(words: Sequence[Word]) -> bool:
    return "".join(w.text for w in words[:2]).startswith(_BEGINS)


@cache
def _enumerations() -> tuple[tuple[str, str], ...]:
    return _with_marks(court_terms())


def _with_marks(terms: Iterable[Term]) -> tuple[tuple[str, str], ...]:
    """Terms in which something is counted up: without their marks, and as they are; the longest first."""
    found = {ideographs(t.text): t.text for t in terms if "、" in t.text}
    return tuple(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _counted(words: list[Word], enumerations: tuple[tuple[str, str], ...]) -> list[Word]:
    text = "".join(w.text for w in words)
    after: dict[int, str] = {}
    for plain, marked in enumerations:
        at = text.find(plain)
        while at >= 0:
            place = at - 1
            for character in marked:
                if is_ideograph(character):
                    place += 1
                elif character == "、":
                    after[place] = character
            at = text.find(plain, at + 1)
    return _inserted(words, after) if after else words


def _joined(words: list[Word]) -> list[Word]:
    """Commas before words that join clauses, and after who is addressed."""
    text = "".join(w.text for w in words)
    after = {m.start() - 1: "，" for m in _JOINS.finditer(text)}
    if addressed := _ADDRESSED.match(text):
        after[addressed.end() - 1] = "，"
    return _inserted(words, after) if after else words


def _inserted(words: list[Word], after: dict[int, str]) -> list[Word]:
    """The words with marks after some characters of their text."""
    out, place = [], 0
    for word in words:
        text = "".join(c + after.get(place + i, "") for i, c in enumerate(word.text))
        out.append(word if text == word.text else replace(word, text=text))
        place += len(word.text)
    return out


def _asking(words: list[Word]) -> list[Word]:
    before = "".join(w.text for w in words)
    after = _asked(before)
    out, place = [], 0
    for word in words:
        out.append(replace(word, text=after[place : place + len(word.text)]))
        place += len(word.text)
    return out


def _asked(text: str) -> str:
    """Full stops after questions become question marks."""
    return re.sub(
        r"([^。？！；]+)。",
        lambda m: m[1] + ("？" if _is_question(m[1]) else "。"),
        text,
    )


def _is_question(sentence: str) -> bool:
    last = sentence.rsplit("，", 1)[-1]
    return _ASKS.search(last) is not None and _ASKS_NOT.search(last) is None
