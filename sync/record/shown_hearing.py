"""A hearing as the screens get it, and the words for where it is; `sync.record.hearing` makes it."""

from __future__ import annotations

from enum import StrEnum

from typing_extensions import TypedDict

from sync.record.bodies.media import ClockBody
from sync.record.bodies.session import OpenedCase, OpenedSeat, OpenedTrack
from sync.record.bodies.words import NamedVoice
from sync.record.sealed_parts import SealedPart
from sync.record.timeline import Alarm, Exhibit, Gap, Mark, Pause, Presentation, Segment
from sync.record.transcript import Utterance


class State(StrEnum):
    """Where a hearing is between 宣布开庭 and 闭庭."""

    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class LastSeal(TypedDict):
    """The last seal (封存) of a hearing."""

    at_utc_ns: int
    index: int
    leaves: int
    root: str
    """hex, of the tree before it"""
    words_complete: bool
    late: int
    """How many words came after it, which the next seal will cover."""


class SteppedClock(ClockBody):
    """A step of UTC against room time, and when it was noticed."""

    at_ns: int


class ShownHearing(TypedDict):
    """A hearing as the screens get it (`sync.record.milliseconds`)."""

    id: str
    state: State
    opened_ns: int
    opened_utc_ns: int
    recorded_from_ns: int
    closed_ns: int | None
    case: OpenedCase
    seats: list[OpenedSeat]
    tracks: list[OpenedTrack]
    pauses: list[Pause]
    exhibits: list[Exhibit]
    presentations: list[Presentation]
    marks: list[Mark]
    gaps: list[Gap]
    segments: list[Segment]
    alarms: list[Alarm]
    clock_steps: list[SteppedClock]
    live_muted: bool
    """Sound and captions do not leave the room live."""
    sealed: LastSeal | None
    sealed_parts: list[SealedPart]
    """Stretches that are not for everybody's sight (封存区段)."""
    replaced_by_consent_of: list[str]
    """Who agreed that the recording stands for the 笔录; nobody: it does not."""
    last_number: int
    utterances: list[Utterance]
    """Every line of the transcript in the order of reading, those too that are `gone`."""
    ignored: list[str]
    """Findings of the checks that the clerk lets stand."""
    voices: list[NamedVoice]
    """Which role speaks with a voice, as the clerk has said."""
    presented: Presentation | None
    """What is on the screens now."""
