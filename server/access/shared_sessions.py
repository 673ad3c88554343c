"""Who is signed in, the same in every process of a center: sessions in the database, kept in memory by each.

Promises: a session that was opened counts everywhere when its person is told so, and one that was ended nowhere. That
it is used is written down every `USE_S`, by each process for its own, so that eight hours of rest are those of all
processes together. A role whose code was made anew loses its sessions, and no process that still has the old code lets
anybody in by it. Only hashes of tokens are kept. What is not shared: how often a wrong code was tried, which each
process counts by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import Connection, delete, insert, or_, select, update

from server.access.shared_rights import SharedRights
from server.store.database import Database, upsert
from server.store.rights.posts import holds_post
from server.store.rights.rights_rows import (
    CODE_RIGHTS,
    SESSION_RIGHTS,
    note_changes,
    raise_version,
    sessions,
    sign_in_codes,
)
from sync.errors import AccessError, StorageError
from sync.http.rights.people import ABSOLUTE_S, IDLE_S, MAX_SESSIONS, MOST_OF_PERSON, People, Session

log = structlog.get_logger(__name__)

USE_S = 60.0
_UNSAID_S = 10 * USE_S
"""So much longer than they rest sessions are kept: another process may have to say yet that one was used."""


class SharedSessions:
    """All methods belong to one event loop, but `read`."""

    def __init__(
        self, database: Database, people: People, rights: SharedRights, ended: Callable[[Session], None]
    ) -> None:
        """`ended` is told of a session that another process has ended."""
        self._db = database
        self._people = people
        self._rights = rights
        self._ended = ended
        self._codes = _SharedCodes(people)
        self._written_s: dict[str, float] = {}
        """Use of each session, as this process has written it."""
        rights.keep(SESSION_RIGHTS, self)
        rights.keep(CODE_RIGHTS, self._codes)

    # What is followed.

    def read(self, connection: Connection, names: Collection[str] | None) -> dict[str, Session]:
        """These sessions as the store has them; None: all."""
        query = select(sessions)
        if names is not None:
            query = query.where(sessions.c.token_sha256.in_(names))
        return {row.token_sha256: _session(row) for row in connection.execute(query)}

    def take(self, names: Collection[str] | None, found: dict[str, Session]) -> None:
        """The store says so."""
        for key, session in found.items():
            self._people.put(key, session)
        for key in (self._people.known().keys() if names is None else set(names)) - found.keys():
            gone = self._people.drop(key)
            self._written_s.pop(key, None)
            if gone is not None:
                self._ended(gone)

    # Acts of this process (`sync.http.rights.access.SessionSharing`).

    async def opened(self, key: str, session: Session) -> None:
        """Keep a session that was opened here, in place of earlier ones of its guest and of what is over."""
        mine = self._people.code_digests().get(session.role)

        def work(connection: Connection) -> int:
            version = raise_version(connection, [(SESSION_RIGHTS, key)])
            if session.person and not holds_post(connection, session.person, session.role, session.court):
                raise AccessError("岗位已变动，请重新登录 (the post has changed; sign in again)", code="post")
            c = sign_in_codes.c
            code = connection.execute(select(c.sha256).where(c.role == session.role)).scalar()
            if not (session.grant or session.person) and code != mine:
                raise AccessError("登录码已更换 (the code was made anew)", code="code")
            now_s = self._rights.utc_s()
            s = sessions.c
            over = or_(s.since_s < now_s - ABSOLUTE_S, s.used_s < now_s - IDLE_S - _UNSAID_S)
            if session.grant:
                over = or_(over, s.grant == session.grant)
            gone = _deleted(connection, over)
            values = {"token_sha256": key, "id": session.id, "role": session.role, "name": session.name}
            times = {"since_s": session.since_s, "used_s": session.used_s, "until_s": session.until_s}
            whose = {"grant": session.grant, "person": session.person, "court": session.court}
            connection.execute(insert(sessions).values(**values, **times, **whose))
            newest = select(s.token_sha256).where(s.person == session.person)
            newest = newest.order_by(s.used_s.desc(), s.token_sha256)
            most = MOST_OF_PERSON if session.person else MAX_SESSIONS
            mine_too_many = (s.person == session.person) & s.token_sha256.not_in(newest.limit(most))
            gone |= _deleted(connection, mine_too_many)
            note_changes(connection, version, [(SESSION_RIGHTS, one) for one in gone - {key}])
            return version

        version = await self._db.write(work)
        # It counts here already, and from now on nothing older is taken over it. Before that a reading of everything,
        # as after a line to the database that was lost, may have found it not there yet, and ended what was opened.
        for _, kept in self._rights.own(version, [(SESSION_RIGHTS, key)]):
            self._people.put(kept, replace(session, ended=False))
        await self._rights.settled(version)

    async def ended(self, key: str) -> None:
        """End a session everywhere."""
        await self._end(sessions.c.token_sha256 == key)

    async def ended_of(self, grant: str) -> None:
        """End the sessions of a guest everywhere."""
        await self._end(sessions.c.grant == grant)

    async def ended_keys(self, keys: Collection[str]) -> None:
        """End sessions everywhere, by the hashes of their tokens."""
        await self._end(sessions.c.token_sha256.in_(sorted(keys)))

    async def ended_of_person(self, person: str) -> None:
        """End all sessions of a person everywhere."""
        await self._end((sessions.c.person == person) & (sessions.c.person != ""))

    async def _end(self, which: Any) -> None:
        def work(connection: Connection) -> tuple[int, set[str]]:
            version = raise_version(connection, [])
            gone = _deleted(connection, which)
            note_changes(connection, version, [(SESSION_RIGHTS, key) for key in gone])
            return version, gone

        version, gone = await self._db.write(work)
        for _, key in self._rights.own(version, [(SESSION_RIGHTS, key) for key in gone]):
            self._people.drop(key)  # Meanwhile it may have been read as it was before.
        await self._rights.settled(version)

    # Codes and use.

    async def begin(self) -> None:
        """Say by which codes people sign in from now on; sessions that others opened end. Before they are followed."""
        mine = self._people.code_digests()

        def work(connection: Connection) -> None:
            version = raise_version(connection, [])
            c = sign_in_codes.c
            stored = {row.role: row.sha256 for row in connection.execute(select(c.role, c.sha256))}
            anew = {role for role, digest in mine.items() if stored.get(role) != digest}
            upsert(connection, sign_in_codes, ["role"], [{"role": role, "sha256": mine[role]} for role in sorted(anew)])
            gone = _deleted(connection, sessions.c.role.in_(anew) & (sessions.c.person == ""))
            note_changes(connection, version, [(CODE_RIGHTS, role) for role in anew])
            note_changes(connection, version, [(SESSION_RIGHTS, key) for key in gone])

        await self._db.write(work)

    async def say_use(self) -> None:
        """Write down which sessions were used here, and learn which were elsewhere; call every `USE_S`."""
        used = {
            key: session.used_s
            for key, session in self._people.known().items()
            if session.used_s - self._written_s.get(key, session.since_s) >= USE_S
        }

        def work(connection: Connection) -> None:
            s = sessions.c
            for key, used_s in sorted(used.items()):
                connection.execute(
                    update(sessions).where(s.token_sha256 == key, s.used_s < used_s).values(used_s=used_s)
                )

        try:
            if used:
                await self._db.write(work)
                self._written_s |= used
            found = await self._db.read(lambda connection: self.read(connection, None))
        except StorageError as error:
            log.error("use_of_sessions_not_kept", why=error.message)
            return
        known = self._people.known()
        for key, session in found.items():
            if key in known:  # Which there are is followed, with the version.
                self._people.put(key, session)


class _SharedCodes:
    """By which codes people sign in, followed: `People` has them from a file that all processes share."""

    def __init__(self, people: People) -> None:
        self._people = people

    def read(self, connection: Connection, names: Collection[str] | None) -> dict[str, str]:
        c = sign_in_codes.c
        query = select(c.role, c.sha256)
        if names is not None:
            query = query.where(c.role.in_(names))
        return {row.role: row.sha256 for row in connection.execute(query)}

    def take(self, names: Collection[str] | None, found: dict[str, str]) -> None:
        mine = self._people.code_digests()
        if all(mine.get(role, digest) == digest for role, digest in found.items()):
            return
        try:
            self._people.read_codes_again()
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error(
                "codes_not_read", why=type(error).__name__, next="nobody signs in here by a code that was replaced"
            )


def _deleted(connection: Connection, which: Any) -> set[str]:
    """The keys of sessions that are no more."""
    gone = delete(sessions).where(which).returning(sessions.c.token_sha256)
    return set(connection.execute(gone).scalars())


def _session(row: Any) -> Session:
    return Session(
        role=row.role,
        name=row.name,
        since_s=row.since_s,
        used_s=row.used_s,
        grant=row.grant,
        until_s=row.until_s,
        id=row.id,
        person=row.person,
        court=row.court,
    )
