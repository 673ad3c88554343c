"""Bodies of the words' events (docs/protocol.md, "The transcript"): what the fold takes later is checked at the door.

Strict in types and bounds, open to further keys, which are kept and mean nothing here. Refuses with pydantic's
`ValidationError`, which `server.events.admission` turns into the reason.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_INT64 = 2**63 - 1

Ns = Annotated[int, Field(strict=True, ge=-_INT64, le=_INT64)]
Name = Annotated[str, Field(min_length=1, max_length=96, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
LineName = Annotated[str, Field(min_length=1, max_length=96, pattern=r"^[A-Za-z0-9._:/-]+$")]
"""Also of an act: ids that browsers draw may begin with any of these."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Short = Annotated[str, Field(max_length=200)]
Role = Annotated[str, Field(max_length=64)]
Words = Annotated[str, Field(max_length=20_000)]
Count = Annotated[int, Field(strict=True, ge=0, le=10_000_000)]
Whole = Annotated[int, Field(strict=True, ge=0, le=_INT64)]
Yes = Annotated[bool, Field(strict=True)]
Real = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]

MOST_CHANGES = 20_000
"""A change of a voice's role names all its lines."""
MOST_STROKES = 2000
MOST_POINTS = 20_000


_PARTS = frozenset({"line", "base", "set", "propose", "new"})


class _EventBody(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Set(_EventBody):
    """What a change sets; a key that is not said is not set."""

    text: Words = ""
    role: Role = ""
    seat: Role = ""
    struck: Yes = False
    doubtful: Yes = False
    gone: Annotated[str, Field(max_length=32)] = ""
    start_ns: Ns = 0
    end_ns: Ns = 0


class _Proposal(BaseModel):
    model_config = ConfigDict(extra="ignore")

    at: Count
    length: Count
    from_: Annotated[Words, Field(alias="from")]
    to: Words
    why: Annotated[str, Field(max_length=500)] = ""
    confidence: Real | None = None


class _New(_EventBody):
    id: LineName
    after: Annotated[str, Field(max_length=96)] = ""
    seat: Role = ""
    role: Role
    start_ns: Ns
    end_ns: Ns
    text: Words
    voice: Role = ""
    source: Annotated[str, Field(max_length=32)] = "typed"


class _ChangeBody(_EventBody):
    """One of: a new line, or something about a line at the version that its writer has seen."""

    line: LineName | None = None
    base: Whole | None = None
    set: _Set | None = None
    propose: Annotated[list[_Proposal], Field(max_length=1000)] | None = None
    new: _New | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_kind(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        parts = _PARTS & value.keys()
        if any(value[key] is None for key in parts):
            raise ValueError("what a change does not say is left out, not null")
        if parts != {"new"} and not ("new" not in parts and {"line", "base"} <= parts):
            raise ValueError("a change is of a line and its base, or a new line")
        return value


class _Voice(_EventBody):
    seat: Role
    voice: Role
    role: Role


class _Word(_EventBody):
    text: Words
    probability: Real


class UtteranceBody(_EventBody):
    """Body of `utterance`, as far as it is folded."""

    id: LineName
    seat: Role
    role: Role
    start_ns: Ns
    end_ns: Ns
    text: Words
    confidence: Real | None = None
    voice: Role = ""
    words: Annotated[list[_Word], Field(max_length=20_000)] | None = None


class RevisionBody(_EventBody):
    """Body of `revision`."""

    id: LineName
    act: Annotated[str, Field(min_length=1, max_length=32)]
    by: Literal["clerk", "corrector"]
    tab: Short | None = ""
    name: Short | None = ""
    reason: Annotated[str, Field(max_length=1000)] | None = ""
    undoes: Annotated[str, Field(max_length=96)] | None = ""
    changes: Annotated[list[_ChangeBody], Field(max_length=MOST_CHANGES)]
    voice: _Voice | None = None


class CheckBody(_EventBody):
    """Body of `check`."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    ignored: Yes = False


class TranscriptBody(_EventBody):
    """Body of `transcript`."""

    id: Name
    version: Count
    sha256: Sha256
    lines: Count
    through: Whole


class _Person(_EventBody):
    role: Role
    name: Short = ""


class ObjectionBody(_EventBody):
    """Body of `objection`."""

    id: Name
    line: Annotated[str, Field(max_length=160)] | None = ""
    text: Words
    by: _Person
    wants: Words | None = ""
    outcome: Literal["corrected", "refused"]
    reason: Annotated[str, Field(max_length=2000)] | None = ""
    revision: Annotated[str, Field(max_length=160)] | None = ""
    replayed_from_ns: Ns | None = None
    replayed_to_ns: Ns | None = None


Point = Annotated[list[Real], Field(min_length=2, max_length=6)]


class SignatureBody(_EventBody):
    """Body of `signature`; the strokes are personal data (`server.events.redaction`)."""

    id: Name
    transcript: Annotated[str, Field(pattern=r"^[0-9a-f]{0,64}$")]
    """Of which words; who is only expected, or was not there, says nothing about any."""
    role: Role
    name: Short
    act: Literal["sign", "refuse", "expect", "absent"]
    reason: Annotated[str, Field(max_length=2000)] | None = ""
    size: Annotated[list[Real], Field(max_length=2)] | None = None
    strokes: (
        Annotated[list[Annotated[list[Point], Field(max_length=MOST_POINTS)]], Field(max_length=MOST_STROKES)] | None
    ) = None


class DocumentBody(_EventBody):
    """Body of `document`."""

    id: Name
    transcript: Sha256
    kind: Literal["docx", "pdf", "srt", "vtt", "json"]
    file: Annotated[str, Field(min_length=1, max_length=300)]
    bytes: Whole
    sha256: Sha256
    sm3: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


BODIES: dict[str, type[BaseModel]] = {
    "utterance": UtteranceBody,
    "revision": RevisionBody,
    "check": CheckBody,
    "transcript": TranscriptBody,
    "objection": ObjectionBody,
    "signature": SignatureBody,
    "document": DocumentBody,
}
"""What is checked of each kind."""
