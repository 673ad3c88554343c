"""Sentences and clauses of a line, with their places in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_SENTENCE: Final = re.compile(r"[^。！？!?；;\n]+[。！？!?；;\n]?")
_MARKS: Final = "，,。！？；：:、\n"
_FARTHEST: Final = 80
"""So far a clause is looked for."""
_CLAUSE: Final = re.compile(r"[^，,、：:]+")


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """(place, sentence with its mark)."""
    return ((found.start(), found[0]) for found in _SENTENCE.finditer(text))


def clause_around(text: str, at: int, end: int) -> str:
    """The words between the marks around [at, end)."""
    low, high = max(0, at - _FARTHEST), min(len(text), end + _FARTHEST)
    first = max(low - 1, *(text.rfind(mark, low, at) for mark in _MARKS)) + 1
    ends = [place for mark in _MARKS if (place := text.find(mark, end, high)) >= 0]
    return text[first : min(ends, default=high)]


def clauses(sentence: str) -> Iterator[tuple[int, str]]:
    """(place in the sentence, clause)."""
    return ((found.start(), found[0]) for found in _CLAUSE.finditer(sentence))
