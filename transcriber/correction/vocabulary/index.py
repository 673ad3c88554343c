"""All terms by their sound: which of them could be meant by what was heard from some character on.

Promises: finds every term that has as many syllables as were heard and sounds nearer than its limit; the order of the
answers does not depend on the machine. Syllables are never left out or added: engines mishear Mandarin, they hardly
miscount it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from transcriber.correction.vocabulary.lexicon import Term, ideographs
from transcriber.correction.vocabulary.sounds import Syllable, Table, readings, spoken


@dataclass(frozen=True, slots=True)
class Match:
    """A term that could be meant."""

    term: Term
    written: str
    """Its Chinese characters."""
    apart: tuple[float, ...]
    """The distance of each syllable from what was heard."""


@dataclass(slots=True)
class _Node:
    children: dict[int, _Node] = field(default_factory=dict)
    terms: list[tuple[Term, str]] = field(default_factory=list)


_TWO_READINGS = frozenset("还重长行调供处量给强率")
"""Characters of court terms whose two usual readings even dictionaries of phrases mix up: 还款 is huán, not hái."""


def limit(syllables: int) -> float:
    """Say how far, in all, a term of so many syllables may be from what was heard."""
    return min(0.75 + 0.4 * (syllables - 2), 2.6)


def _otherwise(written: str, usual: tuple[Syllable, ...]) -> Iterator[tuple[Syllable, ...]]:
    """The term with one of its characters read in its other way: 还 is hái and huán, and not everybody knows which."""
    for place, character in enumerate(written):
        for other in readings(character)[:2] if character in _TWO_READINGS else ():
            if other != usual[place] and _sounds_else(other, usual[place]):
                yield (*usual[:place], other, *usual[place + 1 :])


def _sounds_else(one: Syllable, other: Syllable) -> bool:
    return replace(one, tone=0) != replace(other, tone=0)


class SoundIndex:
    """A trie of syllables. Built once for a hearing; safe to read from several threads."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self._root = _Node()
        self._ids: dict[Syllable, int] = {}
        self.written: dict[str, Term] = {}
        for term in terms:
            self._add(term)
        self._table = Table(list(self._ids))
        self._row = cache(self._distances)

    def _add(self, term: Term) -> None:
        written = ideographs(term.text)
        said = spoken(written)
        if len(written) < 2 or written in self.written or not said or not all(said):
            return
        self.written[written] = term
        usual = tuple(one for (one,) in said)
        for spelled in (usual, *_otherwise(written, usual)):
            node = self._root
            for one in spelled:
                node = node.children.setdefault(self._ids.setdefault(one, len(self._ids)), _Node())
            node.terms.append((term, written))

    def _distances(self, character: str) -> list[float]:
        return self._table.distances(readings(character))

    def near(self, heard: Sequence[str], start: int) -> list[Match]:
        """Find the terms that the characters from `start` on sound like; what is written just so is among them."""
        found: list[Match] = []
        stack: list[tuple[_Node, int, float, tuple[float, ...]]] = [(self._root, start, 0.0, ())]
        while stack:
            node, at, total, apart = stack.pop()
            if len(apart) >= 2 and total <= limit(len(apart)):
                found += [Match(term, written, apart) for term, written in node.terms]
            if at == len(heard) or not node.children:
                continue
            row = self._row(heard[at])
            most = limit(len(apart) + 4)
            stack += [
                (child, at + 1, total + row[key], (*apart, row[key]))
                for key, child in node.children.items()
                if row[key] < 1.1 and total + row[key] <= most
            ]
        return found
