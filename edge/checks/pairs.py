"""Questions of the court that one of those who were asked did not answer: 双方有无异议, and only the plaintiff speaks.

A question is looked at once the court has gone on; the last one of a hearing that runs is still open. Where the court
asks after the missing side (被告呢？) the same question goes on. Nobody answering at all is only said of one who was
called alone: to both sides, a court often says what needs no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from edge.checks.finding import PAIR, CheckedLine, Facts, Finding
from edge.checks.sentences import sentences
from edge.checks.sides import COURT, DEFENDANT, DEFENSE, PLAINTIFF, PROSECUTION, side_of

_BOTH: Final = re.compile(r"双方|各方|原、?被告|原告、被告|原告和被告|控辩")
_EACH: Final = re.compile(
    r"双方|各方|原、?被告|原告、被告|原告和被告|控辩|当事人|是否听清|听清(楚)?了?(没有|吗)|申请回避"
)
_ASKS: Final = re.compile(r"有无|有没有|是否|愿不愿|同不同意|吗？|没有？|么？|异议？|补充？|意见？")
_CALLS: Final = re.compile(r"请(双方|各方|原、?被告|当事人)[^。？！]{0,12}(陈述|发表[^。]{0,8}意见|质证|回答|说明)")
_ONE: Final = re.compile(
    r"(?:^|请|由|下面|现在|先由|再由|首先由|，|。)(原告|被告|公诉人|辩护人)(?:代理人|方)?[，,]?(?:针对|就|对|围绕)?[^。？！]{0,40}?"
    r"(答辩|质证|举证|发表[^。？！]{0,10}意见|作最后陈述|陈述[^。？！]{0,20}|回答|先发言|(?:有无|有没有|是否)[^。！]{1,40}？)[^。？！]{0,6}[。？！]?$"
)
_NO_ANSWER: Final = re.compile(r"不要|不得|注意|应当|休庭|闭庭|签字|签名|退庭|入庭|由合议庭|记录在案|另行通知|择日")
_FOLLOWS_UP: Final = re.compile(r"呢[？。]?$|怎么看|什么意见|你方|有无|有没有|是否|同不同意|吗？|请回答")
_CALLED: Final = re.compile(r"^(原告|被告|公诉人|辩护人)(?:代理人|方)?[，,].{2,}")
"""原告，请说明你的姓名: who is called by name answers."""
_ORDER: Final = re.compile(r"不要打断|不要插话|请安静|遵守法庭|注意法庭")


def find(lines: Sequence[CheckedLine], facts: Facts) -> Iterator[Finding]:
    """Every question of the court with an answer too few."""
    sides = _present(lines, facts)
    asked: tuple[CheckedLine, int, str, frozenset[str]] | None = None
    answered: set[str] = set()
    heard = False
    for line in lines:
        side = side_of(line.role)
        if side != COURT:
            answered.add(side)
            heard = heard or side != "书记员"
            continue
        if asked is not None:
            missing = asked[3] - answered
            if missing and _goes_on(line.text, missing, asked[3], heard):
                continue
            yield from _missing(asked, missing, answered)
        found = _question(line.text, sides)
        asked = None if found is None else (line, *found)
        answered, heard = set(), False


def _missing(
    asked: tuple[CheckedLine, int, str, frozenset[str]], missing: frozenset[str], answered: set[str]
) -> Iterator[Finding]:
    line, at, words, wanted = asked
    if not missing:
        return
    if len(wanted) == 1:
        (one,) = wanted
        # Somebody else answered, or nobody: the words of the one who was called are missing or have a wrong name.
        yield Finding(PAIR, line.id, at, len(words), words, f"法庭要求{one}回应，之后没有{one}的记录")
    elif answered & wanted:
        did, not_ = "、".join(sorted(wanted - missing)), "、".join(sorted(missing))
        yield Finding(PAIR, line.id, at, len(words), words, f"法庭询问各方，只有{did}的回答，没有{not_}的回答")


def _present(lines: Sequence[CheckedLine], facts: Facts) -> frozenset[str]:
    """The two sides of this hearing."""
    there = {side_of(role) for role in facts.roles} | {side_of(line.role) for line in lines}
    for pair in ((PROSECUTION, DEFENSE), (PLAINTIFF, DEFENDANT)):
        if there.issuperset(pair):
            return frozenset(pair)
    return frozenset()


def _question(text: str, sides: frozenset[str]) -> tuple[int, str, frozenset[str]] | None:
    """(place, words, who is asked) of the question with which a line of the court ends."""
    if not sides:
        return None
    both, one, at, words = _asked(text)
    if both:
        return at, words, sides
    return (at, words, frozenset((one,))) if one in sides else None


@lru_cache(maxsize=16384)
def _asked(text: str) -> tuple[bool, str, int, str]:
    """(both sides, the one side, place, words) of the question."""
    all_ = list(sentences(text))
    if not all_:
        return False, "", 0, ""
    at, last = all_[-1]
    # 双方…：是否听清？是否申请回避？ The last questions belong together.
    first = len(all_) - 1
    while first > 0 and all_[first - 1][1].endswith(("？", "?")) and all_[first][1].endswith(("？", "?")):
        first -= 1
    block = text[all_[first][0] :]
    if _NO_ANSWER.search(last):
        return False, "", 0, ""
    asks = block.rstrip().endswith(("？", "?")) and _ASKS.search(block)
    one = _ONE.search(last) or _CALLED.match(last)
    named = [side for side in (PLAINTIFF, DEFENDANT) if side in last]
    if (asks and _EACH.search(block) and not (len(named) == 1 and not _BOTH.search(block))) or _CALLS.search(last):
        return True, "", all_[first][0] if asks else at, (block if asks else last).rstrip()
    if one is not None and not _BOTH.search(last):
        side = side_of(one[1])
        return False, side, at, last.rstrip()
    return False, "", 0, ""


def _goes_on(text: str, missing: frozenset[str], wanted: frozenset[str], heard: bool) -> bool:
    """The court asks after a side that has not answered, says its call again, or only keeps order."""
    if len(text) <= 30 and _ORDER.search(text):
        return True
    *_, (_, last) = [(0, ""), *sentences(text)]
    names = {DEFENSE: "被告人|辩护人", PROSECUTION: "公诉人"}
    named = any(re.search(names.get(side, side), last) for side in missing)
    if not named or _BOTH.search(last):
        return False
    return not heard if len(wanted) == 1 else bool(_FOLLOWS_UP.search(last))
