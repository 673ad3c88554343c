"""How near two syllables of Mandarin sound to each other, as a number.

Promises: 0.0 for the same syllable, a little for another tone, little for what speakers and engines mix up (zh/z,
in/ing, n/l …), 1.0 and more for what nobody mixes up; the same in both directions. Characters with several readings
take the nearest one. Nothing here knows words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pypinyin import Style, lazy_pinyin, pinyin
from pypinyin.contrib.tone_convert import to_finals, to_initials

FAR = 9.0
"""The distance of what cannot be compared at all."""
_TONE = 0.08
_RARE = (0.0, 0.3, 0.6)
"""What a reading costs that is not the character's usual one."""
_OTHER_INITIAL = 1.0
_MEDIAL = 0.45
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
    if not initial:
        initial = {"i": "y", "u": "w", "v": "y"}.get(medial or nucleus, "-")
    return Syllable(initial, medial, nucleus, coda, tone % 5)


@cache
def distance(one: Syllable, other: Syllable) -> float:
    """How far apart two syllables sound."""
    far = 0.0
    if one.initial != other.initial:
        far += _INITIALS.get(frozenset((one.initial, other.initial)), _OTHER_INITIAL)
    if one.medial != other.medial:
        far += _MEDIAL
    if one.nucleus != other.nucleus:
        far += _NUCLEI.get(frozenset((one.nucleus, other.nucleus)), 0.8)
    if one.coda != other.coda:
        far += _CODAS.get(frozenset((one.coda, other.coda)), _CODA)
    if one.tone != other.tone:
        far += _TONE
    return far


@cache
def readings(character: str) -> tuple[Syllable, ...]:
    """All readings of one character, the usual one first; empty for what is no Chinese character."""
    found = pinyin(character, style=Style.TONE3, heteronym=True, neutral_tone_with_five=True, errors="ignore")
    spelled = found[0] if found else []
    return tuple(s for s in map(syllable, spelled) if s is not None)


def spoken(text: str) -> tuple[tuple[Syllable, ...], ...]:
    """How each character of `text` is read: inside a known phrase in one way, else in any of its ways."""
    phrase = lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)
    usual = [syllable(spelled) for spelled in phrase]
    return tuple(() if one is None else (one,) for one in usual) if len(usual) == len(text) else ()


@cache
def nearest(heard: tuple[Syllable, ...], meant: Syllable) -> float:
    """The distance of the nearest reading; `FAR` where there is none."""
    return min(
        (distance(one, meant) + _RARE[min(place, 2)] for place, one in enumerate(heard)),
        default=FAR,
    )
