"""Statutes that are cited and do not exist, have no such article, or are no longer in force.

Promises: only a citation with an article (第…条) is judged; a law in force that this court's data does not count is
never said to be wrong. A repealed law may be cited for old facts: the finding says so, and a law that is called 原 or
旧 is none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

from edge.checks.finding import STATUTE, CheckedLine, Facts, Finding
from edge.checks.sounds import far
from transcriber.correction.numbers.numerals import NUMBER, value
from transcriber.correction.vocabulary.statutes import statutes

COUNTRY: Final = "中华人民共和国"
_LONGEST: Final = 80
"""Characters before an article in which its law is looked for."""
_ARTICLE: Final = re.compile(rf"第({NUMBER})条(?:之[一二三四五六七八九十])?")
_NEXT: Final = re.compile(rf"(?:第{NUMBER}款)?(?:第?[（(]?{NUMBER}[）)]?项)?(?:以及|和|及|与|、|，|或)?")
_TAIL: Final = re.compile(
    r"(?:》|〉|的|之|中的|总则编|物权编|合同编|人格权编|婚姻家庭编|继承编|侵权责任编|总则|分则|附则|[（(][^）)]{0,12}[）)])*$"
)
_BEGINS: Final = re.compile(
    r".*(?:根据|依据|依照|按照|参照|违反|适用|援引|引用|见|以及|和|及|与|、|，|。|；|：|《)", re.DOTALL
)
_SPOKEN: Final = re.compile(r"[\u4e00-\u9fff]{2,20}(?:法|法典|民法点|法点)$")
_POINTING: Final = re.compile(
    r"(该|本|此|这部|那部|前述|上述|前款|我国|现行|有关|相关|新|旧|原|办|方|做|说|看|想|司|立|执|合|违|非|依|无)法$"
)
_OLD: Final = re.compile(r"(原|旧|当时的|当时有效的|已废止的|废止前的|原来的)《?(?:中华人民共和国)?$")


@dataclass(frozen=True, slots=True)
class Known:
    """A law or judicial interpretation, in force or not."""

    title: str
    articles: int | None = None
    since: str = ""
    """When it was repealed."""
    now: str = ""
    """What stands in its place."""
    source: str = ""
    """Where this stands: the article that repealed it, or the text whose articles were counted."""


@cache
def known() -> dict[str, Known]:
    """All laws by each of their names, without the name of the country."""
    raw = tomllib.loads((resources.files(__package__) / "statutes.toml").read_text(encoding="utf-8"))
    out: dict[str, Known] = {name: Known(name) for name in raw["names"]["laws"]}
    for statute in statutes():
        for name in (statute.title, *statute.short):
            out[_plain(name)] = Known(_plain(statute.title), statute.articles)
    for entry in (*raw["known"], *raw["repealed"]):
        one = _entry(entry)
        for name in (entry["name"], *entry.get("short", [])):
            out[_plain(name)] = one
    return out


def _entry(entry: dict[str, Any]) -> Known:
    return Known(
        _plain(entry["name"]), entry.get("articles"), entry.get("since", ""), entry.get("now", ""), entry["source"]
    )


def _plain(name: str) -> str:
    """As names are compared: the country and the marks of titles do not tell one law from another."""
    return re.sub(r"[《》〈〉\s]", "", name).replace(COUNTRY, "")


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(known(), key=lambda name: -len(name)))


def find(lines: Sequence[CheckedLine], facts: Facts) -> Iterator[Finding]:
    """Citations that cannot be right."""
    for line in lines:
        if "条" not in line.text:
            continue
        for at, length, to, why in _in(line.text):
            yield Finding(STATUTE, line.id, at, length, line.text[at : at + length], why, to=to)


@lru_cache(maxsize=16384)
def _in(text: str) -> tuple[tuple[int, int, str | None, str], ...]:
    out: list[tuple[int, int, str | None, str]] = []
    law: Known | None = None
    ended = -1
    for found in _ARTICLE.finditer(text):
        if law is not None and _NEXT.fullmatch(text, ended, found.start()):
            out += _article(law, found, found.start())  # …第一条、第二条: still the same law
            ended = found.end()
            continue
        name_at, name = _cited(text, found.start())
        law, ended = known().get(_plain(name)) if name else None, found.end()
        if law is None:
            out += _unknown(text, name_at, name)
            continue
        if law.since and not _OLD.search(text[:name_at].removesuffix("《")):
            out.append((name_at, len(name), None, _repealed(law)))
        out += _article(law, found, name_at - text[:name_at].endswith("《"))
    return tuple(out)


def _article(law: Known, found: re.Match[str], at: int) -> Iterator[tuple[int, int, str | None, str]]:
    number = value(found[1])
    if law.articles is not None and number is not None and not 1 <= number <= law.articles:
        why = f"《{law.title}》共 {law.articles} 条{f'（{law.source}）' if law.source else ''}，没有第 {int(number)} 条"
        yield at, found.end() - at, None, why


def _repealed(law: Known) -> str:
    year, month, day = law.since.split("-")
    since = f"{year} 年 {int(month)} 月 {int(day)} 日"
    return f"《{law.title}》已于 {since}废止（{law.source}），现为{law.now}；适用于此前事实的，宜写“原{law.title}”"


def _cited(whole: str, end: int) -> tuple[int, str]:
    """(place, name) of what is cited just before an article; the name is empty where nothing is."""
    skipped = max(0, end - _LONGEST)
    at, name = _named(whole[skipped:end], end - skipped)
    return skipped + at, name


def _named(text: str, end: int) -> tuple[int, str]:
    tail = _TAIL.search(text[:end])
    head = text[: tail.start()] if tail else text[:end]
    bracket = re.search(r"《([^《》]*(?:〈[^〉]*〉|《[^》]*》)?[^《》]*)$", head)
    if bracket and tail and "》" in tail[0]:
        return bracket.start(1), bracket[1]
    for name in _names():
        if head.endswith(name):
            return len(head) - len(name), name
    spoken = _SPOKEN.search(head)
    if spoken is None:
        return end, ""
    begins = _BEGINS.match(spoken[0])
    cut = begins.end() if begins else 0
    return spoken.start() + cut, spoken[0][cut:]


def _unknown(text: str, at: int, name: str) -> Iterator[tuple[int, int, str | None, str]]:
    plain = _plain(name)
    if not plain or _POINTING.search(plain) or not 3 <= len(plain) <= 40:
        return
    near = _nearest(plain)
    if near is not None:
        wrong = name[-len(near) :] if COUNTRY not in near else name
        yield at + len(name) - len(wrong), len(wrong), near, f"没有“{plain}”，可能是“{near}”"
    elif plain.endswith("法") and (len(plain) <= 16 or COUNTRY in name):
        yield at, len(name), None, f"法规表中没有“{plain}”，请核对名称"


@lru_cache(maxsize=4096)
def _nearest(name: str) -> str | None:
    """A law whose name ends like this one but for one character, or sounds like it."""
    for other in _names():
        if len(other) < 3:
            continue
        heard = name[-len(other) :]
        if len(heard) != len(other):
            continue
        wrong = [(a, b) for a, b in zip(heard, other, strict=True) if a != b]
        alike = all(far(a, b) <= 1 for a, b in wrong)
        if wrong and ((len(wrong) <= len(other) // 2 and alike) or (len(wrong) == 1 and len(other) >= 5)):
            return other
    return None
