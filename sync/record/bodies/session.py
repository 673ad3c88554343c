"""Bodies of what happens to a hearing as a whole: it is opened, paused, resumed, closed, muted, replaced and sealed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from sync.record.bodies.limits import ANY_OBJECT, UNCHECKED, Limits, Name, Ns, Short
from sync.record.bodies.who_acted import WhoActed


class OpenedCase(TypedDict):
    """What the hearing is about, as the docket or the clerk said it."""

    id: str
    """Of the docket, else of the hearing."""
    case_no: str
    cause: str
    title: str
    parties: dict[str, str]
    """role -> names"""
    public: bool
    kind: NotRequired[str]
    """Of `sync.cases`. With it come the next six, as the kind said them on that day; older events have none."""
    branch: NotRequired[str]
    """Of the set phrases: 民事, 刑事, 行政 or none."""
    roles: NotRequired[list[str]]
    """In the order in which the court names them."""
    bench: NotRequired[list[str]]
    """Those of them who belong to the court, in the order in which they sign."""
    paper: NotRequired[str]
    """Heading of the transcript: 听证笔录."""
    notices: NotRequired[list[list[str]]]
    """What has to be said in it: of each, one of these wordings."""
    marks: NotRequired[list[str]]
    """Kinds of marks that are buttons at the panel."""
    procedure: NotRequired[Literal["ordinary", "simplified"]]
    vocabulary: NotRequired[dict[str, list[str]]]


class OpenedSeat(TypedDict):
    """A seat of the room; `channel` is its microphone."""

    id: str
    role: str
    roles: NotRequired[list[str]]
    channel: NotRequired[int]


class OpenedTrack(TypedDict):
    """A track that the hearing is to have."""

    id: str
    kind: Literal["video", "audio"]
    name: str


class OpenedSelfTest(TypedDict):
    """Whether a passed self-test counted, the number of its event, and what the clerk opened it with all the same."""

    passed: bool
    number: int | None
    despite: list[str]


def is_public(case: object) -> bool:
    """Whether a case says that it is tried in public. One that says anything else, or nothing, is not: what nobody
    has called public is kept from the public."""
    return isinstance(case, Mapping) and case.get("public") is True


class OpenBody(TypedDict):
    """Body of `open`. The center asks little of it: a hearing that is open must be known there."""

    case: NotRequired[Annotated[OpenedCase, ANY_OBJECT]]
    seats: NotRequired[list[Annotated[OpenedSeat, ANY_OBJECT]]]
    tracks: NotRequired[list[Annotated[OpenedTrack, ANY_OBJECT]]]
    court: NotRequired[Annotated[str, UNCHECKED]]
    room: NotRequired[Annotated[str, UNCHECKED]]
    court_name: NotRequired[Short]
    room_name: NotRequired[Short]
    from_ns: NotRequired[Annotated[int, UNCHECKED]]
    """Where the record begins, in a room that keeps a pre-roll (预录)."""
    selftest: NotRequired[Annotated[OpenedSelfTest, UNCHECKED]]
    by: NotRequired[Short]
    """Who did it, where it was not the clerk: `api`, a system of the court. So it is in the bodies below."""
    who: NotRequired[WhoActed]
    """Which clerk it was, where one was signed in as a person. So it is wherever it stands."""


LawfulReason = Literal["recess", "closed_evidence", "mediation"]
"""`sync.record.timeline.PauseReason`, as an event says it."""


class PauseBody(TypedDict):
    """Body of `pause`."""

    reason: LawfulReason
    by: NotRequired[Short]
    who: NotRequired[WhoActed]


class ResumeBody(TypedDict):
    """Body of `resume`."""

    by: NotRequired[Short]
    who: NotRequired[WhoActed]


class CloseBody(TypedDict):
    """Body of `close`."""

    by: NotRequired[Short]
    who: NotRequired[WhoActed]


class MuteBody(TypedDict):
    """Body of `mute`: no sound and no captions are broadcast live. It is no privacy: record and transcript go on."""

    muted: bool
    by: str


class ReplacementBody(TypedDict):
    """Body of `replacement`: who agreed that the recording stands for the 笔录."""

    consents: list[str]
    who: NotRequired[WhoActed]


PartLevel = Literal["restricted", "withdrawn"]
"""Who may see a sealed part: the archivist and who makes the record, or nobody."""


class SealedPartBody(TypedDict):
    """Body of `sealed_part`: a stretch of the hearing is not for everybody's sight; the record keeps all of it.

    Said again with the same `id` and an end, it ends a part that goes on (`to_ns` null).
    """

    id: Name
    from_ns: Ns
    to_ns: Ns | None
    level: PartLevel
    by: Short
    reason: Annotated[str, Limits(max_length=200)]
    who: NotRequired[WhoActed]


class SealedTrack(TypedDict):
    """What a seal says of one track."""

    segments: int
    bytes: int
    media_ns: int
    gaps: int
    gap_ns: int


class SealBody(TypedDict):
    """Body of `seal`: the tree before it, and what the record holds."""

    index: int
    leaves: int
    root: str
    """hex"""
    words_complete: bool
    tracks: dict[str, SealedTrack]
    pauses: int
    pause_ns: int
    utterances: int
    revisions: int
    exhibits: int
    presentations: int
    marks: int
    opened_utc_ns: int | None
    closed_utc_ns: int | None
