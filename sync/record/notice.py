"""What a center tells a room of the sight of one of its hearings: the level, and the parts that are sealed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from sync.record.bodies.limits import INT64, Name
from sync.record.bodies.session import PartLevel
from sync.record.sealed_parts import SealedPart

MAX_NOTICE_BYTES = 256 * 1024
MOST_NOTICES = 500
"""So many hearings of a room are told and kept, the newest: ids of hearings sort by their opening."""
_Moment = Annotated[int, Field(strict=True, ge=-INT64, le=INT64)]


class NoticedPart(BaseModel):
    """A sealed part; why is for the center alone."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(min_length=1, max_length=128)]
    from_ns: _Moment
    to_ns: _Moment | None
    level: PartLevel

    def part(self) -> SealedPart:
        """For the judgment."""
        return SealedPart(self.id, self.from_ns, self.to_ns, self.level)


class HearingNotice(BaseModel):
    """All that the center says of a hearing now; it replaces what it said before."""

    model_config = ConfigDict(extra="ignore")

    hearing: Name
    level: Literal["open", "restricted", "withdrawn"]
    parts: Annotated[list[NoticedPart], Field(max_length=1000)] = []

    @property
    def withheld(self) -> bool:
        """Whether not everybody may see the hearing."""
        return self.level != "open"


class KeptNotices(BaseModel):
    """The file in which a room keeps them, so that they hold while the center is away."""

    notices: Annotated[list[HearingNotice], Field(max_length=MOST_NOTICES)] = []
