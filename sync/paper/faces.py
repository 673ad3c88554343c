"""The fonts a paper is printed in: one for Chinese, and behind it one for each script and plane that it does not have.

All are Debian's, found by their place or by fontconfig. A paper has a fallback only where a character on it needs one.
What a font draws for private code points is its maker's own invention, so no font has those: another sign under
somebody's name is worse than none. A font that is not installed has no characters, and `ConfigError` is for the Chinese
one alone.
"""

from __future__ import annotations

import subprocess
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont, TTLibError

from sync.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Face:
    """A font by its name, and where Debian puts it."""

    key: str
    """What it is called inside of a PDF."""
    name: str
    """As the file itself says it."""
    package: str
    places: tuple[str, ...]
    shaped: bool = False
    """Its letters change with their neighbors."""


def _cjk(key: str, style: str) -> Face:
    file = f"Noto{style}CJK-Regular.ttc"
    places = (f"/usr/share/fonts/opentype/noto/{file}", f"/usr/share/fonts/noto-cjk/{file}")
    return Face(key, f"Noto {style} CJK SC", "fonts-noto-cjk", places)


def _noto(name: str, *, shaped: bool = False) -> Face:
    file = f"{name.replace(' ', '')}-Regular.ttf"
    places = (f"/usr/share/fonts/truetype/noto/{file}", f"/usr/share/fonts/noto/{file}")
    return Face(name.replace(" ", "").lower(), name, "fonts-noto-core", places, shaped)


def _other(name: str, package: str, place: str) -> Face:
    return Face(name.replace(" ", "").lower(), name, package, (f"/usr/share/fonts/{place}",))


SANS = _cjk("sans", "Sans")
SERIF = _cjk("serif", "Serif")
FALLBACKS = (
    _noto("Noto Serif Tibetan", shaped=True),
    _noto("Noto Naskh Arabic", shaped=True),
    _noto("Noto Sans Mongolian", shaped=True),
    _noto("Noto Sans Yi"),
    _noto("Noto Sans Tai Le"),
    _noto("Noto Sans New Tai Lue"),
    _noto("Noto Sans Tai Tham", shaped=True),
    _noto("Noto Sans Lisu"),
    _noto("Noto Sans Miao", shaped=True),
    _noto("Noto Sans PhagsPa", shaped=True),
    _noto("Noto Serif"),
    # Its shapes are those of mainland norms; Hanazono's are Japanese, and it has more.
    _other("BabelStone Han", "fonts-babelstone-han", "truetype/babelstone/BabelStoneHan.ttf"),
    _other("HanaMinA", "fonts-hanazono", "truetype/hanazono/HanaMinA.ttf"),
    _other("HanaMinB", "fonts-hanazono", "truetype/hanazono/HanaMinB.ttf"),
    _noto("Noto Sans Symbols"),
    _noto("Noto Sans Symbols2"),
    _noto("Noto Sans Math"),
    # A coarse picture of everything else in the first plane, and of much of the second.
    _other("Unifont", "fonts-unifont", "opentype/unifont/unifont.otf"),
    _other("Unifont Upper", "fonts-unifont", "opentype/unifont/unifont_upper.otf"),
)
_DRAWS_UNASSIGNED = "fonts-unifont"
"""It has a box with a number for code points that mean nothing."""
_PRIVATE = ((0xE000, 0xF8FF), (0xF0000, 0x10FFFF))


@cache
def font(face: Face) -> tuple[str, int]:
    """File and number of a Chinese face; the sans where the serif is missing; `ConfigError` when there is neither."""
    found = located(face)
    if found is not None:
        return found
    if face is not SANS:
        return font(SANS)
    raise ConfigError(
        "the font Noto Sans CJK is missing, and what is to be written is Chinese: apt install fonts-noto-cjk"
    )


@cache
def located(face: Face) -> tuple[str, int] | None:
    """File of a face, and its number in it; None where this machine does not have it."""
    for place in chain(face.places, _asked(face.name)):
        if not Path(place).is_file():
            continue
        try:
            for number, name in enumerate(_names(place)):
                if name in (face.name, f"{face.name} Regular"):
                    return place, number
        except (TTLibError, OSError):
            continue
    return None


@lru_cache(maxsize=1 << 16)
def has(face: Face, c: str) -> bool:
    """Whether a face draws a character."""
    code = ord(c)
    if any(first <= code <= last for first, last in _PRIVATE):
        return False
    if face.package == _DRAWS_UNASSIGNED and unicodedata.category(c) == "Cn":
        return False
    starts, ends = _covered(face)
    at = bisect_right(starts, code) - 1
    return at >= 0 and code <= ends[at]


@lru_cache(maxsize=1 << 16)
def fallback(text: str) -> Face | None:
    """The first face behind the Chinese ones that draws all of these characters."""
    return next((face for face in FALLBACKS if all(has(face, c) for c in text)), None)


def absent() -> list[str]:
    """Debian's packages that papers want and that are not here."""
    return sorted({face.package for face in (SERIF, *FALLBACKS) if located(face) is None})


@cache
def _covered(face: Face) -> tuple[list[int], list[int]]:
    """First and last code points of each stretch that the font has."""
    found = font(face) if face in (SANS, SERIF) else located(face)
    if found is None:
        return [], []
    with TTFont(found[0], fontNumber=found[1] if found[0].endswith(".ttc") else -1, lazy=True) as opened:
        codes = sorted(opened.getBestCmap() or {})
    starts: list[int] = []
    ends: list[int] = []
    for code in codes:
        if ends and ends[-1] == code - 1:
            ends[-1] = code
        else:
            starts.append(code)
            ends.append(code)
    return starts, ends


def _names(place: str) -> list[str]:
    if not place.endswith(".ttc"):
        with TTFont(place, lazy=True) as one:
            return [str(one["name"].getDebugName(4))]
    with TTCollection(place, lazy=True) as collection:
        return [str(one["name"].getDebugName(4)) for one in collection.fonts]


def _asked(name: str) -> Iterator[str]:
    """What fontconfig has under the name, asked only where the usual places have nothing."""
    try:
        found = subprocess.run(
            ["fc-match", "-f", "%{file}", name], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    yield found.stdout.strip()
