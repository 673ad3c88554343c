"""Courts as they are changed: a tree without circles, from which nothing is taken away that something hangs on.

A court is added below one of the acting person's reach, so that a center keeps the top that it began with. Its slug is
part of the addresses of its rooms and hearings and never changes. Courts of rooms that the configuration names are
added by the center itself at start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import structlog
from sqlalchemy import Connection, delete, insert, select, update

from server.access.shared_rights import SharedRights
from server.people.acting import ActingPerson
from server.people.court_tree import LEVELS, Court, CourtTree
from server.people.faults import FaultyFormError, FieldFault
from server.people.known_people import KnownPeople
from server.people.people_store import has_administrator
from server.people.person_rows import court_tree
from server.store import tables as t
from server.store.database import Database, insert_rows_once
from server.store.rights.rights_rows import COURT_RIGHTS, raise_version
from sync.errors import HearingError, WutongError

log = structlog.get_logger(__name__)

NAME_CHARS = 60
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
NO_COURT = "没有这个法院 (there is no such court)"


class CourtStore:
    """All methods belong to one event loop."""

    def __init__(self, database: Database, known: KnownPeople, rights: SharedRights) -> None:
        self._db = database
        self._known = known
        self._rights = rights

    async def add(self, court: Court, by: ActingPerson) -> Court:
        """A new one; `FaultyFormError`."""

        def work(connection: Connection, tree: CourtTree) -> None:
            faults = _faults(court, tree)
            if court.slug in tree.courts:
                faults.append(FieldFault("slug", "已有这个法院 (there is such a court already)"))
            if by.court is not None and court.parent not in by.reach(tree):
                faults.append(
                    FieldFault("parent", "请选择您管辖范围内的上级法院 (choose a court above it within your reach)")
                )
            if faults:
                raise FaultyFormError(faults)
            connection.execute(insert(t.courts).values(**_values(court)))
            by.note(connection, "court-added", _values(court))

        await self._act(court.slug, work)
        return court

    async def change(
        self, slug: str, by: ActingPerson, *, name: str | None, level: str | None, parent: str | None
    ) -> Court:
        """Another name, level or court above it; None leaves what is there. `FaultyFormError`, "not-found"."""
        made: list[Court] = []

        def work(connection: Connection, tree: CourtTree) -> None:
            before = _reached(slug, tree, by)
            now = Court(
                slug,
                before.name if name is None else name,
                before.level if level is None else level,
                before.parent if parent is None else parent,
            )
            faults = _faults(now, tree)
            moved = now.parent != before.parent and by.court is not None
            if moved and (now.parent not in by.reach(tree) or before.parent not in by.reach(tree)):
                faults.append(FieldFault("parent", "只能在您的管辖范围内调整 (it is moved only within your reach)"))
            if faults:
                raise FaultyFormError(faults)
            made.append(now)
            if now != before:
                connection.execute(update(t.courts).where(t.courts.c.slug == slug).values(**_values(now)))
                by.note(connection, "court-changed", {**_values(now), "before": _values(before)})

        await self._act(slug, work)
        return made[-1]

    async def remove(self, slug: str, by: ActingPerson) -> None:
        """Take away a court on which nothing hangs; `HearingError` "in-use" says what does."""

        def work(connection: Connection, tree: CourtTree) -> None:
            _reached(slug, tree, by)
            if by.court is not None and slug == by.court:
                raise HearingError("这是您自己的法院 (this is the court of your own post)", code="in-use")
            hanging = _hanging(connection, slug, tree)
            if hanging:
                raise HearingError(
                    f"不能删除，其下仍有{hanging[0]} (it is not empty: {hanging[1]})",
                    code="in-use",
                )
            connection.execute(delete(t.courts).where(t.courts.c.slug == slug))
            by.note(connection, "court-removed", {"slug": slug})

        await self._act(slug, work)

    async def adopt(self, courts: Iterable[tuple[str, str]]) -> None:
        """Know the courts (slug, name) of rooms that the configuration names: below the one at the top where there is
        one and somebody administers it, else beside the others."""
        wanted = dict(courts)
        if set(wanted) <= set(self._known.tree.courts):
            return

        def work(connection: Connection, tree: CourtTree) -> None:
            above = tree.tops[0].slug if len(tree.tops) == 1 and has_administrator(connection) else None
            fresh = [Court(slug, wanted[slug] or slug, "", above) for slug in sorted(set(wanted) - set(tree.courts))]
            insert_rows_once(connection, t.courts, [_values(court) for court in fresh])

        await self._act("", work)
        log.info("courts_adopted", courts=sorted(wanted))

    async def _act(self, slug: str, work: Callable[[Connection, CourtTree], None]) -> None:
        def raised(connection: Connection) -> tuple[int, CourtTree]:
            version = raise_version(connection, [(COURT_RIGHTS, slug)])
            work(connection, court_tree(connection))
            return version, court_tree(connection)

        version, tree = await self._db.write(raised)
        if self._rights.own(version, [(COURT_RIGHTS, slug)]):
            self._known.courts.take({slug}, tree)
        await self._rights.settled(version)


TOP = "top"


def below_one_top(connection: Connection, name: str) -> str:
    """The slug of the one court at the top: where there are several, or none, one that is called `name` is put above
    them; for the first administrator, who reaches everything."""
    tree = court_tree(connection)
    if len(tree.tops) == 1:
        return tree.tops[0].slug
    slug = TOP
    while slug in tree.courts:
        slug += "-"
    connection.execute(insert(t.courts).values(slug=slug, name=name, level="", parent=None))
    below = [court.slug for court in tree.tops]
    connection.execute(update(t.courts).where(t.courts.c.slug.in_(below)).values(parent=slug))
    return slug


def _faults(court: Court, tree: CourtTree) -> list[FieldFault]:
    faults: list[FieldFault] = []
    if not _SLUG.fullmatch(court.slug):
        text = "短名为 1 至 31 个小写字母、数字或 -，以字母或数字开头 (1 to 31 of a-z, 0-9 and -)"
        faults.append(FieldFault("slug", text))
    if not 1 <= len(court.name) <= NAME_CHARS:
        faults.append(FieldFault("name", f"名称为 1 至 {NAME_CHARS} 个字 (a name has 1 to {NAME_CHARS} characters)"))
    if court.level not in LEVELS:
        faults.append(FieldFault("level", "没有这个级别 (there is no such level)"))
    refused = tree.refuses(court.slug, court.parent)
    if refused:
        faults.append(FieldFault("parent", refused))
    return faults


def _reached(slug: str, tree: CourtTree, by: ActingPerson) -> Court:
    if slug not in by.reach(tree):
        raise WutongError(NO_COURT, code="not-found")
    return tree.courts[slug]


def _hanging(connection: Connection, slug: str, tree: CourtTree) -> tuple[str, str] | None:
    """What keeps a court from being taken away."""
    if len(tree.reach(slug)) > 1:
        return "下级法院", "courts below it"
    p, of, h = t.persons.c, t.posts.c, t.hearings.c
    if connection.execute(select(p.id).where(p.court == slug).limit(1)).first() is not None:
        return "人员（含已离职）", "people, those who have left included"
    if connection.execute(select(of.person).where(of.court == slug).limit(1)).first() is not None:
        return "岗位", "posts"
    if connection.execute(select(h.id).where(h.room.startswith(f"{slug}/", autoescape=True)).limit(1)).first():
        return "庭审", "hearings"
    r, e = t.rooms.c, t.room_entries.c
    if connection.execute(select(r.address).where(r.address.startswith(f"{slug}/", autoescape=True)).limit(1)).first():
        return "法庭", "rooms"
    if connection.execute(select(e.address).where(e.court == slug).limit(1)).first() is not None:
        return "法庭（含已停用的）", "rooms, those that are retired included"
    return None


def _values(court: Court) -> dict[str, str | None]:
    return {"slug": court.slug, "name": court.name, "level": court.level, "parent": court.parent}
