"""Why words were late: for each utterance of the reference, where the time went between the voice and the screen.

The moments are those that the transcriber noted when the turn passed its stations
(`transcriber.segmentation.turn_times`). Promises: the parts of one wait add up to the wait, and a part is only named
for what was at work at that time; what no station explains is called `unexplained`. The parts, in their order:

| part | from … to … |
| --- | --- |
| `said` | only of a first text that is an utterance: too short for a caption, so it had to be over first |
| `went on` | the seat's turn went on after this utterance's end |
| `sound` | the sound on its way, and the gate until it was sure of a voice |
| `more sound` | until there was enough of it for a first caption |
| `pause` | until the silence was long enough to end the turn, with the sound's way |
| `earlier caption` | an earlier caption of the turn had not got so far; the next was not due |
| `behind …` | the model, or the writing, was at something else: of which utterance |
| `lane` | asked, and waiting for the model to be free or to start |
| `no processor` | the model's threads were ready to run, and other programs had the processor |
| `model` | the model's work itself |
| `written` | settled, then written to the disk |
| `shown` | from there to the listener |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hardware.simulation.hearing_folder import Said
from wutong.bench.captions.character_errors import ShownWords
from wutong.bench.captions.timing_errors import first_shown, holding

_BOUND_MS = 1500.0
_MOST = 10
_WORTH_MS = 20.0
"""Smaller parts are not printed."""


@dataclass(slots=True)
class Wait:
    """One wait and its parts, ms."""

    ms: float
    parts: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """The whole, then the parts, the longest first."""
        named = sorted(((ms, part) for part, ms in self.parts.items() if ms >= _WORTH_MS), reverse=True)
        return f"{self.ms:.0f} ms = " + " + ".join(f"{part} {ms:.0f}" for ms, part in named)


@dataclass(frozen=True, slots=True)
class LateTurn:
    """One utterance of the reference, and its two waits where there was a text at all."""

    said: Said
    first: Wait | None
    utterance: Wait | None

    @property
    def badness(self) -> float:
        """The worse of the two waits against what is wanted; what nothing came for is worst."""
        waits = [self.first, self.utterance]
        return max(float("inf") if wait is None else wait.ms / _BOUND_MS for wait in waits)

    def __str__(self) -> str:
        """One line for people."""
        head = f"{self.said.start:.1f} s {self.said.role} {self.said.text[:12]}"
        return f"{head}: first caption {self.first or 'never'}; utterance {self.utterance or 'never'}"


def late_turns(
    said: Sequence[Said],
    captions: Sequence[ShownWords],
    utterances: Sequence[ShownWords],
    times: Mapping[str, Mapping[str, Any]],
) -> list[LateTurn]:
    """All utterances of the reference with their waits, the worst first. `times`: by the ids of utterances, in s."""
    arrived = sorted((s for s in (*captions, *utterances) if s.text), key=lambda s: s.arrived_s)
    finals = {id(u) for u in utterances}
    roles = {u.id: s.text[:6] for s in said for u in utterances if holding(s, [u]) is not None}
    out = []
    for one in said:
        first, last = first_shown(one, said, arrived), holding(one, utterances)
        whole = None if last is None else _utterance(one.end, last, times.get(last.id), roles)
        if first is None:
            begun = None
        elif id(first) in finals:
            begun = _utterance(one.end, first, times.get(first.id), roles)
            begun.ms += (one.end - one.start) * 1000
            begun.parts["said"] = (one.end - one.start) * 1000
        else:
            begun = _caption(one, first, times.get(first.id), roles)
        out.append(LateTurn(one, begun, whole))
    return sorted(out, key=lambda turn: -turn.badness)


def worst_lines(turns: Sequence[LateTurn]) -> list[str]:
    """The worst ten, a line each."""
    return [str(turn) for turn in turns[:_MOST]]


def late_causes_ms(turns: Sequence[LateTurn]) -> dict[str, float]:
    """What the time went to in all waits beyond the bound, ms in all, the largest first; `behind` without of whom."""
    causes: dict[str, float] = {}
    for turn in turns:
        for wait in (turn.first, turn.utterance):
            if wait is not None and wait.ms > _BOUND_MS:
                for part, ms in wait.parts.items():
                    name = " ".join(part.split(" ")[:2]) if part.startswith("behind") else part
                    causes[name] = causes.get(name, 0.0) + ms
    return {part: round(ms) for part, ms in sorted(causes.items(), key=lambda item: -item[1])}


def _caption(one: Said, shown: ShownWords, of: Mapping[str, Any] | None, roles: Mapping[str, str]) -> Wait:
    wait = Wait((shown.arrived_s - one.start) * 1000)
    made = None if of is None else _pass_before(of["passes"], shown.arrived_s)
    if of is None or made is None:
        wait.parts["unexplained"] = wait.ms
        return wait
    at = max(one.start, 0.0)
    for part, until in (("sound", of["seen"]), ("more sound", of["due"])):
        at = _add(wait, part, at, min(until, made["asked"]) if until else at)
    first = made is of["passes"][0]
    if first:
        at = _add_behind(wait, at, made["asked"], of["caption_behind"], roles)
        _add(wait, "unexplained", at, made["asked"])
    else:
        _add(wait, "earlier caption", at, made["asked"])
    _add_pass(wait, max(at, made["asked"]), made)
    _add(wait, "shown", made["answered"], shown.arrived_s)
    return wait


def _utterance(ends: float, shown: ShownWords, of: Mapping[str, Any] | None, roles: Mapping[str, str]) -> Wait:
    wait = Wait((shown.arrived_s - ends) * 1000)
    if of is None:
        wait.parts["unexplained"] = wait.ms
        return wait
    at = _add(wait, "went on", ends, shown.end_s)
    at = _add(wait, "pause", at, of["ended"] or at)
    at = _add_behind(wait, at, of["taken"], of["behind"], roles)
    at = _add(wait, "unexplained", at, of["taken"])
    last = next((p for p in of["passes"] if p["work"] == "final" and p["asked"] >= of["taken"] - 1e-6), None)
    if last is not None:
        _add_pass(wait, at, last)
        at = max(at, last["answered"])
    at = _add(wait, "unexplained", at, of["settled"])
    at = _add(wait, "written", at, of["written"])
    _add(wait, "shown", at, shown.arrived_s)
    return wait


def _pass_before(passes: Sequence[Mapping[str, Any]], arrived_s: float) -> Mapping[str, Any] | None:
    answered = [p for p in passes if p["answered"] and p["answered"] <= arrived_s + 0.001]
    return max(answered, key=lambda p: p["answered"], default=None)


def _add(wait: Wait, part: str, from_s: float, to_s: float) -> float:
    """Count a part; returns where the next one begins."""
    if to_s > from_s:
        wait.parts[part] = wait.parts.get(part, 0.0) + (to_s - from_s) * 1000
    return max(from_s, to_s)


def _add_behind(
    wait: Wait, from_s: float, to_s: float, busy: Sequence[Mapping[str, Any]], roles: Mapping[str, str]
) -> float:
    """Count what was done meanwhile, by what it was; of what nothing was done, nothing is said here."""
    at = from_s
    for one in sorted(busy, key=lambda b: float(b["from"])):
        begins, ends = max(one["from"], at), min(one["to"], to_s)
        if ends > begins:
            _add(wait, "unexplained", at, begins)
            at = _add(wait, f"behind {one['work']} of {roles.get(one['utterance'], 'another')}", begins, ends)
    return at


def _add_pass(wait: Wait, at: float, made: Mapping[str, Any]) -> None:
    """Count one pass of the model from `at` on, where it may have been at it for a while already."""
    whole_s = max(made["answered"] - max(at, made["asked"]), 0.0)
    starved_s = min(made["starved_s"], whole_s)
    lane_s = min(made["lane_s"], whole_s - starved_s)
    for part, seconds in (("lane", lane_s), ("no processor", starved_s), ("model", whole_s - starved_s - lane_s)):
        _add(wait, part, 0.0, seconds)


def times_in_s(value: Mapping[str, Any], start_ns: int) -> dict[str, Any]:
    """What the transcriber says of one turn, with its moments in seconds of the recording; 0 where never."""

    def moments(one: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key.removesuffix("_ns"): ((number - start_ns) / 1e9 if number else 0.0) if key.endswith("_ns") else number
            for key, number in one.items()
        }

    times = moments({key: number for key, number in value.items() if key.endswith("_ns")})
    return times | {key: [moments(one) for one in value[key]] for key in ("passes", "caption_behind", "behind")}
