"""What a center tells a room of the sight of one of its hearings: the level, and the parts that are sealed.

Promises: what cannot be understood, because it is damaged or of a newer center, hides; it never shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sync.record.bodies.limits import INT64, Name
from sync.record.bodies.session import PartLevel
from sync.record.sealed_parts import EVER, OF_ROOM, SealedPart, Unseen

MAX_NOTICE_BYTES = 256 * 1024
MOST_NOTICES = 500
"""So many hearings of a room are told and kept, the newest: ids of hearings sort by their opening."""
MOST_OF_ONE = 1000
"""Parts of one hearing that are told, and lifted ones."""
_Moment = Annotated[int, Field(strict=True, ge=-INT64, le=INT64)]
_PartName = Annotated[str, Field(min_length=1, max_length=128)]
_EVERYTHING: Mapping[str, object] = {"id": "unreadable", "from_ns": -INT64, "to_ns": None, "level": "withdrawn"}


class NoticedPart(BaseModel):
    """A sealed part; why is for the center alone."""

    model_config = ConfigDict(extra="ignore")

    id: _PartName
    from_ns: _Moment
    to_ns: _Moment | None
    level: PartLevel

    @field_validator("level", mode="before")
    @classmethod
    def _known(cls, said: object) -> object:
        return "restricted" if said == "restricted" else "withdrawn"

    def part(self) -> SealedPart:
        """For the judgment."""
        return SealedPart(self.id, self.from_ns, self.to_ns, self.level)


class HearingNotice(BaseModel):
    """All that the center says of a hearing now; it replaces what it said before."""

    model_config = ConfigDict(extra="ignore")

    hearing: Name
    level: Literal["open", "restricted", "withdrawn"]
    parts: Annotated[list[NoticedPart], Field(max_length=MOST_OF_ONE)] = []
    """Those of the center. What the room has sealed by itself, the room knows."""
    lifted: Annotated[list[_PartName], Field(max_length=MOST_OF_ONE)] = []
    """Parts of the room that the archivist has lifted, by the room's own ids."""

    @field_validator("level", mode="before")
    @classmethod
    def _known(cls, said: object) -> object:
        return said if said in ("open", "restricted") else "withdrawn"

    @field_validator("parts", mode="before")
    @classmethod
    def _each(cls, said: object) -> list[Any]:
        """One part that cannot be read seals everything, and the others stand beside it."""
        if not isinstance(said, list) or len(said) > MOST_OF_ONE:
            return [_EVERYTHING]
        return [part if _is_part(part) else _EVERYTHING for part in said]

    @property
    def withheld(self) -> bool:
        """Whether not everybody may see the hearing."""
        return self.level != "open"


def _is_part(said: object) -> bool:
    try:
        NoticedPart.model_validate(said)
    except ValidationError:
        return False
    return True


class KeptNotices(BaseModel):
    """The file in which a room keeps them, so that they hold while the center is away."""

    notices: Annotated[list[HearingNotice], Field(max_length=MOST_NOTICES)] = []


def parts_in_force(own: Iterable[SealedPart], notice: HearingNotice | None) -> list[SealedPart]:
    """What is sealed of a hearing in its room: the room's `own` parts but for those that the archivist has lifted, and
    the center's. Of a part of its own the room's word counts, which is the newest."""
    mine = list(own)
    if notice is None:
        return mine
    known, lifted = {OF_ROOM + part.id for part in mine}, set(notice.lifted)
    told = [part.part() for part in notice.parts if part.id not in known]
    return [*(part for part in mine if part.id not in lifted), *told]


def unseen_in_room(own: Iterable[SealedPart], notice: HearingNotice | None, levels: frozenset[str]) -> Unseen:
    """What somebody in the room may not see of a hearing who may see these `levels` beside what is open."""
    if notice is not None and notice.withheld and notice.level not in levels:
        return Unseen(EVER)
    return Unseen.of(parts_in_force(own, notice), levels)
