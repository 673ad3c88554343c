"""Captions that do not flicker: what two successive passes agree on is committed and never changes again.

This is the LocalAgreement policy, over characters, for what passes hear; what is shown of it keeps steady
(`transcriber.steady_text`). Promises: the committed text only grows; what is shown never changes in its first `stable`
characters, which are committed ones. The last characters of a pass are guessed from half a word: they are neither shown
nor committed before there is more sound.
"""

from __future__ import annotations

from transcriber.steady_text import common, follows, steady

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
        self._agreed = 0
        self._stable = 0

    @property
    def stable(self) -> int:
        """How many leading characters of what is shown will not change any more: those that are committed, too."""
        return self._stable

    @property
    def committed(self) -> str:
        """The characters that are heard no other way any more; the next pass goes on from them."""
        return self._latest[: self._agreed]

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
            text = committed + text[follows(committed, text) :]
        agreed = min(common(self._latest, text), len(text) - _HELD) if commit else 0
        while agreed > self._agreed and text[agreed - 1] in _MARKS:
            agreed -= 1
        self._agreed = max(self._agreed, agreed)
        whole = steady(self._shown, self._latest, text, self._stable) if self._shown else text
        self._latest = text
        self._shown = whole[: max(len(whole) - _HIDDEN, common(self._shown, whole), 1)]
        self._stable = max(self._stable, common(self._shown, self.committed))
        return self._shown
