"""Captions that do not flicker: what two successive passes agree on is committed and never changes again.

LocalAgreement over characters. Promises: the committed text only grows, and every text returned begins with it; the
last character and trailing punctuation are never committed, because the next sound changes just these.
"""

from __future__ import annotations

from itertools import takewhile

_MARKS = "，。？！；：、… "


class Agreement:
    """The caption of one turn."""

    def __init__(self) -> None:
        self._shown = ""
        self._stable = 0

    @property
    def stable(self) -> int:
        """How many leading characters will not change any more."""
        return self._stable

    @property
    def committed(self) -> str:
        """The characters that will not change any more."""
        return self._shown[: self._stable]

    @property
    def text(self) -> str:
        """The caption now."""
        return self._shown

    def take(self, heard: str) -> str:
        """What to show after another pass over the same, longer, sound."""
        committed = self._shown[: self._stable]
        shown = heard if heard.startswith(committed) else committed + heard[_follows(committed, heard) :]
        agreed = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self._shown, shown, strict=False)))
        agreed = min(agreed, len(shown) - 1)
        while agreed > self._stable and shown[agreed - 1] in _MARKS:
            agreed -= 1
        self._stable = max(self._stable, agreed)
        self._shown = shown
        return shown


def _follows(committed: str, heard: str) -> int:
    """Where in `heard` goes on what `committed` ends with: the end of the prefix that is nearest to it."""
    distance = list(range(len(heard) + 1))
    for i, a in enumerate(committed, 1):
        diagonal, distance[0] = distance[0], i
        for j, b in enumerate(heard, 1):
            diagonal, distance[j] = distance[j], min(diagonal + (a != b), distance[j] + 1, distance[j - 1] + 1)
    # Of equally near ones the longest: a word shown twice is worse than one that waits for the final pass.
    return min(range(len(heard) + 1), key=lambda j: (distance[j], -j))
