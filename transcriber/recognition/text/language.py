"""Mandarin or English, utterance by utterance, where the profile says `auto`.

Promises: only these two; a long utterance is what it sounds like, a short one stays in the language of the last one
unless it is clearly the other, so that an "OK" in the middle of a hearing does not turn the next answer into English.
"""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("zh", "en")
_SURE = ((4.0, 0.5), (2.0, 0.65), (0.0, 0.85))
"""From so many seconds on, the other language needs more than this share of the two."""


class LanguageTracker:
    """Remembers which language was spoken last. Begins with Mandarin."""

    def __init__(self) -> None:
        self.last = LANGUAGES[0]

    def choose(self, chances: Mapping[str, float], seconds: float, *, remember: bool = True) -> str:
        """`zh` or `en`, by a model's probabilities of languages for `seconds` of speech.

        `remember` false: for a caption, so that the record never depends on how many captions were made.
        """
        both = sum(chances.get(code, 0.0) for code in LANGUAGES)
        other = next(code for code in LANGUAGES if code != self.last)
        needed = next(share for least_s, share in _SURE if seconds >= least_s)
        chosen = other if both > 0 and chances.get(other, 0.0) / both > needed else self.last
        if remember:
            self.last = chosen
        return chosen
