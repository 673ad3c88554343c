"""Passwords that guessers try first: the short list that no person of a court may choose, compared without case.

Beside the words of `common_passwords.txt` as they are, each counts with digits or signs around it, with another word of
the list behind it, and repeated; so does a line along the keyboard or the alphabet.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

COMMON_WORDS = frozenset(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").split())
_KEYBOARD_LINES = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "abcdefghijklmnopqrstuvwxyz")
_LEAST_LINE = 4
_TRAILING = "0123456789!@#$%^&*()_+-=.,?~ "


def is_common(password: str) -> bool:
    """Whether guessers come by it at once."""
    said = password.casefold()
    if len(set(said)) <= 3 or _unit(said) in COMMON_WORDS or _is_line(_unit(said)):
        return True
    word = said.strip(_TRAILING)
    return word == "" or _made_of_common(word)


def _unit(text: str) -> str:
    """The shortest text that gives this one when it is repeated."""
    at = (text + text).find(text, 1)
    return text[:at]


def _made_of_common(word: str) -> bool:
    """Whether nothing is in it but words of the list, and lines of the keyboard."""
    reached = {0}
    for end in range(1, len(word) + 1):
        if any(_is_known(word[start:end]) for start in reached):
            reached.add(end)
    return len(word) in reached


def _is_known(piece: str) -> bool:
    return piece in COMMON_WORDS or _is_line(piece)


def _is_line(text: str) -> bool:
    """Whether it goes along a line of the keyboard or the alphabet, forwards or backwards."""
    for line in _KEYBOARD_LINES:
        if len(text) >= _LEAST_LINE and all(c in line for c in text):
            steps = {line.index(b) - line.index(a) for a, b in pairwise(text)}
            if steps in ({1}, {-1}):
                return True
    return False
