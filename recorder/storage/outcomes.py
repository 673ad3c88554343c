"""What became of the orders that a track's writer was given; each outcome says it of one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from recorder.capture.fragment import StampedFragment
from recorder.storage.segment import ClosedSegment


@dataclass(frozen=True, slots=True)
class FragmentKept:
    """The fragment is on disk."""

    hearing: str
    fragment: StampedFragment
    waited_ns: int
    """From its offer until it was synced."""


@dataclass(frozen=True, slots=True)
class SegmentClosed:
    """A segment is complete."""

    hearing: str
    segment: ClosedSegment


class RefusalCode(Enum):
    """What a refused fragment means for the record."""

    WAITS_FOR_KEY_FRAME = auto()
    """No file can begin with it; nothing is wrong with the disk."""
    NOT_WRITTEN = auto()
    """The disk did not take it."""


@dataclass(frozen=True, slots=True)
class FragmentRefused:
    """The fragment is not on disk; `why` says it to people. Without a fragment, a whole file could not be finished."""

    hearing: str
    fragment: StampedFragment | None
    code: RefusalCode
    why: str


@dataclass(frozen=True, slots=True)
class StretchFinished:
    """All orders before `finish` were carried out."""

    hearing: str
    until_ns: int


Outcome = FragmentKept | SegmentClosed | FragmentRefused | StretchFinished
