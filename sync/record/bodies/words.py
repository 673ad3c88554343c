"""Bodies of the words' events (docs/protocol.md, "The transcript"): what was heard, and what people changed in it.

Null is read as not said where a type allows it; whoever writes leaves such a key out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, NotRequired

from typing_extensions import TypedDict

from sync.record.bodies.limits import UNCHECKED, Count, Limits, LineName, Ns, Real, Role, Short, Whole, Words, Yes
from sync.record.bodies.who_acted import WhoActed

MOST_CHANGES = 20_000
"""A change of a voice's role names all its lines."""
_PARTS = frozenset({"line", "base", "set", "propose", "new"})


class SpokenWord(TypedDict):
    """A word as the engine aligned it."""

    text: Words
    start_ns: NotRequired[Annotated[int, UNCHECKED]]
    end_ns: NotRequired[Annotated[int, UNCHECKED]]
    probability: Real


class UtteranceBody(TypedDict):
    """Body of `utterance`; `voice` is "" where the voices of a seat are not told apart."""

    id: LineName
    seat: Role
    role: Role
    start_ns: Ns
    end_ns: Ns
    text: Words
    confidence: NotRequired[Real | None]
    voice: NotRequired[Role]
    words: NotRequired[Annotated[list[SpokenWord], Limits(max_length=20_000)] | None]


class LineSettings(TypedDict, total=False):
    """What a change sets on a line; a key that is not said is not set."""

    text: Words
    role: Role
    seat: Role
    struck: Yes
    doubtful: Yes
    gone: Annotated[str, Limits(max_length=32)]
    start_ns: Ns
    end_ns: Ns


LineProposal = TypedDict(
    "LineProposal",
    {
        "at": Count,
        "length": Count,
        "from": Words,
        "to": Words,
        "why": NotRequired[Annotated[str, Limits(max_length=500)]],
        "confidence": NotRequired[Real | None],
    },
)
"""What the corrector would change in a line; `at` and `length` in characters."""


class InsertedLine(TypedDict):
    """A line that was not there; it comes after line `after`, or by its time."""

    id: LineName
    after: NotRequired[Annotated[str, Limits(max_length=96)]]
    seat: NotRequired[Role]
    role: Role
    start_ns: Ns
    end_ns: Ns
    text: Words
    voice: NotRequired[Role]
    source: NotRequired[Annotated[str, Limits(max_length=32)]]


class LineChange(TypedDict, total=False):
    """One of: a `new` line, or something about a `line` at the version that its writer has seen (`base`)."""

    line: LineName
    base: Whole
    set: LineSettings
    propose: Annotated[list[LineProposal], Limits(max_length=1000)]
    new: InsertedLine


class _OneKind:
    """That a change is of a line and its base, or a new line, and says nothing by null."""

    @staticmethod
    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        parts = _PARTS & value.keys()
        if any(value[key] is None for key in parts):
            raise ValueError("what a change does not say is left out, not null")
        if parts != {"new"} and not ("new" not in parts and {"line", "base"} <= parts):
            raise ValueError("a change is of a line and its base, or a new line")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """How pydantic asks for it."""
        rule = {"type": "no-info", "function": self.check}
        return {"type": "function-before", "function": rule, "schema": handler(source)}


class NamedVoice(TypedDict):
    """Which role speaks with a voice of a seat."""

    seat: Role
    voice: Role
    role: Role


class RevisionBody(TypedDict):
    """Body of `revision`: one act of one writer, which counts whole or not at all."""

    id: LineName
    act: Annotated[str, Limits(min_length=1, max_length=32)]
    by: Literal["clerk", "corrector"]
    tab: NotRequired[Short | None]
    """Of the panel."""
    name: NotRequired[Short | None]
    reason: NotRequired[Annotated[str, Limits(max_length=1000)] | None]
    undoes: NotRequired[Annotated[str, Limits(max_length=96)] | None]
    """A revision's id."""
    changes: Annotated[list[Annotated[LineChange, _OneKind()]], Limits(max_length=MOST_CHANGES)]
    voice: NotRequired[NamedVoice | None]
    who: NotRequired[WhoActed]


class CheckBody(TypedDict):
    """Body of `check`: the clerk let a finding of the checks stand, or took that back."""

    id: Annotated[str, Limits(min_length=1, max_length=200)]
    ignored: NotRequired[Yes]
    line: NotRequired[Annotated[str, UNCHECKED]]
    kind: NotRequired[Annotated[str, UNCHECKED]]
    text: NotRequired[Annotated[str, UNCHECKED]]
    who: NotRequired[WhoActed]
