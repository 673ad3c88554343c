"""`wutong bench captions`: how right and how quick the words are, through the real recorder and the real transcriber.

Every condition is a run of its own (`wutong.bench.captions.paced_room`). `civil` is the hearing with its case in the
docket: `cer` is over the events `utterance`, as the engine heard them, which is given no vocabulary; `cer_corrected`
over the lines as the corrector left them. `plain` proves the former: no case, no corrections. After `civil` the same
engine is given the reference's own intervals (`cer_offline`): what gate, cuts and captions cost is the difference.
`burst` is `civil` with all processors kept busy by other programs, ten seconds of each thirty, from before the start.
What the figures mean is said where they are counted: `wutong.bench.captions.character_errors`, `scoring_seats`,
`scoring_time`; the other conditions are in `wutong.bench.captions.conditions`, what it is compared with in
`wutong.bench.captions.growing_windows`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.console import Console
from rich.progress import Progress

from hardware.simulation.hearing_folder import HearingFolder, Said
from hardware.simulation.scenario import Scenario
from hardware.speech_settings import Transcriber
from sync.errors import ConfigError, WutongError
from sync.runtime.process.service import cancel_and_wait
from transcriber.audio.pcm import RATE_HZ
from transcriber.recognition.factory import make_recognizer
from transcriber.recognition.model_files import locate
from wutong.bench.captions import conditions, growing_windows
from wutong.bench.captions.character_errors import (
    by_seat,
    cer,
    cer_by_seat,
    cpcer,
    growth_per_min,
    in_order,
    overlap_s,
    percentile,
    said_by_seat,
    wer,
)
from wutong.bench.captions.late_turns import late_causes_ms, late_turns, worst_lines
from wutong.bench.captions.other_work import bursts
from wutong.bench.captions.paced_room import HeardFeed, Setting, play
from wutong.bench.captions.picture import Drawn, draw
from wutong.bench.captions.seat_errors import duplicate_ratio, seat_accuracy
from wutong.bench.captions.timing_errors import (
    committed_changed,
    committed_replaced,
    erasure,
    first_caption_ms,
    missed,
    utterance_ms,
    word_edges_ms,
)

CONDITIONS = ("civil", "baseline")
"""Those that are measured when none are named."""
ALL = (*CONDITIONS, "plain", "burst", "silence", "noise", "bleed", "speech")
NOISE_S = 600.0
BURST_FIGURES = (
    "cer",
    "first_caption_ms_p50",
    "first_caption_ms_p95",
    "utterance_ms_p50",
    "utterance_ms_p95",
    "utterances_missed",
    "erasure",
    "cpu_cores_mean",
    "late_causes_ms",
    "worst_turns",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured."""

    hearing: Path
    seconds: float | None = None
    """Only the beginning; None: all of it."""
    conditions: Sequence[str] = CONDITIONS
    transcriber: Mapping[str, Any] = field(default_factory=dict)
    """The profile's table `transcriber`: engine, model and so on."""
    case: Mapping[str, Any] | None = None
    """What the docket knows; None: the case of the hearing folder's own timeline."""
    noise_s: float = NOISE_S
    speech: Path | None = None
    """A list of recordings (`conditions.Recording`)."""
    picture: Path | None = None
    words: Path | None = None
    """Where all that was heard is written, as JSON."""


def conditions_of(text: str, speech: Path | None) -> tuple[str, ...]:
    """The conditions that a command line names; `ConfigError` for one that does not exist."""
    named = tuple(c for c in text.split(",") if c) or CONDITIONS
    if named == ("all",):
        named = tuple(c for c in ALL if c != "speech" or speech is not None)
    unknown = [c for c in named if c not in ALL]
    if unknown:
        raise ConfigError(f"no condition is called {unknown[0]!r}; there are {', '.join(ALL)}")
    if "speech" in named and speech is None:
        raise ConfigError("the condition speech needs --speech LIST.json, the recordings with their words")
    return named


def transcriber_of(profile: Path | None, engine: str) -> dict[str, Any]:
    """The table `transcriber` of a profile, with another engine where one is named."""
    try:
        table = {} if profile is None else tomllib.loads(profile.read_text(encoding="utf-8")).get("transcriber", {})
    except (OSError, ValueError) as error:
        raise ConfigError(f"{profile} cannot be read: {error}") from error
    return {**table, "engine": engine} if engine else dict(table)


def case_of(case: Path | None) -> dict[str, Any] | None:
    """What a file `case.json` says of a case, as the event `open` has it."""
    try:
        return None if case is None else dict(json.loads(case.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{case} cannot be read as a case: {error}") from error


async def measure(folder: Path, plan: Plan, console: Console) -> dict[str, Any]:
    """Run the whole and return the figures; `folder` is one that may be filled. `ConfigError` for a bad hearing."""
    source = HearingFolder(plan.hearing)
    with Progress(console=console, transient=True) as progress:
        bench = _Bench(folder, plan, source, progress)
        for condition in plan.conditions:
            await bench.measure(condition)
        figures = bench.figures | {
            "conditions": list(plan.conditions),
            "engine": str(plan.transcriber.get("engine", "faster-whisper")),
            "seconds": round(bench.plays_s, 1),
            "utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
        }
    if plan.words is not None:
        plan.words.write_text(json.dumps(bench.words, ensure_ascii=False, indent=1), encoding="utf-8")
    if plan.picture is not None:
        await asyncio.to_thread(draw, plan.picture, bench.drawn, figures)
    return figures


class _Bench:
    """The conditions of one plan, one after the other."""

    def __init__(self, folder: Path, plan: Plan, source: HearingFolder, progress: Progress) -> None:
        self._folder, self._plan, self._source, self._progress = folder, plan, source, progress
        self.plays_s = min(plan.seconds or self._source.duration_s, self._source.duration_s)
        self._said = sorted(
            (s for s in self._source.reference.utterances if s.end <= self.plays_s), key=lambda s: s.start
        )
        if not self._said:
            raise WutongError(f"nothing is said to its end within {self.plays_s:.0f} s; measure longer with --seconds")
        self._last_s = max(s.end for s in self._said)
        self.figures: dict[str, Any] = {}
        self.drawn = Drawn(roles=self._source.roles)
        self.words: dict[str, Any] = {"reference": [s.model_dump() for s in self._said]}

    async def measure(self, condition: str) -> None:
        """Measure one and add its figures."""
        match condition:
            case "civil":
                await self._civil()
            case "plain":
                heard = await self._play(condition, self._source, self.plays_s, corrections="off")
                rate = cer("".join(x.text for x in self._said), in_order(heard.before(self._last_s).utterances))
                self.figures |= {"plain_cer": round(rate, 4)}
            case "burst":
                await self._burst()
            case "baseline":
                await self._baseline()
            case "silence":
                await self._nothing(condition, conditions.silence)
            case "noise":
                await self._nothing(condition, lambda to, of: conditions.noise(to, of, self._plan.noise_s))
            case "bleed":
                source = await asyncio.to_thread(conditions.bleed, self._folder / "bleeding", self._source)
                heard = await self._play(condition, source, self.plays_s)
                heard = heard.before(self._last_s)
                self.figures |= bleed_figures(self._said, heard)
            case "speech":
                await self._speech()

    async def _play(
        self, label: str, source: HearingFolder, plays_s: float, case: Mapping[str, Any] | None = None, **changed: str
    ) -> HeardFeed:
        setting = Setting({**self._plan.transcriber, **changed}, case or {})
        heard = await play(self._folder / f"room-{label}", source, plays_s, setting, self._progress, label)
        self.words[label] = heard.to_json()
        return heard

    async def _civil(self) -> None:
        case = self._plan.case if self._plan.case is not None else case_in(self._plan.hearing)
        heard = (await self._play("civil", self._source, self.plays_s, case)).before(self._last_s)
        self.figures |= hearing_figures(self._said, heard)
        self.drawn.firsts_ms = first_caption_ms(self._said, heard.captions, heard.utterances)
        self.drawn.utterances_ms = [ms for _, ms in utterance_ms(self._said, heard.utterances)]
        self.drawn.cer_by_seat = cer_by_seat(self._said, heard.utterances)
        offline, rtf = await self._offline()
        self.figures |= {"cer_offline": round(offline, 4), "rtf_offline": round(rtf, 3)}

    async def _burst(self) -> None:
        """The same hearing with other work beside it, which begins before the services do and with the first words."""
        case = self._plan.case if self._plan.case is not None else case_in(self._plan.hearing)
        beside = asyncio.create_task(bursts())
        try:
            heard = (await self._play("burst", self._source, self.plays_s, case)).before(self._last_s)
        finally:
            await cancel_and_wait(beside)
        figures = hearing_figures(self._said, heard)
        self.figures |= {f"burst_{key}": figures[key] for key in BURST_FIGURES}

    async def _offline(self) -> tuple[float, float]:
        """(character error rate over the reference's own intervals, seconds of work for a second of speech)."""
        sound = self._source.samples(RATE_HZ).astype(np.float32) / 32768.0
        recognizer = await asyncio.to_thread(make_recognizer, Transcriber.model_validate(self._plan.transcriber))
        text = ""
        try:
            await recognizer.start()
            for one in self._progress.track(self._said, description="the reference's intervals"):
                first, last = round((one.start - 0.1) * RATE_HZ), round((one.end + 0.1) * RATE_HZ)
                text += (await recognizer.ask(sound[max(first, 0) : last, one.channel])).text
        finally:
            await recognizer.stop()
        return cer("".join(s.text for s in self._said), text), recognizer.busy_s / recognizer.asked_s

    async def _baseline(self) -> None:
        bar = self._progress.add_task("plain re-decoding, on a virtual clock", total=self.plays_s)
        result = await asyncio.to_thread(
            growing_windows.run,
            locate(str(self._plan.transcriber.get("model", "base"))),
            growing_windows.mix(self._source, self.plays_s),
            self._said,
            language=str(self._plan.transcriber.get("language", "zh")),
            threads=int(self._plan.transcriber.get("threads", 2)),
            tell=lambda second: self._progress.update(bar, completed=second),
        )
        self._progress.remove_task(bar)
        self.figures |= result.figures(self._said)
        self.words["baseline"] = result.text
        self.drawn.plain_firsts_ms, self.drawn.plain_utterances_ms = result.firsts_ms, result.latencies_ms

    async def _nothing(self, label: str, make: Callable[[Path, HearingFolder], HearingFolder]) -> None:
        source = await asyncio.to_thread(make, self._folder / f"of-{label}", self._source)
        heard = await self._play(label, source, source.duration_s)
        self.figures |= {
            f"{label}_characters": characters_shown(heard),
            f"{label}_s": round(source.duration_s, 1),
            f"{label}_paced": True,
            f"{label}_cpu_cores_mean": round(heard.cpu_cores, 2),
        }

    async def _speech(self) -> None:
        assert self._plan.speech is not None
        rates: dict[str, float] = {}
        for one in await asyncio.to_thread(conditions.speech, self._folder / "speech", self._plan.speech):
            label = f"speech-{one.language}"
            heard = await self._play(label, one.folder, one.folder.duration_s, language=one.language)
            for recording, said in zip(one.recordings, one.folder.reference.utterances, strict=True):
                text = in_order([u for u in heard.utterances if overlap_s(said, u) > 0], " ")
                rate = wer(said.text, text) if one.language == "en" else cer(said.text, text)
                rates[f"{'wer' if one.language == 'en' else 'cer'} {recording.name}"] = round(rate, 4)
        self.figures |= {"speech": rates, "speech_paced": True}


def machine() -> str:
    """This machine in a few words."""
    memory = psutil.virtual_memory().total / 1024**3
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


def case_in(hearing: Path) -> Mapping[str, Any]:
    """What the hearing folder's own timeline says of the case."""
    return Scenario.load(hearing).case.model_dump()


def hearing_figures(said: Sequence[Said], heard: HeardFeed) -> dict[str, Any]:
    """All figures of one run over a hearing."""
    reference = "".join(s.text for s in said)
    latencies = utterance_ms(said, heard.utterances)
    firsts = first_caption_ms(said, heard.captions, heard.utterances)
    starts, ends = word_edges_ms(said, heard.utterances)
    late = late_turns(said, heard.captions, heard.utterances, heard.times)
    rate = cer(reference, in_order(heard.utterances))
    seats = cpcer(said_by_seat(said), by_seat(heard.utterances))
    return {
        "cer": round(rate, 4),
        "cpcer": round(seats, 4),
        "cpcer_minus_cer": round(seats - rate, 4),
        "cer_by_seat": {str(seat): round(r, 4) for seat, r in cer_by_seat(said, heard.utterances).items()},
        "cer_corrected": round(cer(reference, in_order(heard.lines)), 4),
        "revisions": heard.revisions,
        "duplicate_ratio": round(duplicate_ratio(said, heard.utterances), 4),
        "seat_accuracy": round(seat_accuracy(said, heard.utterances), 4),
        "first_caption_ms_p50": percentile(firsts, 50),
        "first_caption_ms_p95": percentile(firsts, 95),
        "first_caption_missed": len(said) - len(firsts),
        "utterance_ms_p50": percentile([ms for _, ms in latencies], 50),
        "utterance_ms_p95": percentile([ms for _, ms in latencies], 95),
        "utterances_missed": missed(said, heard.utterances),
        "lag_growth_ms_per_min": round(growth_per_min(latencies), 1),
        "committed_changed": committed_changed(heard.captions),
        "committed_replaced": round(committed_replaced(heard.captions, heard.utterances), 4),
        "erasure": round(erasure(heard.captions, heard.utterances), 3),
        "erasure_with_final": round(erasure(heard.captions, heard.utterances, with_final=True), 3),
        "word_ms_p90": percentile([abs(ms) for ms in (*starts, *ends)], 90),
        "word_start_ms_p90": percentile([abs(ms) for ms in starts], 90),
        "word_start_ms_p50_signed": percentile(starts, 50),
        "word_end_ms_p90": percentile([abs(ms) for ms in ends], 90),
        "word_end_ms_p50_signed": percentile(ends, 50),
        "cpu_cores_mean": round(heard.cpu_cores, 2),
        "captions": len(heard.captions),
        "utterances": len(heard.utterances),
        "utterances_reference": len(said),
        "sound_lost_ms": round(heard.gap_ms, 1),
        "late_causes_ms": late_causes_ms(late),
        "worst_turns": worst_lines(late),
    }


def bleed_figures(said: Sequence[Said], heard: HeardFeed) -> dict[str, Any]:
    """Of the run with heavier bleed."""
    rate = cer("".join(s.text for s in said), in_order(heard.utterances))
    seats = cpcer(said_by_seat(said), by_seat(heard.utterances))
    return {
        "bleed_db": conditions.BLEED_DB,
        "bleed_cer": round(rate, 4),
        "bleed_cpcer_minus_cer": round(seats - rate, 4),
        "bleed_duplicate_ratio": round(duplicate_ratio(said, heard.utterances), 4),
        "bleed_seat_accuracy": round(seat_accuracy(said, heard.utterances), 4),
        "bleed_utterances_missed": missed(said, heard.utterances),
    }


def characters_shown(heard: HeardFeed) -> int:
    """All characters of captions (each at its longest) and utterances: of a room where nobody speaks, invented."""
    longest: dict[str, int] = {}
    for shown in (*heard.captions, *heard.utterances):
        longest[shown.id] = max(longest.get(shown.id, 0), len(shown.text))
    return sum(longest.values())
