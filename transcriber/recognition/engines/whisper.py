"""The default engine: Whisper through faster-whisper and CTranslate2, int8 on the processor.

Whisper's encoder is built for 30 s; most of what is said in a court is 2-10 s. This engine gives it only as much as was
said and a little silence after it (`tail_s`): half the work or less, and next to nothing lost. Captions take
the greedy path; the record takes a beam and gets the time of every word. See docs/adr/0008.
"""

from __future__ import annotations

from collections import deque
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from numpy.typing import NDArray

from sync.errors import ConfigError
from transcriber.audio.pcm import RATE_HZ, Samples
from transcriber.recognition.recognizer import Rejection, Transcription, Word
from transcriber.recognition.text.alignment import align_words
from transcriber.recognition.text.inventions import invented
from transcriber.recognition.text.language import LANGUAGES, LanguageTracker
from transcriber.recognition.text.normalize import doubted, fraction
from transcriber.recognition.text.repetition import digits, echoes, loops, once, said_again
from transcriber.recognition.text.tidying import finish, tidy

_HOP = 160
_PART = "\ufffd"
"""What a character of which a token is missing decodes to."""
_REMEMBERED = 24
_FULL_FRAMES = 3000
_MAX_S = 29.5
_TOKENS_PER_S = 12
_QUIET_LOGPROB = -1.0
_NO_SPEECH = 0.6


@dataclass(frozen=True, slots=True)
class _Pass:
    """How one pass over the samples is made."""

    least_s: float
    tail_s: float
    beam: int
    no_repeat: int = 0


_INTERIM = _Pass(least_s=5.0, tail_s=1.5, beam=1)
_FINAL = _Pass(least_s=7.0, tail_s=1.5, beam=5)
_AGAIN = _Pass(least_s=30.0, tail_s=30.0, beam=5, no_repeat=5)
"""For what came out as nonsense: the whole window, and no five tokens twice."""


@dataclass(frozen=True, slots=True)
class _Said:
    text: str
    tokens: list[int]
    logprob: float
    no_speech: float
    encoded: Any
    frames: int


class Whisper:
    """One loaded model. Not for several threads: each has its own, on the same model (`side_by_side`)."""

    def __init__(
        self, folder: Path, *, language: str = "zh", threads: int = 1, device: str = "cpu", lanes: int = 1
    ) -> None:
        """`language`: `zh`, `en`, or `auto` for whichever of the two is spoken; `device`: `cpu` or `cuda`.

        `threads` of each of `lanes` passes that are made at the same time.
        """
        kind = "int8" if device == "cpu" else "int8_float16"
        try:
            self._model = WhisperModel(
                str(folder),
                device=device,
                compute_type=kind,
                cpu_threads=threads,
                num_workers=lanes,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ConfigError(f"the speech model in {folder} cannot be loaded: {error}") from error
        multilingual = self._model.model.is_multilingual
        self._languages = LanguageTracker() if language == "auto" and multilingual else None
        try:
            self._tokenizers = {
                code: Tokenizer(self._model.hf_tokenizer, multilingual, task="transcribe", language=code)
                for code in (LANGUAGES if language == "auto" else (language,))
            }
        except ValueError as error:
            raise ConfigError(f"the speech model does not know the language {language!r}") from error
        self._tokenizer = next(iter(self._tokenizers.values()))
        self._written: deque[tuple[str, list[int]]] = deque(maxlen=_REMEMBERED)
        """What was written lately, and in which tokens."""
        self._suppressed = list(get_suppressed_tokens(self._tokenizer, [-1]))

    @classmethod
    def side_by_side(
        cls, folder: Path, lanes: int, *, language: str = "zh", threads: int = 1, device: str = "cpu"
    ) -> list[Whisper]:
        """`lanes` of them on one loaded model, each for one thread; what one has written, the others can go on from."""
        first = cls(folder, language=language, threads=threads, device=device, lanes=lanes)
        return [first, *(copy(first) for _ in range(lanes - 1))]

    def transcribe(self, samples: Samples, bias: str = "", *, interim: bool = False, prefix: str = "") -> Transcription:
        """Words of at most 29.5 s; what is longer is cut off (the endpointer never sends it)."""
        samples = samples[: int(_MAX_S * RATE_HZ)]
        seconds = len(samples) / RATE_HZ
        said = self._pass(samples, bias, _INTERIM if interim else _FINAL, prefix)
        rejection = self._rejected(said, seconds)
        if prefix and not interim and (rejection or said_again(said.text) or loops(said.text)):
            said = self._pass(samples, bias, _FINAL)  # it lost its way going on: the record is worth a whole pass
            rejection = self._rejected(said, seconds)
        if not interim and (rejection or loops(said.text) or echoes(said.text)):
            said, rejection = self._heard_again(samples, said, rejection)
        if interim and rejection is None and loops(said.text):
            rejection = Rejection.REPETITION  # a caption comes again; in the record these words stay, in doubt
        if rejection:
            return Transcription(rejection=rejection)
        text = tidy(said.text.replace(_PART, ""))
        self._written.append((text, said.tokens))
        if interim:
            return Transcription(text=once(text), confidence=fraction(float(np.exp(said.logprob))))
        text = finish(text)
        words = self._words(said, text, seconds)
        confidence = float(np.mean([w.probability for w in words])) if words else float(np.exp(said.logprob))
        return doubted(Transcription(text=text, words=words, confidence=round(fraction(confidence), 3)))

    def _heard_again(self, samples: Samples, said: _Said, why: Rejection | None) -> tuple[_Said, Rejection | None]:
        """Return what a careful pass makes of it, or what there was where that is no better."""
        again = self._pass(samples, "", _AGAIN)
        rejection = self._rejected(again, len(samples) / RATE_HZ)
        if why is None and (rejection or digits(again.text) != digits(said.text)):
            return said, why  # a pass that writes no five tokens twice cannot write every number
        return again, rejection

    def _pass(self, samples: Samples, bias: str, how: _Pass, prefix: str = "") -> _Said:
        frames = min(_FULL_FRAMES, max(int(how.least_s * 100), int(len(samples) / _HOP + how.tail_s * 100)))
        frames += frames % 2
        encoded = self._model.encode(self._features(samples, frames))
        if self._languages is not None:
            # The whole pass, the alignment too, is made in this language; one step of the decoder.
            [chances] = self._model.model.detect_language(encoded)
            named = {code.strip("<|>"): chance for code, chance in chances}
            chosen = self._languages.choose(named, len(samples) / RATE_HZ, remember=how is not _INTERIM)
            self._tokenizer = self._tokenizers[chosen]
        before = self._tokenizer.encode(" " + bias) if bias else []
        prompt = self._model.get_prompt(self._tokenizer, before, without_timestamps=True)
        # The model does not write these again, it goes on from them: that is most of its work saved.
        prompt += self._tokens_of(prefix)
        room = int(_TOKENS_PER_S * len(samples) / RATE_HZ) + 20
        result = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=how.beam,
            no_repeat_ngram_size=how.no_repeat,
            max_length=min(self._model.max_length, len(prompt) + room),
            suppress_tokens=self._suppressed,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = [t for t in result.sequences_ids[0] if t < self._tokenizer.eot]
        return _Said(
            text=self._tokenizer.decode(tokens),
            tokens=tokens,
            logprob=result.scores[0] * max(len(tokens), 1) / (len(tokens) + 1),
            no_speech=result.no_speech_prob,
            encoded=encoded,
            frames=frames,
        )

    def _tokens_of(self, prefix: str) -> list[int]:
        """The tokens of committed words: as the model wrote them, for it goes on worse from words put otherwise."""
        letters = sum(c.isalnum() for c in prefix)
        if not letters:
            return []
        known = next((tokens for text, tokens in reversed(list(self._written)) if text.startswith(prefix)), None)
        if known is None:
            return list(self._tokenizer.encode(prefix))
        whole = 0
        for count in range(1, len(known) + 1):
            text = self._tokenizer.decode(known[:count])
            if text.endswith(_PART):
                continue
            if sum(c.isalnum() for c in text) > letters:
                break
            whole = count
        return known[:whole]

    def _features(self, samples: Samples, frames: int) -> NDArray[np.float32]:
        padded = np.zeros(frames * _HOP, np.float32)
        padded[: len(samples)] = samples[: len(padded)]
        features: NDArray[np.float32] = self._model.feature_extractor(padded)[:, :frames]
        return features

    @staticmethod
    def _rejected(said: _Said, seconds: float) -> Rejection | None:
        if said.no_speech > _NO_SPEECH and said.logprob < _QUIET_LOGPROB:
            return Rejection.SILENCE
        return invented(said.text, seconds)

    def _words(self, said: _Said, text: str, seconds: float) -> tuple[Word, ...]:
        """When each character was said: the alignment of the model's own attention."""
        [pieces] = self._model.find_alignment(self._tokenizer, [said.tokens], said.encoded, said.frames) or [[]]
        return align_words(
            text,
            [
                Word(
                    str(p["word"]),
                    min(float(p["start"]), seconds),
                    min(float(p["end"]), seconds),
                    round(float(p["probability"]), 3),
                )
                for p in pieces
            ],
        )
