"""What all bodies of requests to the edge have in common: a key that nobody knows is refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class WordsBody(BaseModel):
    """A body whose texts are kept as they are, blanks at their ends included."""

    model_config = ConfigDict(extra="forbid")


class EdgeBody(BaseModel):
    """A body whose texts lose the blanks at their ends."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
