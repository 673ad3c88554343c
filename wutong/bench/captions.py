"""`wutong bench captions`: how right and how quick the words are, through the real recorder and the real transcriber.

Every condition is a run of its own (`wutong.bench.paced`): `civil` is the hearing as it is, without any case in the
docket; `docket` the same with its case, so that vocabulary and corrector work. Afterwards the same engine is given the
reference's own intervals (`cer_offline`): what gate, cuts and captions cost is the difference. What the figures mean is
said where they are counted: `wutong.bench.scoring`, `scoring_seats`, `scoring_time`; the other conditions in
`wutong.bench.conditions`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.console import Console
from rich.progress import Progress

from hardware.hearing_folder import HearingFolder, Said
from hardware.scenario import Scenario
from sync.errors import ConfigError, WutongError
from transcriber.engine import RATE_HZ
from transcriber.model import locate
from transcriber.owner import Owner
from wutong.bench.paced import Heard, Setting, play
from wutong.bench.scoring import (
    by_seat,
    cer,
    cer_by_seat,
    cpcer,
    growth_per_min,
    in_order,
    percentile,
    said_by_seat,
)
from wutong.bench.scoring_seats import duplicate_ratio, seat_accuracy
from wutong.bench.scoring_time import (
    committed_changed,
    committed_replaced,
    erasure,
    first_caption_ms,
    missed,
    utterance_ms,
    word_edges_ms,
)

CONDITIONS = ("civil", "docket")
"""Those that are measured when none are named."""
ALL = (*CONDITIONS,)


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


def make_plan(
    hearing: Path,
    *,
    seconds: float | None,
    conditions: str,
    engine: str,
    settings: Path | None,
    case: Path | None,
) -> Plan:
    """From the words of the command line; `ConfigError` for what is not known or cannot be read."""
    named = tuple(c for c in conditions.split(",") if c) or CONDITIONS
    if named == ("all",):
        named = ALL
    unknown = [c for c in named if c not in ALL]
    if unknown:
        raise ConfigError(f"no condition is called {unknown[0]!r}; there are {', '.join(ALL)}")
    table: dict[str, Any] = {}
    try:
        if settings is not None:
            table |= tomllib.loads(settings.read_text(encoding="utf-8")).get("transcriber", {})
        docket = None if case is None else json.loads(case.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{settings if case is None else case} cannot be read: {error}") from error
    if engine:
        table["engine"] = engine
    return Plan(hearing, seconds, named, table, docket)


async def measure(folder: Path, plan: Plan, console: Console) -> dict[str, Any]:
    """Run the whole and return the figures; `folder` is one that may be filled. `ConfigError` for a bad hearing."""
    source = HearingFolder(plan.hearing)
    plays_s = min(plan.seconds or source.duration_s, source.duration_s)
    said = sorted((s for s in source.reference.utterances if s.end <= plays_s), key=lambda s: s.start)
    if not said:
        raise WutongError(f"nothing is said to its end within {plays_s:.0f} s; measure longer with --seconds")
    last_s = max(s.end for s in said)
    figures: dict[str, Any] = {}
    with Progress(console=console, transient=True) as progress:
        if "civil" in plan.conditions:
            setting = Setting(plan.transcriber)
            heard = (await play(folder / "civil", source, plays_s, setting, progress, "civil")).before(last_s)
            figures |= hearing_figures(said, heard)
        if "docket" in plan.conditions:
            setting = Setting(plan.transcriber, plan.case if plan.case is not None else _case(plan.hearing))
            heard = (await play(folder / "docket", source, plays_s, setting, progress, "docket")).before(last_s)
            figures |= corrected_figures(said, heard)
        if "civil" in plan.conditions:
            offline, rtf = await _offline(source, said, progress)
            figures |= {"cer_offline": round(offline, 4), "rtf_offline": round(rtf, 3)}
    return figures | {
        "conditions": list(plan.conditions),
        "engine": str(plan.transcriber.get("engine", "faster-whisper")),
        "seconds": round(plays_s, 1),
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }


def machine() -> str:
    """This machine in a few words."""
    memory = psutil.virtual_memory().total / 1024**3
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


def _case(hearing: Path) -> Mapping[str, Any]:
    return Scenario.load(hearing).case.model_dump()


def hearing_figures(said: Sequence[Said], heard: Heard) -> dict[str, Any]:
    """All figures of one run over a hearing."""
    reference = "".join(s.text for s in said)
    latencies = utterance_ms(said, heard.utterances)
    firsts = first_caption_ms(said, heard.captions, heard.utterances)
    starts, ends = word_edges_ms(said, heard.utterances)
    rate = cer(reference, in_order(heard.utterances))
    seats = cpcer(said_by_seat(said), by_seat(heard.utterances))
    return {
        "cer": round(rate, 4),
        "cpcer": round(seats, 4),
        "cpcer_minus_cer": round(seats - rate, 4),
        "cer_by_seat": {str(seat): round(r, 4) for seat, r in cer_by_seat(said, heard.utterances).items()},
        "cer_lines": round(cer(reference, in_order(heard.lines)), 4),
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
    }


def corrected_figures(said: Sequence[Said], heard: Heard) -> dict[str, Any]:
    """Of the run with the docket's case: the lines as they stand, and what the engine heard before any revision."""
    reference = "".join(s.text for s in said)
    return {
        "cer_corrected": round(cer(reference, in_order(heard.lines)), 4),
        "cer_biased": round(cer(reference, in_order(heard.utterances)), 4),
        "revisions": heard.revisions,
    }


async def _offline(source: HearingFolder, said: Sequence[Said], progress: Progress) -> tuple[float, float]:
    """(character error rate over the reference's own intervals, seconds of work for a second of speech)."""
    model = await asyncio.to_thread(locate, "base")
    sound = source.samples(RATE_HZ).astype(np.float32) / 32768.0
    owner = Owner(model)
    text = ""
    try:
        await owner.start()
        for one in progress.track(said, description="the reference's intervals"):
            first, last = round((one.start - 0.1) * RATE_HZ), round((one.end + 0.1) * RATE_HZ)
            text += (await owner.ask(sound[max(first, 0) : last, one.channel])).text
    finally:
        await owner.stop()
    return cer("".join(s.text for s in said), text), owner.busy_s / owner.heard_s
