"""Captions that do not flicker: what two successive passes agree on is committed and never changes again.

This is the LocalAgreement policy, over characters. Promises: the committed text only grows, and every text returned
begins with it. The last characters of a pass are guessed from half a word: they are neither shown nor committed before
there is more sound.
"""

from __future__ import annotations

from itertools import takewhile

_MARKS = "，。？！；：、… "
_HIDDEN = 5
"""So many characters at the end are not shown yet; the first of a turn is."""
_HELD = 16
"""So many are not committed yet: a word is right once three seconds of speech follow it."""


class LocalAgreement:
    """The caption of one turn: what two passes agreed on, and what the last one added."""

    def __init__(self) -> None:
        self._latest = ""
        self._shown = ""
        self._stable = 0

    @property
    def stable(self) -> int:
        """How many leading characters will not change any more."""
        return self._stable

    @property
    def committed(self) -> str:
        """The characters that will not change any more."""
        return self._latest[: self._stable]

    @property
    def text(self) -> str:
        """The text that is shown now."""
        return self._shown

    @property
    def latest(self) -> str:
        """The whole text of the last pass, with what is not shown yet."""
        return self._latest

    def take(self, text: str, *, commit: bool = True) -> str:
        """Return what to show after another pass over the same, longer sound; without `commit` no more is promised."""
        committed = self.committed
        if not text.startswith(committed):
            text = committed + text[_follows(committed, text) :]
        agreed = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self._latest, text, strict=False)))
        agreed = min(agreed, len(text) - _HELD) if commit else 0
        while agreed > self._stable and text[agreed - 1] in _MARKS:
            agreed -= 1
        self._stable = max(self._stable, agreed)
        self._latest = text
        self._shown = text[: max(len(text) - _HIDDEN, self._stable, 1)]
        return self._shown


def _follows(committed: str, text: str) -> int:
    """Find where `text` goes on behind `committed`: the end of the prefix that is nearest to it."""
    distance = list(range(len(text) + 1))
    for i, a in enumerate(committed, 1):
        diagonal, distance[0] = distance[0], i
        for j, b in enumerate(text, 1):
            diagonal, distance[j] = distance[j], min(diagonal + (a != b), distance[j] + 1, distance[j - 1] + 1)
    # Of equally near ones the longest: a word shown twice is worse than one that waits for the final pass.
    return min(range(len(text) + 1), key=lambda j: (distance[j], -j))
