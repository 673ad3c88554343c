"""Chinese text broken into rows as a printer does it: no closing mark begins a row, no opening bracket ends one."""

from __future__ import annotations

from collections.abc import Callable

_NOT_FIRST = frozenset("，。、；：？！）》〉」』】〕”’…—·％%,.;:?!)]}")
_LONGEST_MARK = 8
_NOT_LAST = frozenset("（《〈「『【〔“‘([{")


def broken(text: str, first: float, rest: float, width_of: Callable[[str], float]) -> list[str]:
    """Rows of `text`: the first at most `first` wide, the others `rest`; a Latin word stays whole where it fits."""
    rows: list[str] = []
    row, used, room = "", 0.0, first
    for unit in _units(text):
        width = sum(width_of(c) for c in unit)
        if row and used + width > room and not (unit[0] in _NOT_FIRST and used + width <= room + width_of("，")):
            row, carried = _carry(row, unit)
            rows.append(row)
            row = carried.lstrip(" ")
            used, room = sum(width_of(c) for c in row), rest
        for c in unit:  # a word that is wider than a row
            if row and used + width_of(c) > room and len(unit) > 1:
                rows.append(row)
                row, used, room = "", 0.0, rest
            row += c
            used += width_of(c)
    return [*rows, row] if row or not rows else rows


def _units(text: str) -> list[str]:
    units: list[str] = []
    inside = False
    for c in text:
        if c == "〔":  # a mark of the clerk stays in one piece
            inside = True
            units.append(c)
        elif inside and len(units[-1]) < _LONGEST_MARK:
            units[-1] += c
            inside = c != "〕"
        elif units and c.isascii() and c.isalnum() and units[-1][-1].isascii() and units[-1][-1].isalnum():
            units[-1] += c
        else:
            units.append(c)
    return units


def _carry(row: str, unit: str) -> tuple[str, str]:
    """What goes along to the next row so that it begins, and this one ends, as it may."""
    cut = len(row)
    while cut > 1 and (row[cut - 1] in _NOT_LAST or (cut < len(row) and row[cut] in _NOT_FIRST)):
        cut -= 1
    if unit[0] in _NOT_FIRST and cut == len(row) and cut > 1:
        cut -= 1
        while cut > 1 and row[cut] in _NOT_FIRST:
            cut -= 1
    return row[:cut], row[cut:]
