"""People from a table: every line is looked at before anything is kept, and each fault is said of its line and column.

Nothing is saved by looking (`check`). `all` saves only a table without a fault, `good` the lines that have none. What
is saved is saved in one transaction, with a line of the audit log for each person.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from typing_extensions import TypedDict

from server.people.acting import ActingPerson
from server.people.court_tree import CourtTree
from server.people.faults import FieldFault
from server.people.parts import PeopleParts
from server.people.person import Person, PersonForm, Post
from server.people.rules import faults_of
from server.roster.people_table import TableLine
from sync.http.rights.roles import ROLES

MOST_TOLD = 500
"""Lines with faults that an answer names."""
SaveWhat = Literal["check", "all", "good"]
_ROLES = {word: role for role, chinese in ROLES.items() for word in (role, chinese)}
_FIELDS = {"posts": "role"}
_SEVERAL = re.compile(r"[、,，;；/]+")


class ImportFault(TypedDict):
    """What is wrong in a line."""

    line: int
    field: str
    text: str


class ImportedLine(TypedDict):
    """What stands in a line that has faults."""

    line: int
    cells: dict[str, str]


class ImportAnswer(TypedDict):
    """What a table came to."""

    lines: int
    good: int
    saved: int
    faults: list[ImportFault]
    """Of at most 500 lines, the first."""
    rows: list[ImportedLine]


class PeopleImport:
    """Looks at tables and saves them."""

    def __init__(self, people: PeopleParts) -> None:
        self._people = people

    async def take(self, lines: Sequence[TableLine], save: SaveWhat, by: ActingPerson) -> ImportAnswer:
        """Look at a table, and save what is asked for."""
        tree = self._people.known.tree
        named: dict[str, list[str]] = defaultdict(list)
        for court in tree.courts.values():
            named[court.name].append(court.slug)
        seen: dict[str, int] = {}
        taken = {person.login for person in self._people.known.everybody()}
        reach, faulty, good = by.reach(tree), dict[int, list[FieldFault]](), list[Person]()
        for line in lines:
            person, faults = self._judged(line, tree, named, reach)
            first = seen.setdefault(person.login, line.number)
            if first != line.number and person.login:
                faults.append(FieldFault("login", f"登录名与第 {first} 行重复 (the same login as in line {first})"))
            if person.login in taken:
                faults.append(FieldFault("login", "登录名已被使用 (this login is, or was, somebody else's)"))
            if faults:
                faulty[line.number] = faults
            else:
                good.append(person)
        saving = good if save == "good" or (save == "all" and not faulty) else []
        if saving:
            await self._people.store.add_many(saving, by)
        told = dict(list(faulty.items())[:MOST_TOLD])
        return {
            "lines": len(lines),
            "good": len(good),
            "saved": len(saving),
            "faults": [
                {"line": number, "field": fault.field, "text": fault.text}
                for number, faults in told.items()
                for fault in faults
            ],
            "rows": [{"line": line.number, "cells": line.cells} for line in lines if line.number in told],
        }

    def _judged(
        self, line: TableLine, tree: CourtTree, named: dict[str, list[str]], reach: frozenset[str]
    ) -> tuple[Person, list[FieldFault]]:
        cells, faults = line.cells, list[FieldFault]()
        court = _court(cells["court"], "court", tree, named, faults)
        at = _court(cells["post_court"], "post_court", tree, named, faults) if cells["post_court"] else court
        posts = []
        for word in filter(None, _SEVERAL.split(cells["role"])):
            role = _ROLES.get(word.strip().lower())
            if role is None:
                faults.append(FieldFault("role", f"没有“{word}”这一角色 (there is no role {word!r})"))
            else:
                posts.append(Post(role, at))
        if not cells["role"]:
            faults.append(FieldFault("role", "角色为空 (there is no role)"))
        person = self._people.store.made(PersonForm(cells["login"], cells["name"], court, tuple(posts)))
        said = {fault.field for fault in faults}
        for fault in faults_of(person, tree, reach, given=posts):
            field = _FIELDS.get(fault.field, "post_court" if fault.field.startswith("posts.") else fault.field)
            if field not in said and not (field == "post_court" and "court" in said):
                faults.append(FieldFault(field, fault.text))
                said.add(field)
        return person, faults


def _court(text: str, field: str, tree: CourtTree, named: dict[str, list[str]], faults: list[FieldFault]) -> str:
    """The slug of a court by its slug or its whole name; a fault and nothing where there is none, or are several."""
    if text in tree.courts:
        return text
    found = named.get(text, [])
    if len(found) == 1:
        return found[0]
    if found:
        faults.append(
            FieldFault(field, f"有几个法院都叫“{text}”，请填代号 (several courts have this name: write the slug)")
        )
    elif text:
        faults.append(FieldFault(field, f"没有“{text}”这个法院 (there is no such court)"))
    else:
        faults.append(FieldFault(field, "法院为空 (there is no court)"))
    return ""
