"""`wutong bench words`: how much of what is said has no line, through the real recorder and the real transcriber.

`unwritten_speech_ms` is the figure (`wutong.bench.words.unwritten`), over a hearing and over spoken numbers, lists and
answers (`wutong.bench.words.spoken_cases`), each played in real time as `wutong bench captions` plays it. Beside it
stands what it was paid with: lines that say there was a voice and no words.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from hardware.simulation.hearing_folder import HearingFolder, Said
from sync.errors import ConfigError
from transcriber.audio.pcm import RATE_HZ
from wutong.bench.captions.measure import case_in, machine
from wutong.bench.captions.paced_room import HeardFeed, Setting, play
from wutong.bench.words.spoken_cases import make
from wutong.bench.words.unwritten import UnwrittenSpeech, unwritten

PARTS = ("hearing", "spoken")
_SHOWN = 8
"""Utterances without a line that are named, the worst first."""
_NO_WORDS = "〔"


@dataclass(frozen=True, slots=True)
class WordsPlan:
    """What is to be measured."""

    hearing: Path
    seconds: float | None = None
    """Only the beginning of the hearing; None: all of it."""
    parts: Sequence[str] = PARTS
    transcriber: Mapping[str, Any] = field(default_factory=dict)
    """The profile's table `transcriber`."""
    words: Path | None = None
    """Where all that was heard is written, as JSON."""


def parts_of(text: str) -> tuple[str, ...]:
    """The parts that a command line names; `ConfigError` for one that does not exist."""
    named = tuple(part for part in text.split(",") if part) or PARTS
    unknown = [part for part in named if part not in PARTS]
    if unknown:
        raise ConfigError(f"no part is called {unknown[0]!r}; there are {', '.join(PARTS)}")
    return named


async def measure(folder: Path, plan: WordsPlan, console: Console) -> dict[str, Any]:
    """Run the whole and return the figures; `folder` is one that may be filled. `ConfigError` for a bad hearing."""
    figures: dict[str, Any] = {}
    words: dict[str, Any] = {}
    without: list[UnwrittenSpeech] = []
    with Progress(console=console, transient=True) as progress:
        if "hearing" in plan.parts:
            source = HearingFolder(plan.hearing)
            plays_s = min(plan.seconds or source.duration_s, source.duration_s)
            setting = Setting(plan.transcriber, case_in(plan.hearing))
            heard = await play(folder / "room-hearing", source, plays_s, setting, progress, "hearing")
            said = [s for s in source.reference.utterances if s.end <= plays_s]
            words["hearing"] = heard.to_json()
            without += (found := await asyncio.to_thread(_without, source, said, heard))
            figures |= figures_of("hearing", found, heard)
        if "spoken" in plan.parts:
            source = await asyncio.to_thread(make, folder / "spoken")
            setting = Setting(plan.transcriber)
            heard = await play(folder / "room-spoken", source, source.duration_s, setting, progress, "spoken")
            words["spoken"] = heard.to_json()
            without += (found := await asyncio.to_thread(_without, source, source.reference.utterances, heard))
            figures |= figures_of("spoken", found, heard)
    if plan.words is not None:
        plan.words.write_text(json.dumps(words, ensure_ascii=False, indent=1), encoding="utf-8")
    worst = sorted((one for one in without if one.unwritten_ms), key=lambda one: -one.unwritten_ms)[:_SHOWN]
    return {
        "unwritten_speech_ms": sum(one.unwritten_ms for one in without),
        **figures,
        "worst": [f"{one.said.start:.1f} s {one.said.role} {one.unwritten_ms} ms: {one.said.text}" for one in worst],
        "machine": machine(),
    }


def _without(source: HearingFolder, said: Sequence[Said], heard: HeardFeed) -> list[UnwrittenSpeech]:
    return unwritten(said, source.samples(RATE_HZ), heard.lines)


def figures_of(part: str, found: Sequence[UnwrittenSpeech], heard: HeardFeed) -> dict[str, Any]:
    """The figures of one part."""
    marked = [line for line in heard.lines if line.text.startswith(_NO_WORDS)]
    return {
        f"{part}_unwritten_ms": sum(one.unwritten_ms for one in found),
        f"{part}_spoken_ms": sum(one.spoken_ms for one in found),
        f"{part}_utterances": len(found),
        f"{part}_lines": len(heard.lines),
        f"{part}_lines_without_words": len(marked),
        f"{part}_lines_without_words_ms": round(sum(line.end_s - line.start_s for line in marked) * 1000),
        f"{part}_sound_lost_ms": round(heard.gap_ms, 1),
    }
