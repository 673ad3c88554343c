"""Whether words came out on the seat that said them, and only there.

Words are compared by their sound (toneless pinyin), because the same voice in two microphones is rarely written with
the same characters twice: a figure over characters would be kinder than the truth. Promises: nobody is blamed for what
the reference itself has on both seats (没有异议, said by both parties), as far as they said it at that time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from pypinyin import lazy_pinyin

from hardware.simulation.hearing_folder import Said
from wutong.bench.captions.character_errors import ShownWords, alike, overlap_s

LEAST_RUN = 3
"""Fewer equal syllables in a row are chance."""
_LEAST_OVERLAP_S = 0.2
_OTHERS = re.compile(r"([^\u4e00-\u9fff]+)")
_SAME = 0.5
"""Of the syllables of an utterance: with so many of them in their order it was heard there."""
_COMMON = 0.6


def seat_accuracy(said: Sequence[Said], utterances: Sequence[ShownWords]) -> float:
    """The share of the reference's utterances whose words came out on their own seat, and on no other.

    An utterance of the reference is right when the utterances of its seat cover at least half of its time and hold at
    least half of its syllables, in order, and those of no other seat at that time do (unless the reference has these
    words there too).
    """
    right = sum(_right(one, said, utterances) for one in said)
    return right / len(said) if said else 0.0


def _right(one: Said, said: Sequence[Said], utterances: Sequence[ShownWords]) -> bool:
    about = [u for u in utterances if overlap_s(one, u) > min(_LEAST_OVERLAP_S, (one.end - one.start) / 2)]
    own = sorted((u for u in about if u.channel == one.channel), key=lambda u: u.start_s)
    sound = syllables(one.text)
    if _covered_s(one, own) < 0.5 * (one.end - one.start) or within(sound, syllables(_text(own))) < _SAME:
        return False
    for channel in {u.channel for u in about} - {one.channel}:
        other = [u for u in about if u.channel == channel]
        if within(sound, syllables(_text(other))) >= _SAME:
            theirs = syllables("".join(s.text for u in other for s in _said_during(u, said)))
            if within(sound, theirs) < _SAME:
                return False
    return True


def _text(shown: Sequence[ShownWords]) -> str:
    return "".join(u.text for u in shown)


def _covered_s(one: Said, own: Sequence[ShownWords]) -> float:
    """How much of its time the utterances, in the order of their start, cover together."""
    covered, until_s = 0.0, one.start
    for u in own:
        covered += max(min(one.end, u.end_s) - max(until_s, u.start_s), 0.0)
        until_s = max(until_s, min(u.end_s, one.end))
    return covered


def _said_during(shown: ShownWords, said: Sequence[Said]) -> list[Said]:
    """What the reference has on the same seat at that time."""
    return [s for s in said if s.channel == shown.channel and overlap_s(s, shown) > 0]


def duplicate_ratio(said: Sequence[Said], utterances: Sequence[ShownWords]) -> float:
    """Characters that repeat on one seat what another seat's utterance says at the same time / all characters.

    Of every two utterances of different seats that overlap in time all common runs of at least three syllables are
    taken. A run that the reference has on both seats at that time is no repetition. Otherwise it counts on the
    utterance whose seat did not say it (when neither did as it was heard: on the shorter one), each character once.
    """
    sounds = [syllables(u.text) for u in utterances]
    total = sum(len(s) for s in sounds)
    repeated: set[tuple[int, int]] = set()
    for i, a in enumerate(utterances):
        for j in range(i + 1, len(utterances)):
            b = utterances[j]
            if a.channel == b.channel or min(a.end_s, b.end_s) <= max(a.start_s, b.start_s):
                continue
            said_a, said_b = (syllables("".join(s.text for s in _said_during(u, said))) for u in (a, b))
            for at_a, at_b, size in _runs(sounds[i], sounds[j]):
                run = sounds[i][at_a : at_a + size]
                really_a, really_b = within(run, said_a) >= _COMMON, within(run, said_b) >= _COMMON
                if really_a and really_b:
                    continue
                in_b = really_a or (not really_b and len(sounds[j]) <= len(sounds[i]))
                at, which = (at_b, j) if in_b else (at_a, i)
                repeated |= {(which, k) for k in range(at, at + size)}
    return len(repeated) / total if total else 0.0


def _runs(a: list[str], b: list[str]) -> list[tuple[int, int, int]]:
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return [(m.a, m.b, m.size) for m in blocks if m.size >= LEAST_RUN]


def syllables(text: str) -> list[str]:
    """The sound of each character of `text` as it is compared; letters and digits stand for themselves."""
    out: list[str] = []
    for part in _OTHERS.split(alike(text)):
        out += list(part) if _OTHERS.fullmatch(part) else lazy_pinyin(part)
    return out


def within(part: Sequence[str], whole: Sequence[str]) -> float:
    """How much of `part` stands somewhere in `whole` in one piece: 1 − edits / length, 0…1; 0 for an empty part."""
    if not part:
        return 0.0
    edits = [0] * (len(whole) + 1)  # it may begin anywhere
    for i, a in enumerate(part, 1):
        diagonal, edits[0] = edits[0], i
        for j, b in enumerate(whole, 1):
            diagonal, edits[j] = edits[j], min(diagonal + (a != b), edits[j] + 1, edits[j - 1] + 1)
    return max(0.0, 1 - min(edits) / len(part))
