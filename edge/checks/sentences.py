"""Sentences and clauses of a line, with their places in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_SENTENCE: Final = re.compile(r"[^。！？!?；;\n]+[。！？!?；;\n]?")
_CLAUSE: Final = re.compile(r"[^，,、：:]+")


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """(place, sentence with its mark)."""
    return ((found.start(), found[0]) for found in _SENTENCE.finditer(text))


def clause_around(text: str, at: int, end: int) -> str:
    """The words between the marks around [at, end)."""
    first = max((text.rfind(mark, 0, at) for mark in "，,。！？；：:、\n"), default=-1) + 1
    ends = [place for mark in "，,。！？；：:、\n" if (place := text.find(mark, end)) >= 0]
    return text[first : min(ends, default=len(text))]


def clauses(sentence: str) -> Iterator[tuple[int, str]]:
    """(place in the sentence, clause)."""
    return ((found.start(), found[0]) for found in _CLAUSE.finditer(sentence))
