"""Which piece of the tidied text was said when: a model's timed pieces under the text as it stands in the record.

Promises: the words joined are the text. Knows no engine, so that each of them can use it.
"""

from __future__ import annotations

from itertools import pairwise

from transcriber.recognition.recognizer import Word
from transcriber.recognition.text.tidying import tidy


def align_words(text: str, pieces: list[Word]) -> tuple[Word, ...]:
    """Lay the tidied `text` over the model's pieces, so that the words joined are the text again.

    Script and punctuation may have changed, letters and their number not (else the pieces are tidied one by one).
    """
    spoken = [p for p in pieces if any(c.isalnum() for c in p.text)]
    counts = [sum(c.isalnum() for c in p.text) for p in spoken]
    if sum(counts) != sum(c.isalnum() for c in text):
        return tuple(Word(tidy(p.text), p.start_s, p.end_s, p.probability) for p in spoken)
    at, cuts = 0, [0]
    for count in counts:
        while count > 0:
            count -= text[at].isalnum()
            at += 1
        while at < len(text) and not text[at].isalnum():
            at += 1
        cuts.append(at)
    return tuple(
        Word(text[a:b], p.start_s, p.end_s, p.probability) for (a, b), p in zip(pairwise(cuts), spoken, strict=True)
    )
