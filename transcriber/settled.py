"""The same words at two seats at the same moment were said once: the seat that heard them louder keeps them.

Promises: only what overlaps in time with a clearly louder turn of another seat, and says nearly nothing that this one
does not say, is taken for its echo. Two people who answer alike, each into their own microphone, both keep their words.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from difflib import SequenceMatcher

from transcriber.cutter import Turn
from transcriber.engine import Heard

_REMEMBERED = 8
_LEAST_OVERLAP = 0.6
"""Of the turn in question."""
_SAME = 0.6
"""So much of its text is in the other one's: two passes over the same sound agree that far."""
_LOUDER_DB = 3.0


class Settled:
    """The turns that were written last, to compare the next ones with."""

    def __init__(self) -> None:
        self._written: deque[tuple[int, int, int, float, str]] = deque(maxlen=_REMEMBERED)

    def note(self, turn: Turn, heard: Heard) -> None:
        """This turn is in the record."""
        self._written.append((turn.channel, turn.start_ns, turn.end_ns, turn.level_db, heard.text))

    def elsewhere(self, turn: Turn, heard: Heard, others: Iterable[tuple[Turn, str]]) -> bool:
        """Whether `turn` is only the echo of another seat's; `others`: turns that are not written yet, as captioned."""
        now = [(o.channel, o.start_ns, o.end_ns, o.level_db, text) for o, text in others]
        level_db, length_ns = turn.level_db, max(turn.end_ns - turn.start_ns, 1)
        beside = [
            (start_ns, text)
            for channel, start_ns, end_ns, other_db, text in [*self._written, *now]
            if channel != turn.channel
            and other_db > level_db + _LOUDER_DB
            and min(end_ns, turn.end_ns) > max(start_ns, turn.start_ns)
        ]
        covered_ns = sum(
            max(min(end_ns, turn.end_ns) - max(start_ns, turn.start_ns), 0)
            for channel, start_ns, end_ns, other_db, _ in [*self._written, *now]
            if channel != turn.channel and other_db > level_db + _LOUDER_DB
        )
        if covered_ns < _LEAST_OVERLAP * length_ns:
            return False
        letters = _letters(heard.text)
        there = _letters("".join(text for _, text in sorted(beside)))
        same = SequenceMatcher(None, letters, there, autojunk=False).get_matching_blocks()
        return bool(letters) and sum(block.size for block in same) >= _SAME * len(letters)


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())
