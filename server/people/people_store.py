"""Persons and their posts as they are changed: by whom, under which rules, and known everywhere when it returns.

Each act is one transaction with its line in the audit log. Promises: logins are nobody else's ever after; all posts of
one person are of one power (三权分立); an administrator changes only people of their own reach and gives only posts in
it; and as long as there has been an administrator of a court at the top, there is one who is active. Who has left keeps
row and history and never comes back under it. Refused fields are named one by one (`FaultyFormError`).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, insert, select, update

from server.access.shared_rights import SharedRights
from server.people.acting import ActingPerson
from server.people.court_tree import CourtTree
from server.people.faults import FaultyFormError, FieldFault
from server.people.known_people import KnownPeople
from server.people.person import Person, PersonForm, Post, login_of
from server.people.person_rows import court_tree, person_by_login, person_by_subject, persons_of, write_posts
from server.people.rules import faults_of
from server.store import tables as t
from server.store.audit_rows import append_rows
from server.store.database import Database
from server.store.rights.posts import ACTIVE, LEFT, LOCKED
from server.store.rights.rights_rows import PERSON_RIGHTS, raise_version
from server.store.rights.sitting import folded_name
from sync.errors import HearingError, WutongError
from sync.http.rights.roles import ADMINISTRATOR
from sync.text.names import clean_name

NO_PERSON = "没有这名人员 (there is no such person)"


class PeopleStore:
    """All methods belong to one event loop."""

    def __init__(
        self, database: Database, known: KnownPeople, rights: SharedRights, *, utc_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._db = database
        self._known = known
        self._rights = rights
        self._utc_ns = utc_ns

    async def by_login(self, login: str) -> Person | None:
        """Whoever has this login, as `login_of` writes it, or had it."""
        return await self._db.read(lambda connection: person_by_login(connection, login))

    async def by_subject(self, source: str, subject: str) -> Person | None:
        """Whom a provider ("oidc") or a directory ("ldap") knows by `subject`."""
        return await self._db.read(lambda connection: person_by_subject(connection, source, subject))

    async def add(self, form: PersonForm, by: ActingPerson) -> Person:
        """Write down somebody new, active; `FaultyFormError`."""
        person = self.made(form)
        await self._act(person.id, lambda connection: self.add_in(connection, person, by, form.posts))
        return person

    def made(self, form: PersonForm) -> Person:
        """Somebody as they will be written down."""
        return Person(
            id=secrets.token_hex(8),
            login=login_of(form.login),
            name=clean_name(form.name),
            court=form.court,
            state=ACTIVE,
            source=form.source,
            subject=form.subject,
            posts=frozenset(form.posts),
            made_utc_ns=self._utc_ns(),
        )

    @staticmethod
    def add_in(connection: Connection, person: Person, by: ActingPerson, given: Sequence[Post] = ()) -> None:
        """`add` within a transaction that has raised the version."""
        tree = court_tree(connection)
        faults = faults_of(person, tree, by.reach(tree), given=given)
        if person_by_login(connection, person.login) is not None:
            faults.append(FieldFault("login", "登录名已被使用 (this login is, or was, somebody else's)"))
        if faults:
            raise FaultyFormError(faults)
        row = {name: getattr(person, name) for name in _COLUMNS}
        connection.execute(insert(t.persons).values(**row, folded=folded_name(person.name)))
        write_posts(connection, person.id, person.posts)
        by.note(connection, "person-added", {"of": person.id, "login": person.login, **_held(person)})

    async def add_many(self, people: Sequence[Person], by: ActingPerson) -> None:
        """Write down these, made by `made`, in one act; `FaultyFormError` when one cannot be, and then none is."""
        ids = [person.id for person in people]

        def work(connection: Connection) -> tuple[int, dict[str, Person]]:
            version = raise_version(connection, [(PERSON_RIGHTS, one) for one in ids])
            tree = court_tree(connection)
            reach = by.reach(tree)
            taken = set(connection.execute(select(t.persons.c.login)).scalars())
            for person in people:
                faults = faults_of(person, tree, reach)
                if person.login in taken:
                    faults.append(FieldFault("login", "登录名已被使用 (this login is, or was, somebody else's)"))
                if faults:
                    raise FaultyFormError(faults)
                taken.add(person.login)
            rows = [
                {name: getattr(one, name) for name in _COLUMNS} | {"folded": folded_name(one.name)} for one in people
            ]
            connection.execute(insert(t.persons), rows)
            held = [(one.id, post) for one in people for post in sorted(one.posts)]
            connection.execute(
                insert(t.posts), [{"person": one, "role": post.role, "court": post.court} for one, post in held]
            )
            lines = [by.line("person-added", {"of": one.id, "login": one.login, **_held(one)}) for one in people]
            append_rows(connection, lines)
            return version, persons_of(connection, ids)

        version, found = await self._db.write(work)
        if self._rights.own(version, [(PERSON_RIGHTS, one) for one in ids]):
            self._known.take(ids, found)
        await self._rights.settled(version)

    async def change(
        self,
        one: str,
        by: ActingPerson,
        *,
        name: str | None = None,
        court: str | None = None,
        posts: tuple[Post, ...] | None = None,
    ) -> Person:
        """Give somebody another name, court or other posts; `FaultyFormError`, `WutongError` "not-found"."""

        def changed(before: Person) -> Person:
            return replace(
                before,
                name=before.name if name is None else clean_name(name),
                court=before.court if court is None else court,
                posts=before.posts if posts is None else frozenset(posts),
            )

        return await self._change(one, by, "person-changed", changed, given=posts or ())

    async def lock(self, one: str, by: ActingPerson) -> Person:
        """Let somebody in no more, until they are unlocked."""
        return await self._change(one, by, "person-locked", lambda before: replace(before, state=LOCKED))

    async def unlock(self, one: str, by: ActingPerson) -> Person:
        """Let somebody in again."""
        return await self._change(one, by, "person-unlocked", lambda before: replace(before, state=ACTIVE))

    async def leave(self, one: str, by: ActingPerson, why: str = "") -> Person:
        """Somebody has left the court for good: nobody signs in as them, and their row and history stay."""
        left_ns = self._utc_ns()
        return await self._change(
            one, by, "person-left", lambda before: replace(before, state=LEFT, left_utc_ns=left_ns), why=why
        )

    async def seen(self, one: str) -> None:
        """Somebody has just signed in."""
        values = {"seen_utc_ns": self._utc_ns()}
        await self._db.write(lambda connection: connection.execute(update(t.persons).where(_is(one)).values(**values)))

    async def bind(self, one: str, source: str, subject: str, by: ActingPerson) -> Person:
        """From now on somebody is who a provider or a directory says."""
        return await self._change(
            one, by, "person-bound", lambda before: replace(before, source=source, subject=subject), source=source
        )

    async def _change(
        self,
        one: str,
        by: ActingPerson,
        what: str,
        changed: Callable[[Person], Person],
        given: Sequence[Post] = (),
        **said: Any,
    ) -> Person:
        def work(connection: Connection) -> Person:
            tree = court_tree(connection)
            before = persons_of(connection, [one]).get(one)
            if before is None or before.court not in by.reach(tree):
                raise WutongError(NO_PERSON, code="not-found")
            if before.state == LEFT:
                raise HearingError(
                    "此人已离职，记录不再更改 (this person has left; the row stays as it is)", code="left"
                )
            now = changed(before)
            check_remains(connection, tree, before, now)
            faults = faults_of(now, tree, by.reach(tree), before, given)
            if faults:
                raise FaultyFormError(faults)
            if now == before:
                return now
            row = {name: getattr(now, name) for name in _COLUMNS if name != "id"}
            connection.execute(update(t.persons).where(_is(one)).values(**row, folded=folded_name(now.name)))
            if now.posts != before.posts:
                write_posts(connection, one, now.posts)
            by.note(connection, what, {"of": one, **_differing(before, now), **said})
            return now

        return await self._act(one, work)

    async def _act(self, one: str, work: Callable[[Connection], Person | None]) -> Person:
        def raised(connection: Connection) -> tuple[int, dict[str, Person]]:
            version = raise_version(connection, [(PERSON_RIGHTS, one)])
            work(connection)
            return version, persons_of(connection, [one])

        version, found = await self._db.write(raised)
        if self._rights.own(version, [(PERSON_RIGHTS, one)]):
            self._known.take({one}, found)
        await self._rights.settled(version)
        return found[one]


_COLUMNS = ("id", "login", "name", "court", "state", "source", "subject", "made_utc_ns", "left_utc_ns", "seen_utc_ns")


def has_administrator(connection: Connection, but: str = "") -> bool:
    """Whether an active administrator of a court at the top is known, besides `but`."""
    p, of, c = t.persons.c, t.posts.c, t.courts.c
    query = select(p.id).join(t.posts, of.person == p.id).join(t.courts, c.slug == of.court)
    query = query.where(of.role == ADMINISTRATOR, p.state == ACTIVE, c.parent.is_(None), p.id != but).limit(1)
    return connection.execute(query).first() is not None


def check_remains(connection: Connection, tree: CourtTree, before: Person, now: Person) -> None:
    """`HearingError` "last-administrator" when nobody would administer the top any more."""
    tops = {court.slug for court in tree.tops}
    if before.administers & tops and not now.administers & tops and not has_administrator(connection, before.id):
        raise HearingError(
            "这是最后一名系统管理员，请先指定另一名 (the last administrator of the top court; name another first)",
            code="last-administrator",
        )


def _held(person: Person) -> dict[str, Any]:
    return {"court": person.court, "posts": [f"{post.role} {post.court}" for post in sorted(person.posts)]}


def _differing(before: Person, now: Person) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name in ("name", "court", "state", "source"):
        if getattr(before, name) != getattr(now, name):
            said[name] = [getattr(before, name), getattr(now, name)]
    if before.posts != now.posts:
        said["posts"] = [_held(before)["posts"], _held(now)["posts"]]
    return said


def _is(one: str) -> Any:
    return t.persons.c.id == one
