"""The docket (排期): the day's hearings of a room, set at the center and kept by the room."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from sync.text.characters import clean_line
from sync.text.fields import CASE_NUMBER, LINE, LONGEST, NAMES
from sync.text.names import clean_name

MAX_DOCKET_BYTES = 1088 * 1024
"""Of a docket as it is told to a room: a day of one room has some ten kilobytes."""
MOST_PARTIES = 32
Text = Annotated[str, LINE, Field(max_length=200)]
Party = Annotated[str, LINE, Field(min_length=1, max_length=40)]
"""What somebody is in the case: 原告."""
Names = Annotated[str, NAMES, Field(max_length=200)]


def _of_one_role(parties: Any) -> Any:
    """Roles that are one once they are cleaned keep the names of both."""
    if not isinstance(parties, dict) or len(parties) > MOST_PARTIES:
        return parties
    joined: dict[Any, Any] = {}
    for role, names in parties.items():
        key = clean_line(role) if isinstance(role, str) else role
        both = isinstance(names, str) and isinstance(joined.get(key), str)
        joined[key] = f"{joined[key]}、{names}" if both else names
    return joined


Term = Annotated[str, LINE, Field(min_length=2, max_length=40)]
TermKind = Literal["person", "place", "statute", "exhibit", "term"]


def _with_names(vocabulary: Any) -> Any:
    """Only people have names: a dot or a blank of any other term is its own."""
    people = vocabulary.get("person") if isinstance(vocabulary, dict) else None
    if not isinstance(people, list):
        return vocabulary
    return vocabulary | {"person": [clean_name(p) if isinstance(p, str) and len(p) <= LONGEST else p for p in people]}


CaseTerms = Annotated[dict[TermKind, Annotated[list[Term], Field(max_length=200)]], BeforeValidator(_with_names)]
"""What will be said in a case beside the parties' names, by its kind."""


def _empty(said: str) -> bool:
    """A field that is not said is not told either: dockets of before it stay as they were."""
    return not said


class Case(BaseModel):
    """What a hearing is about."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    case_no: Annotated[str, CASE_NUMBER, Field(min_length=1, max_length=100)]
    """案号: (2026)黑05民初123号."""
    cause: Text = ""
    title: Text = ""
    parties: Annotated[dict[Party, Names], BeforeValidator(_of_one_role)] = Field(
        default_factory=dict, max_length=MOST_PARTIES
    )
    vocabulary: CaseTerms = Field(default_factory=dict)
    """What will be said in this case, beside the parties' names: it biases the engine and guides the corrector."""
    public: bool = True
    kind: Annotated[str, LINE, Field(max_length=32, pattern=r"^([a-z][a-z0-9-]*)?$")] = Field("", exclude_if=_empty)
    """The id of a kind of case (`sync.cases`): criminal. Empty: as the case number says."""
    procedure: Literal["ordinary", "simplified"] = "ordinary"
    """`simplified`: a civil case in 简易程序, the only one whose recording may stand for the 笔录."""


class DocketEntry(Case):
    """One planned hearing."""

    id: Annotated[str, LINE, Field(min_length=1, max_length=64)]
    time: Annotated[str, LINE, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


def _real(date: str) -> str:
    """`ValueError` for a day that no calendar has."""
    datetime.date.fromisoformat(date)
    return date


class Docket(BaseModel):
    """A day of one room."""

    model_config = ConfigDict(extra="ignore")

    date: Annotated[str, LINE, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_real)]
    """A day that there is: one that there is not would never be missed when it was not recorded."""
    hearings: list[DocketEntry] = Field(default_factory=list, max_length=200)
