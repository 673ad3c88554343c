"""The line of a turn whose words nobody can tell: somebody spoke, and the sound is kept.

Promises: such a line stands in marks of its own (〔…〕), says why it has no words and that the recording counts. It has
the turn's times, so the clerk plays its sound like any other line's, and writes what was said or strikes it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from transcriber.recognition.recognizer import Rejection, Transcription

UNHEARD: Final = "〔此处语音未能转写，以录音为准〕"
"""No engine survived it, or every server refused it."""
NO_WORDS: Final = "〔此处有人声，未识别出文字，以录音为准〕"
NOT_TRUSTED: Final = "〔此处有人声，识别结果不可信，未予采用，以录音为准〕"
LINES: Final = frozenset({UNHEARD, NO_WORDS, NOT_TRUSTED})

_OF: Final = {Rejection.NOT_HEARD: UNHEARD, Rejection.NO_WORDS: NO_WORDS, Rejection.SILENCE: NO_WORDS}


def has_words(transcription: Transcription) -> bool:
    """Whether there is anything to read in it: a letter, a digit or a character."""
    return any(c.isalnum() for c in transcription.text)


def line_of(transcription: Transcription) -> Transcription:
    """Return the line for a turn without words; it keeps the reason."""
    why = transcription.rejection
    text = NO_WORDS if why is None else _OF.get(why, NOT_TRUSTED)
    return replace(transcription, text=text, words=(), confidence=0.0)
