"""Whether somebody holds a post now, as the database has it: asked where a right is about to be given."""

from __future__ import annotations

from sqlalchemy import Connection, select

from server.store import tables as t

ACTIVE, LOCKED, LEFT = "active", "locked", "left"
"""States of a person. Who has left never comes back under the same row."""


def holds_post(connection: Connection, person: str, role: str, court: str) -> bool:
    """Whether this person works here and has this role at this court."""
    p, of = t.persons.c, t.posts.c
    query = select(p.id).join(t.posts, of.person == p.id)
    held = query.where(p.id == person, p.state == ACTIVE, of.role == role, of.court == court)
    return connection.execute(held).first() is not None
