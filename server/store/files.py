"""Which stored bytes belong to which hearing: what is served of a hearing is what was stored as a part of it.

Bytes are named by their content, and whoever reads a hash could name them. So a hash is no key: an object is served
only as what its own room stored it for (hearing, kind), and never below the level of any hearing that holds the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, not_, select

from server.store import tables as t
from server.store.rights.sight import Sight


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What an object is in a hearing."""

    room: str
    hearing: str
    kind: str
    track: str
    segment_index: int
    sha256: str
    fault: str = ""
    """Why it cannot be shown as what it is; empty when it can."""


def belongs(room: str, hearing: str, kind: str) -> ColumnElement[bool]:
    """Whether a row of `files` says that its object is a `kind` of this hearing of this room."""
    f = t.files.c
    return (f.room == room) & (f.hearing == hearing) & (f.kind == kind)


def is_free(sight: Sight) -> ColumnElement[bool]:
    """Whether no hearing whose level is beyond sight holds the bytes of a row of `files`, too.

    A hearing whose opening has not come yet counts by what is said of its level alone.
    """
    other = t.files.alias("other_files")
    beyond = select(t.hearings.c.id).where(t.hearings.c.id == other.c.hearing, not_(sight.of_levels())).correlate(other)
    said = (
        select(t.levels.c.hearing)
        .where(t.levels.c.hearing == other.c.hearing, t.levels.c.level.not_in(sorted(sight.levels)))
        .correlate(other)
    )
    held = select(other.c.sha256).where(other.c.sha256 == t.files.c.sha256, exists(beyond) | exists(said))
    return not_(exists(held.correlate(t.files)))
