"""Pages of people and of courts, searched, sorted and counted in the query, as far as an administrator reaches."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from sqlalchemy import ColumnElement, Connection, func, or_, select
from typing_extensions import TypedDict

from server.people.court_tree import Court, CourtTree, Level
from server.people.person import Person, login_of
from server.people.person_rows import persons_of
from server.store import tables as t
from server.store.rights.credential_tables import credentials
from server.store.rights.posts import LEFT
from server.store.rights.sitting import folded_name
from sync.http.rights.roles import Role
from sync.runtime.units import NS_PER_MS

MOST_A_PAGE = 200
PersonState = Literal["active", "locked", "left"]
PersonSource = Literal["local", "oidc", "ldap"]
FactorKind = Literal["password", "totp", "passkey", "recovery"]


class PostListed(TypedDict):
    """A post: a role at a court."""

    role: Role
    court: str


class PersonListed(TypedDict):
    """A person in a list, and on a page of their own."""

    id: str
    login: str
    name: str
    court: str
    court_name: str
    posts: list[PostListed]
    state: PersonState
    source: PersonSource
    seen_utc_ms: float | None
    factors: list[FactorKind]
    """By what they can prove themselves; empty until they have signed in for the first time."""
    shares_name: bool
    """Whether another active person of one of their courts has the same name: neither sees the hearings in which that
    name sits."""


class PeopleListed(TypedDict):
    """A page of people."""

    total: int
    rows: list[PersonListed]


class CourtListed(TypedDict):
    """A court in the tree."""

    slug: str
    name: str
    level: Level
    parent: str | None
    depth: int
    """How many courts of the list's tree are above it."""
    people: int
    """Who belong to it, without those who have left."""


class CourtsListed(TypedDict):
    """A page of courts."""

    total: int
    rows: list[CourtListed]


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Which people; empty fields do not filter. `courts`: those that the administrator reaches."""

    courts: Collection[str]
    words: str = ""
    role: str = ""
    state: str = ""


_SORTS: Final[Mapping[str, Sequence[ColumnElement[Any]]]] = {
    "name": (t.persons.c.folded, t.persons.c.id),
    "login": (t.persons.c.login,),
    "court": (t.persons.c.court, t.persons.c.folded, t.persons.c.id),
    "state": (t.persons.c.state, t.persons.c.folded, t.persons.c.id),
    "seen": (func.coalesce(t.persons.c.seen_utc_ns, 0), t.persons.c.id),
}


def people_page(
    connection: Connection, wanted: PeopleFilter, sort: str, offset: int, most: int
) -> tuple[int, list[Person]]:
    """(how many there are, those of one page). `sort`: a name of the list's columns, "-" before it from the end."""
    p, of = t.persons.c, t.posts.c
    conditions: list[ColumnElement[bool]] = [p.court.in_(sorted(wanted.courts))]
    for word in wanted.words.split()[:8]:
        name = p.folded.contains(folded_name(word), autoescape=True)
        conditions.append(or_(name, p.login.contains(login_of(word), autoescape=True)))
    if wanted.role:
        conditions.append(p.id.in_(select(of.person).where(of.role == wanted.role)))
    if wanted.state:
        conditions.append(p.state == wanted.state)
    total = int(connection.execute(select(func.count()).select_from(t.persons).where(*conditions)).scalar_one())
    columns = _SORTS[sort.removeprefix("-")]
    order = [column.desc() for column in columns] if sort.startswith("-") else list(columns)
    ids = (
        connection.execute(select(p.id).where(*conditions).order_by(*order).offset(offset).limit(most)).scalars().all()
    )
    found = persons_of(connection, ids)
    return total, [found[one] for one in ids]


def person_listed(person: Person, tree: CourtTree, factors: list[FactorKind], *, shares_name: bool) -> PersonListed:
    """A person as pages get them."""
    court = tree.courts.get(person.court)
    return {
        "id": person.id,
        "login": person.login,
        "name": person.name,
        "court": person.court,
        "court_name": person.court if court is None else court.name,
        "posts": [{"role": cast(Role, post.role), "court": post.court} for post in sorted(person.posts)],
        "state": cast(PersonState, person.state),
        "source": cast(PersonSource, person.source),
        "seen_utc_ms": None if person.seen_utc_ns is None else person.seen_utc_ns / NS_PER_MS,
        "factors": factors,
        "shares_name": shares_name,
    }


def factors_of(connection: Connection, persons: Collection[str]) -> dict[str, list[FactorKind]]:
    """The kinds of credentials of each of a page's persons."""
    c = credentials.c
    query = select(c.person, c.kind).where(c.person.in_(sorted(persons))).distinct().order_by(c.person, c.kind)
    found = defaultdict[str, list[FactorKind]](list)
    for row in connection.execute(query):
        found[row.person].append(row.kind)
    return found


def people_by_court(connection: Connection) -> Counter[str]:
    """How many belong to each court."""
    p = t.persons.c
    query = select(p.court, func.count().label("people")).where(p.state != LEFT).group_by(p.court)
    return Counter({row.court: row.people for row in connection.execute(query)})


def court_listed(court: Court, depth: int, people: int) -> CourtListed:
    """A court as pages get it."""
    return {
        "slug": court.slug,
        "name": court.name,
        "level": cast(Level, court.level),
        "parent": court.parent,
        "depth": depth,
        "people": people,
    }


def courts_of_reach(tree: CourtTree, reach: Collection[str], words: str, sort: str) -> list[tuple[Court, int]]:
    """(court, how deep) of those whose name or slug has these words; "tree": each behind the one above it."""
    folded = words.strip().casefold()
    walked = [(court, depth) for court, depth in tree.walk() if court.slug in reach]
    least = min((depth for _, depth in walked), default=1)
    found = [
        (court, depth - least) for court, depth in walked if folded in court.name.casefold() or folded in court.slug
    ]
    name = sort.removeprefix("-")
    if name != "tree":
        found.sort(key=lambda one: (one[0].slug if name == "slug" else one[0].name, one[0].slug))
    return found[::-1] if sort.startswith("-") else found
