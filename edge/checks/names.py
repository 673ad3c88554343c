"""Names that differ from the docket: 张伟民 where the plaintiff is 张伟明; 被告张伟明 where that is the plaintiff.

Quiet on purpose: a name of which one character differs is a finding only where it also sounds alike, or where the role
stands before it; two-character names only where the role or a title says that a name is meant. Somebody else of a
similar name whom the docket's vocabulary lists is no finding. A name of several parts is to have the docket's dots.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from edge.checks.finding import NAME, CheckedLine, Facts, Finding
from edge.checks.sounds import far, sound
from sync.text.equal import DOT, DOTS

_BEFORE_TWO: Final = re.compile(r"(我叫|我是|姓名|名叫|由)$")
_AFTER_TWO: Final = re.compile(r"^(先生|女士|同志|律师|法官|担任|本人|诉)")
_OTHERS: Final = re.compile(r"(反诉|一审|二审|原审|另一|其他|案外)$")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")


def find(lines: Sequence[CheckedLine], facts: Facts) -> Iterator[Finding]:
    """Wrong names, and right names behind a wrong role."""
    for line in lines:
        for at, length, to, why in _in(line.text, facts.names, facts.known, facts.roles):
            yield Finding(NAME, line.id, at, length, line.text[at : at + length], why, to=to)


@lru_cache(maxsize=16384)
def _in(
    text: str, names: tuple[tuple[str, str], ...], known: frozenset[str], roles: frozenset[str]
) -> tuple[tuple[int, int, str | None, str], ...]:
    words = {name for _, name in names} | known
    taken = {i for word in words for at in _places(text, word) for i in range(at, at + len(word))}
    found: list[tuple[int, int, str | None, str]] = []
    for role, name in sorted(names, key=lambda one: -len(one[1])):
        for at, length, why in _dotted(text, role, name):
            found.append((at, length, name, why))
            taken.update(range(at, at + length))
    for role, name in sorted(names, key=lambda one: -len(one[1])):
        for at, length, why in _near(text, role, name, roles):
            span = set(range(at, at + length))
            if not span & taken:
                taken |= span
                found.append((at, length, name, why))
    found += _swapped(text, names)
    return tuple(sorted(found))


def _near(text: str, role: str, name: str, roles: frozenset[str]) -> Iterator[tuple[int, int, str]]:
    """(place, length, why) of what is nearly this name."""
    size = len(name)
    what = f"排期登记的{role or '姓名'}是“{name}”"
    for at in _starts(text, name):
        window = text[at : at + size]
        if window == name or sum(a == b for a, b in zip(window, name, strict=True)) < _least_shared(size):
            continue
        if not all(map(_HAN.match, window)):
            continue
        if why := _differs(window, name, _called(text, at, role), _stands_alone(text, at, at + size)):
            yield at, size, f"{what}，这里是“{window}”，{why}"
    if role and 3 <= size <= 4:
        yield from _shortened(text, role, name, what)


def _dotted(text: str, role: str, name: str) -> Iterator[tuple[int, int, str]]:
    """(place, length, why) of a name of several parts whose dots are others than the docket's, blanks, or not there."""
    parts = name.split(DOT)
    if len(parts) > 1:
        for found in re.finditer(rf"[{DOTS}.。\s]{{0,3}}".join(map(re.escape, parts)), text):
            if found[0] != name:
                what = f"排期登记的{role or '姓名'}是“{name}”，这里是“{found[0]}”，间隔号不同"
                yield found.start(), len(found[0]), what


def _places(text: str, word: str) -> list[int]:
    """Where a word begins in a text."""
    if word not in text:
        return []
    return [at for at in range(len(text) - len(word) + 1) if text.startswith(word, at)]


def _starts(text: str, name: str) -> list[int]:
    """Where a window begins that has a character of the name in its place, or sounds like all of it."""
    starts: set[int] = set()
    for k, c in enumerate(name):
        starts.update(at - k for at in _places(text, c))
    if len(name) == 3:
        sounds, meant = _sounds(text), [sound(c) for c in name]
        starts.update(i for i in range(len(text) - 2) if sounds[i] == meant[0] and sounds[i : i + 3] == meant)
    return sorted(at for at in starts if 0 <= at <= len(text) - len(name))


@lru_cache(maxsize=4)
def _sounds(text: str) -> list[str]:
    return [sound(c) for c in text]


def _least_shared(size: int) -> int:
    """How many characters must be the same before it is worth a look; a name of three may be all homophones."""
    return {2: 1, 3: 0, 4: 1}.get(size, size - 1 - (size > 8))


def _differs(window: str, name: str, called: bool, alone: bool) -> str:
    """Why a window is this name written wrongly; empty where it is not."""
    wrong = [(a, b) for a, b in zip(window, name, strict=True) if a != b]
    apart = [far(a, b) for a, b in wrong]
    pairs = "、".join(f"{a}/{b}" for a, b in wrong)
    if len(name) == 2:
        if (called or alone) and window[0] == name[0] and apart[0] <= 1:
            return f"{pairs} 读音相近"
        return ""
    if len(wrong) == 1 and apart[0] <= 1:
        return f"{pairs} 读音相近"
    if len(wrong) < len(name) and not any(apart):
        return f"{pairs} 读音相同"
    if len(wrong) == len(name) and not any(apart):
        return "读音完全相同"
    if called and len(wrong) == 1 and window[0] == name[0]:
        return f"差一个字（{pairs}）"
    if len(name) > 4 and len(wrong) == 1:
        return f"差一个字（{pairs}）"
    return ""


def _shortened(text: str, role: str, name: str, what: str) -> Iterator[tuple[int, int, str]]:
    """A character too few behind the role: 原告张明 for 张伟明."""
    for cut in range(1, len(name)):
        short = name[:cut] + name[cut + 1 :]
        for start in _places(text, role + short):
            at = start + len(role)
            rest = text[at + len(short) :]
            # 张明 may go on as 张明华, who is somebody else.
            if not rest or not _HAN.match(rest) or re.match(r"[诉向与和的因在于是，。]", rest):
                yield at, len(short), f"{what}，这里是“{short}”，少一个字“{name[cut]}”"


def _called(text: str, at: int, role: str) -> bool:
    return bool(role) and text[:at].endswith(role) and not _OTHERS.search(text[: at - len(role)])


def _stands_alone(text: str, at: int, end: int) -> bool:
    return bool(_BEFORE_TWO.search(text[:at]) or _AFTER_TWO.match(text[end:]))


def _swapped(text: str, names: tuple[tuple[str, str], ...]) -> Iterator[tuple[int, int, str | None, str]]:
    """原告李建国, where 李建国 is the defendant."""
    parties = [(role, name) for role, name in names if role in ("原告", "被告", "第三人", "审判长", "书记员")]
    of_role: dict[str, list[str]] = {}
    for role, name in parties:
        of_role.setdefault(role, []).append(name)
    for role, theirs in of_role.items():
        for other, name in parties:
            if other == role or name in theirs or len(name) < 2:
                continue
            for start in _places(text, role + name):
                at = start + len(role)
                if _OTHERS.search(text[:start]) or text[at + len(name) :].startswith("的"):
                    continue
                to = theirs[0] if len(theirs) == 1 else None
                yield at, len(name), to, f"排期登记的{role}是“{'、'.join(theirs)}”，“{name}”是{other}"
