"""Which characters are mixed up when they are heard: the same syllable, or one that speakers and engines confuse.

Coarser than what the corrector weighs: a check only asks whether a wrong character can be a slip of the ear.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pypinyin import Style, pinyin

_INITIALS: Final = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("l", "n"), ("h", "f"), ("r", "n"))
_FAR: Final = 9


@lru_cache(maxsize=16384)
def far(heard: str, meant: str) -> int:
    """0: a reading in common, whatever the tone; 1: readings that are confused (in/ing, zh/z, n/l); else `_FAR`."""
    one, other = _readings(heard), _readings(meant)
    if one & other:
        return 0
    return 1 if {_blurred(r) for r in one} & {_blurred(r) for r in other} else _FAR


@lru_cache(maxsize=16384)
def sound(character: str) -> str:
    """Its usual syllable without the tone; itself where it has none."""
    found = pinyin(character, style=Style.NORMAL, errors="ignore")
    return found[0][0] if found else character


@lru_cache(maxsize=16384)
def _readings(character: str) -> frozenset[str]:
    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    return frozenset(found[0]) if found else frozenset()


def _blurred(syllable: str) -> str:
    plain = syllable.removesuffix("g") if syllable.endswith("ng") else syllable
    for initial, usual in _INITIALS:
        if plain.startswith(initial):
            return usual + plain[len(initial) :]
    return plain
