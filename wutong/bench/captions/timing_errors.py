"""When the words came, how they changed before they stayed, and how exact their times are.

Promises: every utterance of the reference counts; one that no text ever came for is told by `missed`, not left out of
sight. A caption that spans several utterances of a seat is about a later one only when it has a character of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise, takewhile

from rapidfuzz.distance import Levenshtein

from hardware.simulation.hearing_folder import Said
from wutong.bench.captions.character_errors import ShownWords, alike, overlap_s

_LEAST_OVERLAP_S = 0.2


def _about(one: Said, shown: ShownWords) -> bool:
    return shown.channel == one.channel and overlap_s(one, shown) > _LEAST_OVERLAP_S


def _reaches(one: Said, said: Sequence[Said], shown: ShownWords) -> bool:
    """Whether a text that spans several utterances of its seat has got to this one: one character is in its place."""
    earlier = [s for s in said if s.channel == one.channel and s.start < one.start and _about(s, shown)]
    if not earlier:
        return True
    before = "".join(alike(s.text) for s in sorted(earlier, key=lambda s: s.start))
    whole = before + alike(one.text)
    matches = Levenshtein.opcodes(whole, alike(shown.text))
    return any(op.tag == "equal" and op.src_end > len(before) for op in matches)


def first_caption_ms(
    said: Sequence[Said], captions: Sequence[ShownWords], utterances: Sequence[ShownWords]
) -> list[float]:
    """For each that was said: from its start to the first text about it, caption or utterance."""
    arrived: list[ShownWords] = sorted((s for s in (*captions, *utterances) if s.text), key=lambda s: s.arrived_s)
    found = [(one, first_shown(one, said, arrived)) for one in said]
    return [(first.arrived_s - one.start) * 1000 for one, first in found if first is not None]


def first_shown(one: Said, said: Sequence[Said], arrived: Sequence[ShownWords]) -> ShownWords | None:
    """Find the first text about an utterance among texts in the order in which they came."""
    return next((s for s in arrived if _about(one, s) and _reaches(one, said, s)), None)


def utterance_ms(said: Sequence[Said], utterances: Sequence[ShownWords]) -> list[tuple[float, float]]:
    """For each that was said: (when it ended, from its end to the utterance that holds its end).

    Where none reaches its end (the last half second was not heard), the last utterance about it counts.
    """
    found = [(one, holding(one, utterances)) for one in said]
    return [(one.end, (last.arrived_s - one.end) * 1000) for one, last in found if last is not None]


def holding(one: Said, utterances: Sequence[ShownWords]) -> ShownWords | None:
    """Find the utterance that holds the end of one that was said, else the last one about it."""
    about = [u for u in utterances if _about(one, u)]
    ends = [u for u in about if u.end_s >= one.end - 0.5]
    return min(ends, key=lambda u: u.arrived_s) if ends else max(about, key=lambda u: u.arrived_s, default=None)


def missed(said: Sequence[Said], utterances: Sequence[ShownWords]) -> int:
    """How many utterances of the reference have no utterance on their seat at their time."""
    return sum(not any(_about(one, u) for u in utterances) for one in said)


def _streams(captions: Iterable[ShownWords]) -> dict[str, list[ShownWords]]:
    """The captions of each utterance, in the order in which they came."""
    streams: dict[str, list[ShownWords]] = {}
    for caption in sorted(captions, key=lambda c: c.arrived_s):
        streams.setdefault(caption.id, []).append(caption)
    return streams


def committed_changed(captions: Sequence[ShownWords]) -> int:
    """How many captions changed, or withdrew, characters that an earlier one of the same id had promised."""
    changed = 0
    for stream in _streams(captions).values():
        promised = ""
        for caption in stream:
            if caption.text.startswith(promised):
                promised = caption.text[: max(caption.stable, len(promised))]
            else:
                changed += 1
                promised = caption.text[: caption.stable]
    return changed


def committed_replaced(captions: Sequence[ShownWords], utterances: Sequence[ShownWords]) -> float:
    """Of the characters that captions had promised, the share that the final pass wrote otherwise (made alike)."""
    finals = {u.id: u.text for u in utterances}
    promised_all = replaced = 0
    for name, stream in _streams(captions).items():
        promised = alike(stream[-1].text[: stream[-1].stable])
        final = alike(finals.get(name, ""))
        promised_all += len(promised)
        replaced += sum(op.tag in {"delete", "replace"} for op in Levenshtein.editops(promised, final))
    return replaced / promised_all if promised_all else 0.0


def erasure(captions: Sequence[ShownWords], utterances: Sequence[ShownWords], *, with_final: bool = False) -> float:
    """Characters erased from what was shown / characters of the final texts (normalized erasure).

    A character is erased when the next caption of the same id differs at or before it. `with_final`: the step from the
    last caption to the utterance counts too. Captions whose utterance never came count as erased altogether.
    """
    finals = {u.id: u.text for u in utterances}
    erased = 0
    for name, stream in _streams(captions).items():
        texts = [c.text for c in stream]
        if with_final or name not in finals:
            texts.append(finals.get(name, ""))
        erased += sum(len(a) - _common(a, b) for a, b in pairwise(texts))
    written = sum(len(u.text) for u in utterances)
    return erased / written if written else 0.0


def _common(a: str, b: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def word_edges_ms(said: Sequence[Said], utterances: Sequence[ShownWords]) -> tuple[list[float], list[float]]:
    """(first word's start − the utterance's start, last word's end − its end), ms, of each that has words.

    Which words are its first and last is told by aligning the characters of its seat's utterances at that time with
    the reference, not by their times.
    """
    starts, ends = [], []
    for channel in sorted({s.channel for s in said}):
        of_seat = sorted((s for s in said if s.channel == channel), key=lambda s: s.start)
        for shown in (u for u in utterances if u.channel == channel and u.words):
            letters = [(c, word) for word in shown.words for c in re.sub(r"[^\w]", "", word.text)]
            about = [s for s in of_seat if _about(s, shown)]
            reference = [(re.sub(r"[^\w]", "", s.text), s) for s in about]
            whole = "".join(text for text, _ in reference)
            pairs = _aligned(whole, "".join(c for c, _ in letters))
            at = 0
            for text, one in reference:
                mine = [letters[j][1] for i, j in pairs if at <= i < at + len(text)]
                at += len(text)
                if mine and shown.start_s <= one.start + 0.5:  # else an earlier utterance holds its beginning
                    starts.append((mine[0].start_s - one.start) * 1000)
                if mine and shown.end_s >= one.end - 0.5:
                    ends.append((mine[-1].end_s - one.end) * 1000)
    return starts, ends


def _aligned(reference: str, heard: str) -> list[tuple[int, int]]:
    """(place in the reference, place in what was heard) of all characters that stand for one another."""
    pairs = []
    for op in Levenshtein.opcodes(reference, heard):
        if op.tag in {"equal", "replace"}:
            pairs += list(zip(range(op.src_start, op.src_end), range(op.dest_start, op.dest_end), strict=True))
    return pairs
