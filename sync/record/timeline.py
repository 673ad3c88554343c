"""What stands on the time line of a hearing: pauses, presentations, gaps, files, exhibits, marks and alarms.

Plain values in room time (nanoseconds), as `sync.record.hearing` folds them out of the events.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sync.record.bodies.session import LawfulReason


class PauseReason(StrEnum):
    """The only three reasons for which the law lets a recording be interrupted (法释〔2017〕5号, art. 3)."""

    RECESS = "recess"
    CLOSED_EVIDENCE = "closed_evidence"
    MEDIATION = "mediation"


@dataclass(slots=True)
class Interval:
    """A stretch of the time line; `to_ns` is None while it lasts."""

    from_ns: int
    to_ns: int | None = None


@dataclass(slots=True)
class Pause(Interval):
    """A lawful interruption."""

    reason: LawfulReason = "recess"


@dataclass(slots=True)
class Presentation(Interval):
    """One exhibit, page and view on the screens of the room."""

    exhibit: str = ""
    page: int = 1
    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5


@dataclass(slots=True)
class Gap:
    """Media of `track` that does not exist, and why."""

    from_ns: int
    to_ns: int
    track: str = ""
    why: str = ""


@dataclass(slots=True)
class Exhibit:
    """A piece of evidence as it was added; its file is named by its content."""

    id: str
    number: int
    title: str
    filename: str
    media_type: str
    sha256: str
    bytes: int
    pages: int
    sm3: str = ""
    """Empty in hearings of before it was taken."""
    converted: str = ""
    """What was done to the file to show it; empty when it is shown as it is."""
    drawn: int = 0
    """How many of its pages have a picture; 0 in hearings of before there were any."""


@dataclass(slots=True)
class Mark:
    """A note of the clerk at a moment."""

    id: str
    at_ns: int
    kind: str
    text: str


@dataclass(slots=True)
class Segment:
    """A closed file of the record."""

    track: str
    index: int
    file: str
    bytes: int
    sha256: str
    from_ns: int
    to_ns: int
    sm3: str = ""
    """Empty in hearings of before it was taken."""


@dataclass(slots=True)
class Alarm:
    """Something a person must know; `cleared_ns` is None while it is so."""

    code: str
    subject: str
    text: str
    raised_ns: int
    cleared_ns: int | None = None
