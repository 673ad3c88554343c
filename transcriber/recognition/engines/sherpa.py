"""sherpa-onnx: streaming and offline models of many makers, from a local folder.

Promises: the same words for the same samples; tokens carry the model's own times where it has any. A streaming model
is given the whole stretch and a little silence, so that its last word comes out; it sees each stretch once.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from transcriber.audio.pcm import RATE_HZ, Samples
from transcriber.recognition.engines.sherpa_models import Choice, Model, load
from transcriber.recognition.recognizer import UNKNOWN_PROBABILITY, Transcription, Word
from transcriber.recognition.text.normalize import normalized, probability_of

_TAIL = np.zeros(int(0.6 * RATE_HZ), np.float32)
_TOKEN_S = 0.24
"""A token's longest sound, where the model says only when it begins."""
_MOST_HOTWORDS = 100
_TAG = re.compile(r"<\|[^|]*\|>")


class Sherpa:
    """One loaded model. Not for several threads."""

    def __init__(self, folder: Path, *, language: str = "zh", threads: int = 2, device: str = "cpu") -> None:
        self.model: Model = load(folder, Choice(language, threads, device))

    def transcribe(self, samples: Samples, bias: str = "", *, interim: bool = False, prefix: str = "") -> Transcription:
        """Words of at most 30 s. `bias`: names, separated by marks or blanks; for models that take any."""
        seconds = len(samples) / RATE_HZ
        result = self._stream(samples, bias) if self.model.streaming else self._whole(samples, bias)
        text = _TAG.sub("", str(result.text)).strip()
        pieces = _pieces(result, seconds)
        sure = sum(p.probability for p in pieces) / len(pieces) if pieces else UNKNOWN_PROBABILITY
        return normalized(text, pieces, seconds, interim=interim, confidence=round(sure, 3))

    def _whole(self, samples: Samples, bias: str) -> Any:
        recognizer = self.model.recognizer
        stream = recognizer.create_stream(self._hotwords(bias))
        stream.accept_waveform(RATE_HZ, samples)
        recognizer.decode_stream(stream)
        return stream.result

    def _stream(self, samples: Samples, bias: str) -> Any:
        recognizer = self.model.recognizer
        stream = recognizer.create_stream(self._hotwords(bias))
        stream.accept_waveform(RATE_HZ, samples)
        stream.accept_waveform(RATE_HZ, _TAIL)
        stream.input_finished()
        while recognizer.is_ready(stream):
            recognizer.decode_stream(stream)
        return recognizer.get_result_all(stream)

    def _hotwords(self, bias: str) -> str | None:
        names = [name for name in re.split(r"[\s，。、,;；]+", bias) if name] if self.model.hotwords else []
        return "/".join(names[:_MOST_HOTWORDS]) or None


def _pieces(result: Any, seconds: float) -> list[Word]:
    """The model's tokens with their times; none where it has none."""
    tokens, starts = list(result.tokens), list(result.timestamps)
    if len(starts) != len(tokens):
        return []
    lasts = list(getattr(result, "durations", ()) or ())
    logs = list(getattr(result, "ys_log_probs", None) or getattr(result, "ys_probs", None) or ())
    pieces = []
    for i, token in enumerate(tokens):
        begins = starts[i]
        following = starts[i + 1] if i + 1 < len(starts) else seconds
        ends = begins + lasts[i] if len(lasts) == len(tokens) else min(following, begins + _TOKEN_S)
        sure = probability_of(logs[i]) if len(logs) == len(tokens) else UNKNOWN_PROBABILITY
        pieces.append(Word(_TAG.sub("", token), begins, ends, sure))
    return pieces
