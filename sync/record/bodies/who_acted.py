"""Who acted: which of the center's people did what an event says, where somebody was signed in as a person."""

from __future__ import annotations

from typing import Annotated

from typing_extensions import TypedDict

from sync.record.bodies.limits import Limits, Short


class WhoActed(TypedDict):
    """Their id at the center, and their name as it was."""

    person: Annotated[str, Limits(max_length=64)]
    name: Short
