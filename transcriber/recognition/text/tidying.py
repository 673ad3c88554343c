"""How the words of any engine are written: simplified script, Chinese marks, a mark at the end.

Promises: never adds, leaves out or changes a word.
"""

from __future__ import annotations

import re

from transcriber.recognition.text.script import to_simplified

_HALF_TO_FULL = str.maketrans({",": "，", "?": "？", "!": "！", ";": "；", ":": "："})
_ENDS = "。？！；…"


def tidy(text: str) -> str:
    """Write simplified characters and Chinese punctuation, without blanks between them; English stays as it is."""
    text = to_simplified(text).strip()
    if latin(text):
        return text.lstrip(",.?!;: ")
    # A point or colon inside a number or a Latin word stays what it is.
    text = re.sub(r"(?<![A-Za-z0-9])[,?!;:]|[,?!;:](?![A-Za-z0-9])", lambda m: m.group().translate(_HALF_TO_FULL), text)
    text = re.sub(r"(?<=[^\x00-\x7f])\.", "。", text)
    text = re.sub(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])", "", text)
    return text.lstrip("，。？！；：、 ")


def latin(text: str) -> bool:
    """Whether `text` is written in Latin letters alone: English, which keeps its own blanks and marks."""
    letters = [c for c in text if c.isalpha()]
    return bool(letters) and all(c < "\u0250" for c in letters)


def finish(text: str) -> str:
    """Close the sentence: what the record has ends with a mark."""
    text = text.rstrip("，、：,: ")
    if not text or text[-1] in _ENDS + ".?!":
        return text
    return text + ("." if latin(text) else "。")


def characters(text: str) -> int:
    """Count the letters, digits and ideographs of `text`."""
    return sum(c.isalnum() for c in text)
