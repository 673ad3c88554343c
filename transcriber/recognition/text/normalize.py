"""What any engine heard, made fit for the record: guarded, tidied, and every character with its time.

Promises: the words joined are the text, whatever pieces the engine speaks in; without times of the engine's own they
are laid evenly over what was said; nothing that an engine invents over silence comes through; every probability is a
number from 0 to 1, whatever the engine said. Words in doubt stay, and are marked by their probability (`doubted`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from sync.text.characters import clean_line
from transcriber.recognition.recognizer import DOUBTED_PROBABILITY, Rejection, Transcription, Word
from transcriber.recognition.text.alignment import align_words
from transcriber.recognition.text.inventions import doubtful, invented
from transcriber.recognition.text.repetition import loops, once
from transcriber.recognition.text.tidying import finish, latin, tidy

_UNIT = re.compile(r"[A-Za-z0-9\u00c0-\u024f'’]+|.", re.DOTALL)


def normalized(text: str, pieces: Sequence[Word], seconds: float, *, interim: bool, confidence: float) -> Transcription:
    """Make `text` fit for the record; `pieces` are its parts with times, or none, of `seconds` of sound."""
    text, confidence = clean_line(text), fraction(confidence)
    if rejection := invented(text, seconds):
        return Transcription(rejection=rejection)
    text = tidy(_sentence_case(text))
    if interim:
        if loops(text):
            return Transcription(rejection=Rejection.REPETITION)  # a caption comes again
        return Transcription(text=once(text), confidence=confidence)
    text = finish(text)
    spoken = [piece for piece in pieces if _letters(piece.text)]
    if sum(_letters(piece.text) for piece in spoken) != _letters(text):
        spoken = _evenly(text, spoken, seconds, confidence)
    words = align_words(text, _ordered(spoken, seconds))
    if words:
        confidence = sum(word.probability for word in words) / len(words)
    return doubted(Transcription(text=text, words=words, confidence=round(confidence, 3)))


def doubted(transcription: Transcription) -> Transcription:
    """Return the same words, those that may not have been said with a probability of `DOUBTED_PROBABILITY` at most."""
    spans = doubtful(transcription.text)
    if not spans:
        return transcription
    at, words = 0, []
    for word in transcription.words:
        end = at + len(word.text)
        # A word has the marks behind it too: its letters say where it is.
        spoken = [at + i for i, c in enumerate(word.text) if c.isalnum()]
        if any(a <= i < b for a, b in spans for i in spoken):
            word = replace(word, probability=min(word.probability, DOUBTED_PROBABILITY))
        words.append(word)
        at = end
    confidence = transcription.confidence
    if words:
        confidence = round(sum(word.probability for word in words) / len(words), 3)
    elif spans == [(0, len(transcription.text))]:
        confidence = min(confidence, DOUBTED_PROBABILITY)
    return replace(transcription, words=tuple(words), confidence=confidence)


def probability_of(log_probability: float) -> float:
    """Return the probability, 0…1, of a natural logarithm; what is not a number is worth nothing."""
    return math.exp(min(log_probability, 0.0)) if math.isfinite(log_probability) else 0.0


def fraction(probability: float) -> float:
    """The same within 0…1; what is not a number is worth nothing, and can be written by nobody."""
    return min(max(probability, 0.0), 1.0) if math.isfinite(probability) else 0.0


def _letters(text: str) -> int:
    return sum(c.isalnum() for c in text)


def _sentence_case(text: str) -> str:
    """Lower the letters of a model that shouts: SO HE SAID becomes So he said."""
    if not latin(text) or not text.isupper():
        return text
    words = ["I" if word == "I" else word.lower() for word in text.split()]
    if words:
        words[0] = words[0][:1].upper() + words[0][1:]
    return " ".join(words)


def evenly_timed(text: str, start_s: float, end_s: float, probability: float) -> list[Word]:
    """Lay the characters and English words of `text` evenly from `start_s` to `end_s`."""
    return _evenly(text, [Word(text, start_s, end_s, probability)], end_s, probability)


def _evenly(text: str, pieces: Sequence[Word], seconds: float, probability: float) -> list[Word]:
    """Make one piece of each character or English word; the engine's pieces say when, though not which."""
    units = [unit for unit in _UNIT.findall(text) if _letters(unit)]
    total = sum(_letters(unit) for unit in units)
    edges = [(piece.start_s, piece.end_s) for piece in pieces] or [(0.0, seconds)]
    if pieces:
        probability = sum(fraction(piece.probability) for piece in pieces) / len(pieces)

    def moment(share: float) -> float:
        place = share * len(edges)
        index = min(int(place), len(edges) - 1)
        start_s, end_s = edges[index]
        return start_s + (place - index) * (end_s - start_s)

    pieces_of_text, before = [], 0
    for unit in units:
        after = before + _letters(unit)
        pieces_of_text.append(Word(unit, moment(before / total), moment(after / total), probability))
        before = after
    return pieces_of_text


def _ordered(pieces: Sequence[Word], seconds: float) -> list[Word]:
    """Keep times inside the sound, so that they never go backwards."""
    ordered: list[Word] = []
    at_s = 0.0
    for piece in pieces:
        start_s = min(max(piece.start_s, at_s), seconds)
        end_s = min(max(piece.end_s, start_s), seconds)
        ordered.append(Word(piece.text, round(start_s, 3), round(end_s, 3), round(fraction(piece.probability), 3)))
        at_s = start_s
    return ordered
