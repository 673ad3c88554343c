"""Bodies of signing (docs/protocol.md, "The transcript"): what was laid before people, what they did, the documents."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from sync.record.bodies.limits import Count, Limits, Name, Ns, Real, Reason, Role, Sha256, Short, Whole, Words
from sync.record.bodies.who_acted import WhoActed

MOST_STROKES = 2000
MOST_POINTS = 20_000
DocumentKind = Literal["docx", "pdf", "srt", "vtt", "json"]
_LineOrAct = Annotated[str, Limits(max_length=160)]


class TranscriptBody(TypedDict):
    """Body of `transcript`: the words, by their hash, as they are laid before those who sign."""

    id: Name
    version: Count
    sha256: Sha256
    lines: Count
    through: Whole
    """The number of the last event that they are the fold of."""
    who: NotRequired[WhoActed]


class ObjectingPerson(TypedDict):
    """Who objects."""

    role: Role
    name: NotRequired[Short]


class ObjectionBody(TypedDict):
    """Body of `objection`: a line is not what was said, and what came of it."""

    id: Name
    line: NotRequired[_LineOrAct | None]
    text: Words
    by: ObjectingPerson
    wants: NotRequired[Words | None]
    outcome: Literal["corrected", "refused"]
    reason: NotRequired[Reason | None]
    revision: NotRequired[_LineOrAct | None]
    """Its id, when corrected."""
    replayed_from_ns: NotRequired[Ns | None]
    replayed_to_ns: NotRequired[Ns | None]


PenPoint = Annotated[list[Real], Limits(min_length=2, max_length=6)]
"""x, y, milliseconds, pressure."""


class SignatureBody(TypedDict):
    """Body of `signature`; the strokes are personal data (`server.events.redaction`)."""

    id: Name
    transcript: Annotated[str, Limits(pattern=r"^[0-9a-f]{0,64}$")]
    """Of which words; who is only expected, or was not there, says nothing about any."""
    role: Role
    name: Short
    act: Literal["sign", "refuse", "expect", "absent"]
    reason: NotRequired[Reason | None]
    size: NotRequired[Annotated[list[Real], Limits(max_length=2)] | None]
    """Width and height of the pad."""
    strokes: NotRequired[
        Annotated[
            list[Annotated[list[PenPoint], Limits(max_length=MOST_POINTS)]],
            Limits(max_length=MOST_STROKES),
        ]
        | None
    ]
    """x and y are 0…1 of the size."""


class DocumentBody(TypedDict):
    """Body of `document`: a file that was made of signed words; `file` is relative to the hearing's folder."""

    id: Name
    transcript: Sha256
    kind: DocumentKind
    file: Annotated[str, Limits(min_length=1, max_length=300)]
    bytes: Whole
    sha256: Sha256
    sm3: NotRequired[Annotated[str, Limits(pattern=r"^([0-9a-f]{64})?$")]]
