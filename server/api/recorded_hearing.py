"""What is said of one hearing over HTTP beside the hearing itself, and what changes its level."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any, NotRequired

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from server.access.classification import Classification
from server.events.redaction import SignedWords
from server.playback.service import PlayableTrack
from sync.ledger.progress import ProofProgress
from sync.record.milliseconds import to_ms
from sync.record.sealed_parts import SealedPart, Unseen, UnseenSpan
from sync.text.fields import LINE


class NewClassification(BaseModel):
    """Body of a change of level: why is kept with it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    level: Classification
    reason: Annotated[str, LINE, Field(min_length=1, max_length=200)]


def part_to_screen(part: SealedPart, unseen: Unseen) -> dict[str, Any]:
    """A sealed part as somebody gets it: why it was sealed is for who may see it."""
    told = replace(part, reason="") if unseen.touches(part.from_ns, part.to_ns) else part
    shown = to_ms(asdict(told))
    assert isinstance(shown, dict)
    return shown


class RecordedHearing(TypedDict):
    """What `GET /api/hearings/{id}` says beside the hearing itself; `tracks` are those that can be played."""

    signing: SignedWords
    room: str
    court_name: str
    room_name: str
    access: Classification
    integrity: ProofProgress
    now_ms: float | None
    """Room time now; null when it is over, the room is not online, or nothing is known of it (`room_known`)."""
    room_known: NotRequired[bool]
    """False at a process of the center that does not hear the room yet: ask again. A center of before does not say
    it."""
    tracks: list[PlayableTrack]
    unseen: list[UnseenSpan]
    """What of it lies in sealed parts that who asks may not see."""
