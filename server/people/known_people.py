"""Courts and persons as this process knows them: by what every request of a person is judged.

The truth is in the database; each process follows it as it follows all rights (`server.access.shared_rights`), so that
a post that was taken away counts nowhere any more when whoever took it is answered. Promises: a session stands only
while its person is active and holds the post in which it acts, at a court that is there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from server.access.shared_rights import SharedRights
from server.people.court_tree import CourtTree
from server.people.person import Person, Post
from server.people.person_rows import court_tree, persons_of
from server.store.rights.rights_rows import COURT_RIGHTS, PERSON_RIGHTS
from server.store.rights.sitting import folded_name
from sync.http.rights.people import Session
from sync.http.rights.roles import SITTING
from sync.runtime.listeners import Listeners


class KnownPeople:
    """All methods belong to one event loop, but `read`. It is the keeper of persons; `courts` is that of courts."""

    def __init__(self, rights: SharedRights) -> None:
        self.changed = Listeners[[frozenset[str]]]()
        """Told of the persons of whom something has changed, and of all who share a name and a court with them."""
        self.courts = _KnownCourts()
        self._persons: dict[str, Person] = {}
        self._named: dict[tuple[str, str], set[str]] = {}
        rights.keep(PERSON_RIGHTS, self)
        rights.keep(COURT_RIGHTS, self.courts)

    # What is followed.

    def read(self, connection: Connection, names: Collection[str] | None) -> dict[str, Person]:
        """These persons, None: all."""
        return persons_of(connection, names)

    def take(self, names: Collection[str] | None, found: Mapping[str, Person]) -> None:
        """The store says so."""
        touched = {*self._persons, *found} if names is None else set(names)
        changed: set[str] = set()
        for one in touched:
            before, now = self._persons.pop(one, None), found.get(one)
            if now is not None:
                self._persons[one] = now
            if before != now:
                changed |= {one, *self._rename(before, now)}
        if changed:
            self.changed.notify(frozenset(changed))

    def _rename(self, before: Person | None, now: Person | None) -> set[str]:
        """Others whose name is now theirs alone, or is not any more."""
        others: set[str] = set()
        for key in () if before is None else _names_of(before):
            self._named.get(key, set()).discard(before.id if before else "")
            others |= self._named.get(key, set())
            if not self._named.get(key):
                self._named.pop(key, None)
        for key in () if now is None else _names_of(now):
            others |= self._named.setdefault(key, set())
            self._named[key].add(now.id if now else "")
        return others

    # What is asked.

    @property
    def tree(self) -> CourtTree:
        """The courts."""
        return self.courts.tree

    def person(self, one: str) -> Person | None:
        """Somebody by their id."""
        return self._persons.get(one)

    def everybody(self) -> Collection[Person]:
        """All persons, those who have left included."""
        return self._persons.values()

    def stands(self, session: Session) -> bool:
        """Whether a session is still worth something: that of a guest or of a role's code always is, here."""
        if not session.person:
            return True
        person = self._persons.get(session.person)
        held = person is not None and person.is_active and Post(session.role, session.court) in person.posts
        return held and session.court in self.tree.courts

    def reach(self, session: Session) -> frozenset[str] | None:
        """The slugs of the courts that a session reaches; None, which is all of them, for who came by a role's code."""
        if not session.person:
            return None
        return self.tree.reach(session.court) if self.stands(session) else frozenset()

    def sits_as(self, session: Session) -> str | None:
        """The folded name under which somebody sits in hearings of their post's court; None for who sees more than
        those, and "" where two active persons there have one name: then it is not known who of them is meant."""
        if not session.person or session.role not in SITTING:
            return None
        person = self._persons.get(session.person)
        name = "" if person is None else folded_name(person.name)
        return name if name and self._named.get((session.court, name)) == {session.person} else ""

    def shares_name(self, person: Person) -> bool:
        """Whether another active person of one of their courts has the same name."""
        return any(len(self._named.get(key, ())) > 1 for key in _names_of(person))


class _KnownCourts:
    """The keeper of courts; a few hundred, so all of them are read when one changes."""

    def __init__(self) -> None:
        self.tree = CourtTree(())
        self.changed = Listeners[[]]()

    def read(self, connection: Connection, names: Collection[str] | None) -> CourtTree:
        return court_tree(connection)

    def take(self, names: Collection[str] | None, found: CourtTree) -> None:
        if found.courts != self.tree.courts:
            self.tree = found
            self.changed.notify()


def _names_of(person: Person) -> list[tuple[str, str]]:
    """(court, folded name) of somebody who works here."""
    name = folded_name(person.name)
    return [(court, name) for court in sorted(person.courts)] if person.is_active else []
