"""How near two syllables of Mandarin sound to each other, as a number.

Promises: 0.0 for the same syllable, a little for another tone, little for what speakers and engines mix up (zh/z,
in/ing, n/l …), 1.0 and more for what nobody mixes up; the same in both directions. Characters with several readings
take the nearest one. Nothing here knows words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from pypinyin import Style, lazy_pinyin, pinyin
from pypinyin.contrib.tone_convert import to_finals, to_initials

FAR = 9.0
"""The distance of what cannot be compared at all."""
_TONE = 0.08
_RARE = (0.0, 0.3, 0.6)
"""What a reading costs that is not the character's usual one."""
_OTHER_INITIAL = 1.0
_MEDIAL = 0.45
_OTHER_NUCLEUS = 0.8
_CODA = 0.55

_INITIALS: dict[frozenset[str], float] = {
    frozenset(pair.split("/")): cost
    for cost, pairs in (
        (0.15, "z/zh c/ch s/sh"),
        (0.35, "n/l f/h r/l"),
        (0.5, "b/p d/t g/k j/q zh/ch z/c j/zh q/ch x/sh j/z q/c x/s"),
        (0.6, "q/x ch/sh c/s zh/sh z/s j/x h/k g/h m/n t/ch d/l z/ch zh/c d/zh r/- r/y w/f w/h y/- w/- y/l"),
    )
    for pair in pairs.split()
}
_NUCLEI: dict[frozenset[str], float] = {
    frozenset(pair.split("/")): cost
    for cost, pairs in ((0.35, "e/o o/u i/v e/a"), (0.5, "e/i e/u u/v o/a I/e I/i"))
    for pair in pairs.split()
}
_CODAS: dict[frozenset[str], float] = {
    frozenset(("n", "ng")): 0.15,
    frozenset(("i", "")): 0.45,
    frozenset(("u", "")): 0.45,
}


@dataclass(frozen=True, slots=True)
class Syllable:
    """A syllable in its parts; `tone` 0 is the neutral one."""

    initial: str
    medial: str
    nucleus: str
    coda: str
    tone: int


def _parts(final: str) -> tuple[str, str, str]:
    """Medial, nucleus and coda of a final, spelled as it sounds."""
    final = {"iu": "iou", "ui": "uei", "un": "uen", "ong": "uong", "iong": "vong"}.get(final, final)
    coda = next((c for c in ("ng", "n", "i", "u", "o") if final.endswith(c) and len(final) > len(c)), "")
    rest = final[: len(final) - len(coda)] if coda else final
    if coda == "o" and rest[-1] != "a":
        rest, coda = final, ""
    medial = rest[0] if len(rest) > 1 and rest[0] in "iuv" else ""
    return medial, rest[len(medial) :], "u" if coda == "o" else coda


_NUCLEUS = ("a", "o", "e", "i", "u", "v", "I", "er")


@cache
def syllable(spelled: str) -> Syllable | None:
    """Read pinyin with a tone number at its end (`zhi4`); None where it is no syllable of Mandarin."""
    tone = int(spelled[-1]) if spelled[-1:].isdigit() else 0
    plain = spelled.rstrip("012345")
    final = to_finals(plain, strict=True, v_to_u=False)
    if not final:
        return None
    initial = to_initials(plain, strict=True)
    if final == "i" and initial in ("z", "c", "s", "zh", "ch", "sh", "r"):
        return Syllable(initial, "", "I", "", tone % 5)  # not the vowel of bi
    medial, nucleus, coda = _parts(final)
    if nucleus not in _NUCLEUS:
        return None  # hm, ng, ê: sounds, no syllables
    if not initial:
        initial = {"i": "y", "u": "w", "v": "y"}.get(medial or nucleus, "-")
    return Syllable(initial, medial, nucleus, coda, tone % 5)


def _costs(values: tuple[str, ...], near: dict[frozenset[str], float], other: float) -> NDArray[np.float64]:
    """How far apart each two of `values` are, by their places."""
    costs = [[0.0 if a == b else near.get(frozenset((a, b)), other) for b in values] for a in values]
    return np.array(costs)


_INITIAL = (*"bpmfdtnlgkhjqxrzcsyw-", "zh", "ch", "sh")
_PARTS = (_INITIAL, ("", "i", "u", "v"), _NUCLEUS, ("", "n", "ng", "i", "u"))
_PLACES = tuple({value: place for place, value in enumerate(values)} for values in _PARTS)
_COSTS = (
    _costs(_PARTS[0], _INITIALS, _OTHER_INITIAL),
    _costs(_PARTS[1], {}, _MEDIAL),
    _costs(_PARTS[2], _NUCLEI, _OTHER_NUCLEUS),
    _costs(_PARTS[3], _CODAS, _CODA),
)


def _places(one: Syllable) -> tuple[int, ...]:
    return tuple(
        places[part] for places, part in zip(_PLACES, (one.initial, one.medial, one.nucleus, one.coda), strict=True)
    )


class Table:
    """Many syllables, to which one that was heard is compared at once."""

    def __init__(self, syllables: Sequence[Syllable]) -> None:
        self._parts = np.array([_places(s) for s in syllables], np.intp).reshape(-1, 4).T
        self._tones = np.array([s.tone for s in syllables], np.intp)

    def distances(self, heard: Sequence[Syllable]) -> list[float]:
        """How far each is from what was heard, by the nearest of its readings; `FAR` where there is none."""
        nearest = np.full(len(self._tones), FAR)
        for rank, one in enumerate(heard):
            far = _TONE * (self._tones != one.tone) + _RARE[min(rank, 2)]
            for costs, place, parts in zip(_COSTS, _places(one), self._parts, strict=True):
                far = far + costs[place, parts]
            nearest = np.minimum(nearest, far)
        out: list[float] = nearest.tolist()
        return out


def distance(one: Syllable, other: Syllable) -> float:
    """How far apart two syllables sound."""
    return Table([other]).distances([one])[0]


@cache
def readings(character: str) -> tuple[Syllable, ...]:
    """All readings of one character, the usual one first; empty for what is no Chinese character."""
    found = pinyin(character, style=Style.TONE3, heteronym=True, neutral_tone_with_five=True, errors="ignore")
    spelled = found[0] if found else []
    return tuple(s for s in map(syllable, spelled) if s is not None)


@cache
def spoken(text: str) -> tuple[tuple[Syllable, ...], ...]:
    """How each character of `text` is read: inside a known phrase in one way, else in any of its ways."""
    phrase = lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)
    usual = [syllable(spelled) for spelled in phrase]
    return tuple(() if one is None else (one,) for one in usual) if len(usual) == len(text) else ()
