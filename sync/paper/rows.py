"""Chinese text broken into rows as a printer does it: no closing mark begins a row, no opening bracket ends one.

A word of letters that join (Uyghur, Mongolian) and a syllable of Tibetan stay whole where they fit, as a Latin word.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import dropwhile

from sync.paper.characters import SIGN, clusters

_NOT_FIRST = frozenset("，。、；：？！）》〉」』】〕”’…—·％%,.;:?!)]}、་།،؛؟")
_MOST_CARRIED = 4
"""Pieces that go along to the next row so that it begins well; a longer run of marks is broken anywhere."""
_LONGEST_MARK = 8
_LONGEST_SIGN = 12
_NOT_LAST = frozenset("（《〈「『【〔“‘([{")
_SYLLABLE_ENDS = frozenset("་།༎༌")

Width = Callable[[str], float]


def broken(text: str, first: float, rest: float, width_of: Width) -> list[str]:
    """Rows of `text`: the first at most `first` wide, the others `rest`; `width_of` says how wide some text is."""
    rows: list[str] = []
    row: list[str] = []
    used, room = 0.0, first
    for unit in _units(text):
        width = width_of(unit)
        if row and used + width > room and not (unit[0] in _NOT_FIRST and used + width <= room + width_of("，")):
            row, carried = _carry(row, unit)
            rows.append("".join(row))
            row = list(dropwhile(lambda piece: piece == " ", carried))
            used, room = width_of("".join(row)), rest
        if used + width <= room or len(unit) == 1:
            row.append(unit)
            used += width
            continue
        for part in clusters(unit):  # a word that is wider than a row
            wide = width_of(part)
            if row and used + wide > room:
                rows.append("".join(row))
                row, used, room = [], 0.0, rest
            row.append(part)
            used += wide
    return [*rows, "".join(row)] if row or not rows else rows


def _units(text: str) -> list[str]:
    units: list[str] = []
    inside = 0
    for c in clusters(text):
        last = units[-1] if units else ""
        if c in ("〔", SIGN):  # a mark of the clerk, or a sign with its code point, stays in one piece
            inside = _LONGEST_MARK if c == "〔" else _LONGEST_SIGN
            units.append(c)
        elif inside and (last != SIGN or c == "(") and len(last) < inside:
            units[-1] += c
            inside = 0 if c in ("〕", ")") else inside
        elif last and _joins(last, c[0]):
            inside = 0
            units[-1] += c
        else:
            inside = 0
            units.append(c)
    return units


def _joins(last: str, c: str) -> bool:
    if c.isascii() and c.isalnum():
        return last[-1].isascii() and last[-1].isalnum()
    script = _script(c)
    return script != "" and script == _script(last[0]) and last[-1] not in _SYLLABLE_ENDS


def _script(c: str) -> str:
    """Of letters that are not cut inside of a word."""
    if "\u0600" <= c <= "\u08ff" or "\ufb50" <= c <= "\ufdff" or "\ufe70" <= c <= "\ufefc":
        return "Arabic" if c.isalnum() else ""
    if "\u1800" <= c <= "\u18af" or c == "\u202f":
        return "Mongolian"
    return "Tibetan" if "\u0f00" <= c <= "\u0fff" else ""


def _carry(row: list[str], unit: str) -> tuple[list[str], list[str]]:
    """What goes along to the next row so that it begins, and this one ends, as it may."""
    for cut in range(len(row), max(len(row) - _MOST_CARRIED, 0), -1):
        begins = row[cut] if cut < len(row) else unit
        if begins[0] not in _NOT_FIRST and row[cut - 1][-1] not in _NOT_LAST:
            return row[:cut], row[cut:]
    return row, []
