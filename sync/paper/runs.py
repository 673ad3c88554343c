"""A row of text as pieces for the printer, from left to right: each in one font, in one direction.

Arabic script runs from right to left inside of Chinese rows, by Unicode's rule for both directions (UAX 9). Letters
that join, and marks above and below, are left to HarfBuzz (`shaped`).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from fpdf.bidi import BidiParagraph, auto_detect_base_direction
from fpdf.enums import TextDirection

from sync.paper.characters import NARROW, clusters, face_of
from sync.paper.faces import Face, has

_RIGHT = ("R", "AL", "AN")


@dataclass(frozen=True, slots=True)
class Run:
    """Text in the order in which it is read."""

    text: str
    face: Face
    shaped: bool
    rightward: bool = True
    """From left to right."""


def is_leftward(text: str) -> bool:
    """Whether a paragraph is read from right to left: its first letter is."""
    return has_leftward(text) and auto_detect_base_direction(text) is TextDirection.RTL


def has_leftward(text: str) -> bool:
    """Whether anything in it is read from right to left."""
    return not text.isascii() and any(_side(c) in _RIGHT for c in text)


def runs(text: str, main: Face, *, leftward: bool = False) -> list[Run]:
    """The pieces of a row whose paragraph is read from the right (`leftward`) or from the left."""
    if all(_is_plain(c, main) for c in text):
        return [Run(text, main, False)] if text else []
    if not has_leftward(text):
        return _by_face(text, main, rightward=True)
    base = TextDirection.RTL if leftward else TextDirection.LTR
    seen = BidiParagraph(text, base).get_reordered_characters()
    found: list[Run] = []
    for level, group in groupby(seen, key=lambda one: one.embedding_level):
        said = "".join(one.character for one in group)
        if level % 2:
            found += reversed(_by_face(said[::-1], main, rightward=False))
        else:
            found += _by_face(said, main, rightward=True)
    return found


def _by_face(text: str, main: Face, *, rightward: bool) -> list[Run]:
    """In the order in which it is read."""
    found: list[Run] = []
    for cluster in clusters(text):
        before = found[-1].face if found else None
        if cluster in (" ", NARROW) and before is not None and before.shaped and has(before, cluster):
            face: Face | None = before  # the words of one script stay together
        else:
            face = face_of(cluster, main)
        # Where no font has a letter and its marks, the marks follow alone.
        parts = [(c, face_of(c, main) or main) for c in cluster] if face is None else [(cluster, face)]
        for part, its in parts:
            shaped = its.shaped or len(part) > 1 or not rightward
            if found and found[-1].face is its and found[-1].shaped == shaped:
                part = found.pop().text + part
            found.append(Run(part, its, shaped, rightward))
    return found


@lru_cache(maxsize=1 << 16)
def _side(c: str) -> str:
    return unicodedata.bidirectional(c)


@lru_cache(maxsize=1 << 16)
def _is_plain(c: str, main: Face) -> bool:
    return has(main, c) and _side(c) not in _RIGHT and unicodedata.category(c) not in ("Mn", "Me", "Mc", "Cf")
