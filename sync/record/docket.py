"""The docket (排期): the day's hearings of a room, set at the center and kept by the room."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=200)]


Term = Annotated[str, Field(min_length=2, max_length=40)]
TermKind = Literal["person", "place", "statute", "exhibit", "term"]


class Case(BaseModel):
    """What a hearing is about."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    case_no: Annotated[str, Field(min_length=1, max_length=100, description="案号, e.g. (2026)黑05民初123号")]
    cause: Text = ""
    title: Text = ""
    parties: dict[Annotated[str, Field(max_length=40)], Text] = Field(default_factory=dict, max_length=32)
    vocabulary: dict[TermKind, Annotated[list[Term], Field(max_length=200)]] = Field(default_factory=dict)
    """What will be said in this case, beside the parties' names: it biases the engine and guides the corrector."""
    public: bool = True
    procedure: Literal["ordinary", "simplified"] = "ordinary"
    """`simplified`: a civil case in 简易程序, the only one whose recording may stand for the 笔录."""


class DocketEntry(Case):
    """One planned hearing."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Docket(BaseModel):
    """A day of one room."""

    model_config = ConfigDict(extra="ignore")

    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    hearings: list[DocketEntry] = Field(default_factory=list, max_length=200)
