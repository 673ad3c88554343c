"""What is on the screen goes on from what was there: it is put right at its end, and hardly anywhere else.

A pass over a little more sound hears most of the words again, and some of them otherwise: a homophone in the middle
flips from pass to pass and back. Whoever reads loses the line each time. Promises: what is shown grows with each pass;
a shown character is only replaced when it is one of the last `_NEAR_END`, and where others follow it, only when two
passes in a row wish the same other. The rest waits for the final pass, which writes the line anew.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import takewhile

_NEAR_END = 10


def common(a: str, b: str) -> int:
    """How many leading characters two texts share."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def follows(before: str, text: str) -> int:
    """Find where `text` goes on behind `before`: the end of the prefix that is nearest to it."""
    distance = list(range(len(text) + 1))
    for i, a in enumerate(before, 1):
        diagonal, distance[0] = distance[0], i
        for j, b in enumerate(text, 1):
            diagonal, distance[j] = distance[j], min(diagonal + (a != b), distance[j] + 1, distance[j - 1] + 1)
    # Of equally near ones the longest: a word shown twice is worse than one that waits for the final pass.
    return min(range(len(text) + 1), key=lambda j: (distance[j], -j))


def steady(shown: str, before: str, heard: str, promised: int) -> str:
    """Return what `heard` makes of what is `shown`, up to the end of what was heard.

    `before`: the pass before it. The first `promised` characters stay whatever is heard.
    """
    wished = set(_edits(shown, before))
    least = max(promised, len(shown) - _NEAR_END)
    text, kept_until = "", 0
    for first, last, other in _edits(shown, heard):
        guessed = last == len(shown)  # from half a word
        stays = first < least or not (guessed or (first, last, other) in wished)
        text += shown[kept_until:first] + (shown[first:last] if stays else other)
        kept_until = last
    return text + shown[kept_until:] + heard[follows(shown, heard) :]


def _edits(a: str, b: str) -> list[tuple[int, int, str]]:
    """(first, last, other): what of `a` is to be replaced to make the beginning of `b` of it that is nearest to `a`."""
    blocks = SequenceMatcher(None, a, b[: follows(a, b)], autojunk=False).get_opcodes()
    return [(a1, a2, b[b1:b2]) for tag, a1, a2, b1, b2 in blocks if tag != "equal"]
