"""Which characters reach the paper: what is never printed is taken out, and what no font has gets a sign in its place.

Promises: no character is blank in silence. What has no glyph becomes 〓 with its code point, as `〓(U+2EBF0)`, and
`missing` names it beforehand. Private code points that GB 18030 once used are printed as the characters it has for them
now; any other private code point has no meaning that a font could know.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from sync.paper.faces import SERIF, Face, fallback, has

SIGN = "〓"
"""It stands for a character that the printer does not have."""
_JOINERS = "\u200c\u200d"
NARROW = "\u202f"
"""Before a Mongolian suffix it is no blank but part of the word."""
_LATER = (
    "A6D9 FE10 A6DA FE12 A6DB FE11 A6DC FE13 A6DD FE14 A6DE FE15 A6DF FE16 A6EC FE17 A6ED FE18 A6F3 FE19 "
    "FE51 20087 FE52 20089 FE53 200CC FE59 9FB4 FE61 9FB5 FE66 9FB6 FE67 9FB7 FE6C 215D7 FE6D 9FB8 FE76 2298F "
    "FE7E 9FB9 FE90 9FBA FE91 241FE FEA0 9FBB"
)
"""Two bytes of GBK that GB 18030 gave a character of its own only in 2005 and 2022, and that character."""


def clean(text: str) -> str:
    """Text without what cannot be printed: controls and odd blanks are blanks, marks without a shape go.

    What GB 18030 kept at a private code point is its character of now.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = [_standard().get(c, c) for c in text]
    out = []
    for at, c in enumerate(kept):
        if c.isprintable() or c == "\u3000":
            out.append(c)
        elif c == NARROW or c in _JOINERS:
            beside = kept[at - 1] if at else ""
            out.append(c if beside and _is_joining(beside) else " " if c == NARROW else "")
        elif (kind := unicodedata.category(c)) == "Cf":
            out.append(c if _is_joining(c) else "")
        else:
            # Unassigned is only what this Python does not know yet; private and lone ones are signs in `printable`.
            out.append(c if kind in ("Cn", "Co", "Cs") else " ")
    return "".join(out)


def writable(text: str) -> str:
    """Clean text for a file whose reader brings its own fonts: only what is no character at all gets the sign."""
    text = clean(text)
    if not any(map(_is_none, text)):
        return text
    return "".join(f"{SIGN}({code_of(c)})" if _is_none(c) else c for c in text)


def printable(text: str) -> str:
    """Clean text with a sign and the code point in place of each character that no font has."""
    return "".join(c if is_printed(c) else f"{SIGN}({code_of(c)})" for c in clean(text))


def missing(texts: Iterable[str]) -> list[str]:
    """The characters of these texts that will be signs, each once, in the order of their code points."""
    return sorted({c for text in texts for c in set(clean(text)) if not is_printed(c)})


def code_of(c: str) -> str:
    """As people write it: U+4E00."""
    return f"U+{ord(c):04X}"


@lru_cache(maxsize=1 << 16)
def is_printed(c: str) -> bool:
    """Whether some font draws a character, or it is one that has no shape of its own."""
    if c in (" ", "\u3000", NARROW) or c in _JOINERS or is_selector(c):
        return True
    return has(SERIF, c) or fallback(c) is not None


def is_selector(c: str) -> bool:
    """A variation selector: it chooses a shape for the character before it and has none itself."""
    return "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef" or c in "\u180b\u180c\u180d\u180e\u180f"


def clusters(text: str) -> list[str]:
    """A character with the marks, selectors and joiners that belong to it: what is never taken apart."""
    out: list[str] = []
    for c in text:
        if out and (is_selector(c) or c in _JOINERS or unicodedata.category(c) in ("Mn", "Me", "Mc")):
            out[-1] += c
        else:
            out.append(c)
    return out


def face_of(cluster: str, main: Face) -> Face | None:
    """What draws a cluster: the main face where it can; None where no single font has all of it."""
    seen = "".join(c for c in cluster if not is_selector(c) and c not in _JOINERS and c != NARROW)
    if all(has(main, c) for c in seen):
        return main
    return fallback(seen)


def _is_none(c: str) -> bool:
    """Half of a pair, or a code point that is never a character."""
    return "\ud800" <= c <= "\udfff" or ord(c) & 0xFFFE == 0xFFFE or "\ufdd0" <= c <= "\ufdef"


def _is_joining(c: str) -> bool:
    """A letter or format mark of a script whose letters join: Arabic, Syriac, Mongolian, Phags-pa, Indic, Tibetan."""
    return (
        "\u0600" <= c <= "\u08ff"
        or "\u0900" <= c <= "\u0fff"
        or "\u1800" <= c <= "\u18af"
        or "\ua840" <= c <= "\ua87f"
        or "\ufb50" <= c <= "\ufdff"
        or "\ufe70" <= c <= "\ufefc"
    )


@cache
def _standard() -> dict[str, str]:
    """From the private code points that GBK's two bytes had to the characters that GB 18030 has there.

    GBK's bytes FE50 to FEA0 were private code points U+E815 to U+E864 one after another, and so in A6D9…
    """
    words = _LATER.split()
    later = {int(words[at], 16): chr(int(words[at + 1], 16)) for at in range(0, len(words), 2)}
    made: dict[str, str] = {}
    rows = [(0xA6D9, 7, 0xE78D), (0xA6EC, 2, 0xE794), (0xA6F3, 1, 0xE796), (0xA8BC, 1, 0xE7C7), (0xA8BF, 1, 0xE7C8)]
    rows += [(0xA989, 13, 0xE7E7), (0xFE50, 80, 0xE815)]
    for first, count, private in rows:
        code = first
        for number in range(count):
            if code & 0xFF == 0x7F:
                code += 1
            meant = later.get(code) or code.to_bytes(2, "big").decode("gb18030")
            if not 0xE000 <= ord(meant) <= 0xF8FF:
                made[chr(private + number)] = meant
            code += 1
    return made
