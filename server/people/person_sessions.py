"""Sessions of persons: opened in one post, and over everywhere once person, post or court are not what they were.

Promises: whoever is locked, leaves or loses a post is signed out of it in all processes when the act is answered, and
what they had open is closed. Whose reach became another is cut off, too, and judged anew when they open it again.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from fastapi import Request, Response

from server.access.audit import address_of
from server.people.known_people import KnownPeople
from server.people.people_store import PeopleStore
from server.people.person import Post
from server.people.reaches import Reaches
from sync.errors import AccessError
from sync.http.rights.access import Access
from sync.http.rights.people import Session, SessionLimits
from sync.runtime.listeners import Listeners


@dataclass(frozen=True, slots=True)
class PersonSession:
    """A session that lasts, as its owner and administrators see it; times are UTC in seconds."""

    id: str
    role: str
    court: str
    since_s: float
    used_s: float


class PersonSessions:
    """All methods belong to one event loop."""

    def __init__(
        self,
        access: Access,
        known: KnownPeople,
        store: PeopleStore,
        reaches: Reaches,
        limits: dict[str, SessionLimits],
    ) -> None:
        self._access = access
        self._known = known
        self._store = store
        self._ending: set[asyncio.Task[None]] = set()
        self.judged_anew = Listeners[[]]()
        """Told when somebody may see more, or less, than before."""
        access.hold_persons(known.stands, limits, reaches.check)
        known.changed.add(self._changed)
        known.courts.changed.add(self._courts_changed)

    async def open(self, request: Request, response: Response, person: str, post: Post, proven: str = "") -> Session:
        """Let somebody in who was recognized, in a post of theirs; `AccessError` "post" when they do not hold it.
        `proven`: by what, for the audit."""
        known = self._known.person(person)
        if known is None or not known.is_active or post not in known.posts:
            raise AccessError("您没有这个岗位 (this post is not yours)", code="post")
        session = await self._access.open_person(response, post.role, known.name, person, post.court)
        await self._store.seen(person)
        self._access.note("sign-in", session.role, address_of(request), proven, person)
        return session

    def of(self, person: str) -> list[PersonSession]:
        """Their sessions, the one that was used last first."""
        found = sorted(self._access.sessions_of(person), key=lambda one: -one.used_s)
        return [PersonSession(one.id, one.role, one.court, one.since_s, one.used_s) for one in found]

    async def end(self, person: str, *, only: str = "", but: str = "") -> int:
        """End their sessions everywhere: the one with the id `only`, or all but the one with the id `but`; how many."""
        return await self._access.end_person(person, only=only, but=but)

    def _changed(self, persons: frozenset[str]) -> None:
        for one in persons:
            for session in self._access.sessions_of(one):
                if not self._known.stands(session):
                    session.ended = True
        self._access.cut(lambda session: session.person in persons)
        self.judged_anew.notify()
        gone = [one for one in persons if (known := self._known.person(one)) is not None and not known.is_active]
        for one in gone:
            task = asyncio.ensure_future(self._end(one))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _end(self, person: str) -> None:
        with contextlib.suppress(AccessError):
            await self._access.end_person(person)

    def _courts_changed(self) -> None:
        self._access.cut(lambda session: bool(session.person))
        self.judged_anew.notify()
