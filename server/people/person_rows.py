"""Courts and persons as the database has them, each read in one moment's state."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from server.people.court_tree import Court, CourtTree
from server.people.person import Person, Post
from server.store import tables as t

_AT_ONCE = 400
"""Values of one query: databases bound how many it may hold."""


def court_tree(connection: Connection) -> CourtTree:
    """All courts."""
    rows = connection.execute(select(t.courts))
    return CourtTree(Court(row.slug, row.name, row.level, row.parent) for row in rows)


def persons_of(connection: Connection, ids: Collection[str] | None) -> dict[str, Person]:
    """These persons, None: all, by their ids."""
    if ids is None:
        return _joined(connection.execute(select(t.persons)).all(), connection.execute(select(t.posts)).all())
    found: dict[str, Person] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        people = connection.execute(select(t.persons).where(t.persons.c.id.in_(some))).all()
        found |= _joined(people, connection.execute(select(t.posts).where(t.posts.c.person.in_(some))).all())
    return found


def person_by_login(connection: Connection, login: str) -> Person | None:
    """Whoever has this login, or had it."""
    found = connection.execute(select(t.persons.c.id).where(t.persons.c.login == login)).scalar()
    return None if found is None else persons_of(connection, [found]).get(found)


def person_by_subject(connection: Connection, source: str, subject: str) -> Person | None:
    """Whom a provider or a directory knows by `subject`."""
    p = t.persons.c
    found = connection.execute(select(p.id).where(p.source == source, p.subject == subject).limit(1)).scalar()
    return None if found is None or not subject else persons_of(connection, [found]).get(found)


def write_posts(connection: Connection, person: str, posts: Collection[Post]) -> None:
    """Let somebody hold these posts and no others."""
    connection.execute(delete(t.posts).where(t.posts.c.person == person))
    rows = [{"person": person, "role": post.role, "court": post.court} for post in sorted(set(posts))]
    if rows:
        connection.execute(insert(t.posts), rows)


def _joined(people: Sequence[Row[Any]], posts: Sequence[Row[Any]]) -> dict[str, Person]:
    held: dict[str, set[Post]] = {}
    for row in posts:
        held.setdefault(row.person, set()).add(Post(row.role, row.court))
    return {
        row.id: Person(
            id=row.id,
            login=row.login,
            name=row.name,
            court=row.court,
            state=row.state,
            source=row.source,
            subject=row.subject,
            posts=frozenset(held.get(row.id, ())),
            made_utc_ns=row.made_utc_ns,
            left_utc_ns=row.left_utc_ns,
            seen_utc_ns=row.seen_utc_ns,
        )
        for row in people
    }
