"""In which post somebody of several was signed in last: the one that is offered first when they come again."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from server.people.person import Person, Post
from server.store.rights.credential_tables import last_posts


def offered_posts(connection: Connection, person: Person) -> list[Post]:
    """Their posts, the last one first."""
    row = connection.execute(select(last_posts).where(last_posts.c.person == person.id)).first()
    last = None if row is None else Post(row.role, row.court)
    return sorted(person.posts, key=lambda post: (post != last, post))


def note_last_post(connection: Connection, person: str, post: Post) -> None:
    """Somebody has signed in in this one."""
    connection.execute(delete(last_posts).where(last_posts.c.person == person))
    connection.execute(insert(last_posts).values(person=person, role=post.role, court=post.court))
