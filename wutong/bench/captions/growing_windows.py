"""What the captions are compared with: plain re-decoding of a growing window over the mix of all seats.

The method is LocalAgreement-2 as whisper_streaming made it known, written anew: sound gathers in a buffer; whenever at
least a second of it is new, the whole buffer is decoded again with the words committed so far as prompt; the words on
which two successive decodings agree are committed; a buffer of more than 15 s is cut at the end of a segment whose
words are all committed. No gate, no seats, no vocabulary. The product's model, the same machine.

Promises: the clock is virtual and charges what each decoding really took, so the figures are those of a live run, but
nothing else runs beside it. A word counts as shown when the decoding that first has it ends, committed or not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from rapidfuzz.distance import Levenshtein

from hardware.simulation.hearing_folder import HearingFolder, Said
from transcriber.audio.pcm import RATE_HZ, Samples
from wutong.bench.captions.character_errors import Spoken, alike, cer, percentile

_LEAST_NEW_S = 1.0
_LONGEST_S = 15.0
_PROMPT_CHARACTERS = 200
_SAME_PLACE_S = 1.0
_MOST_REPEATED = 5


@dataclass(frozen=True, slots=True)
class _Committed:
    word: Spoken
    at_s: float
    """On the virtual clock."""


class _Agreement:
    """The words of the last decoding, and which of them are committed."""

    def __init__(self) -> None:
        self.committed: list[_Committed] = []
        self.open: list[Spoken] = []
        self._until_s = 0.0

    def take(self, words: Sequence[Spoken], now_s: float) -> None:
        """Another decoding; what it has in common with the last one is committed."""
        new = self._without_repeats([w for w in words if w.start_s > self._until_s - 0.1])
        agreed = 0
        while agreed < min(len(new), len(self.open)) and new[agreed].text == self.open[agreed].text:
            agreed += 1
        self._commit(new[:agreed], now_s)
        self.open = new[agreed:]

    def finish(self, now_s: float) -> None:
        """Nothing more comes."""
        self._commit(self.open, now_s)
        self.open = []

    def _commit(self, words: Sequence[Spoken], now_s: float) -> None:
        self.committed += [_Committed(word, now_s) for word in words]
        if words:
            self._until_s = words[-1].end_s

    def _without_repeats(self, new: list[Spoken]) -> list[Spoken]:
        """Words at the seam that were committed already: times of words are not exact."""
        if new and self.committed and abs(new[0].start_s - self._until_s) < _SAME_PLACE_S:
            for n in range(min(_MOST_REPEATED, len(new), len(self.committed)), 0, -1):
                if [c.word.text for c in self.committed[-n:]] == [w.text for w in new[:n]]:
                    return new[n:]
        return new


@dataclass(slots=True)
class WindowsResult:
    """What came of it."""

    text: str
    firsts_ms: list[float]
    latencies_ms: list[float]
    cpu_cores: float
    decodings: int

    def figures(self, said: Sequence[Said]) -> dict[str, Any]:
        """As they stand beside the product's own."""
        return {
            "baseline_cer": round(cer("".join(s.text for s in said), self.text), 4),
            "baseline_first_text_ms_p50": percentile(self.firsts_ms, 50),
            "baseline_first_text_ms_p95": percentile(self.firsts_ms, 95),
            "baseline_utterance_ms_p50": percentile(self.latencies_ms, 50),
            "baseline_utterance_ms_p95": percentile(self.latencies_ms, 95),
            "baseline_utterances_missed": len(said) - len(self.latencies_ms),
            "baseline_cpu_cores_mean": round(self.cpu_cores, 2),
        }


def mix(source: HearingFolder, plays_s: float) -> Samples:
    """All seats in one channel, as loud as they are."""
    sound = source.samples(RATE_HZ)[: int(plays_s * RATE_HZ)].astype(np.float32) / 32768.0
    mixed: Samples = np.clip(sound.sum(axis=1), -1.0, 1.0)
    return mixed


def run(
    model: Path, sound: Samples, said: Sequence[Said], *, language: str, threads: int, tell: Callable[[float], None]
) -> WindowsResult:
    """Decode `sound` as if it came live; `tell(second)` hears how far the virtual clock is. Takes about its length."""
    whisper = WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)
    agreement = _Agreement()
    shown: list[tuple[float, list[Spoken]]] = []
    duration_s = len(sound) / RATE_HZ
    offset_s = heard_s = now_s = 0.0
    busy_before, decodings = time.process_time(), 0
    while heard_s < duration_s:
        now_s = max(now_s, min(heard_s + _LEAST_NEW_S, duration_s))
        heard_s = min(now_s, duration_s)
        began = time.monotonic()
        prompt = "".join(c.word.text for c in agreement.committed if c.word.end_s <= offset_s)[-_PROMPT_CHARACTERS:]
        segments, _ = whisper.transcribe(
            sound[int(offset_s * RATE_HZ) : int(heard_s * RATE_HZ)],
            language=language,
            initial_prompt=prompt or None,
            beam_size=5,
            word_timestamps=True,
            condition_on_previous_text=True,
        )
        pieces = [
            [Spoken(w.word, w.start + offset_s, w.end + offset_s) for w in segment.words or []] for segment in segments
        ]
        now_s += time.monotonic() - began
        decodings += 1
        agreement.take([word for piece in pieces for word in piece], now_s)
        shown.append((now_s, [*(c.word for c in agreement.committed[-40:]), *agreement.open]))
        if heard_s - offset_s > _LONGEST_S:
            offset_s = _cut(pieces, agreement, offset_s)
        tell(heard_s)
    agreement.finish(now_s)
    busy_s = time.process_time() - busy_before
    return WindowsResult(
        text="".join(c.word.text for c in agreement.committed),
        firsts_ms=_firsts_ms(said, shown),
        latencies_ms=_latencies_ms(said, agreement.committed),
        cpu_cores=busy_s / max(now_s, duration_s),
        decodings=decodings,
    )


def _cut(pieces: Sequence[Sequence[Spoken]], agreement: _Agreement, offset_s: float) -> float:
    """The end of the last segment, but the very last, that is committed; else where the buffer begins already."""
    if not agreement.committed:
        return offset_s
    until_s = agreement.committed[-1].word.end_s
    ends = [piece[-1].end_s for piece in pieces[:-1] if piece and piece[-1].end_s <= until_s]
    return max([offset_s, *ends])


def _firsts_ms(said: Sequence[Said], shown: Sequence[tuple[float, list[Spoken]]]) -> list[float]:
    """For each that was said: from its start to the first shown word whose middle lies in its time."""
    out = []
    for one in said:
        for at_s, words in shown:
            if at_s > one.start and any(one.start <= (w.start_s + w.end_s) / 2 <= one.end for w in words):
                out.append((at_s - one.start) * 1000)
                break
    return out


def _latencies_ms(said: Sequence[Said], committed: Sequence[_Committed]) -> list[float]:
    """For each that was said: from its end to the moment when the last of its characters was committed.

    Which those are is told by aligning all of the text with all of the reference.
    """
    whole = "".join(alike(s.text) for s in said)
    letters = [(c, one.at_s) for one in committed for c in alike(one.word.text)]
    places: dict[int, float] = {}
    for op in Levenshtein.opcodes(whole, "".join(c for c, _ in letters)):
        if op.tag in {"equal", "replace"}:
            for i, j in zip(range(op.src_start, op.src_end), range(op.dest_start, op.dest_end), strict=True):
                places[i] = letters[j][1]
    out, at = [], 0
    for one in said:
        until = at + len(alike(one.text))
        last = max((i for i in range(at, until) if i in places), default=None)
        at = until
        if last is not None:
            out.append((places[last] - one.end) * 1000)
    return out
