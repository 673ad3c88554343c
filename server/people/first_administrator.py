"""The first administrator of a center: a one-time code for whoever sets it up, and the act that it opens.

While nobody administers the court at the top, `codes.json` in the data folder has a code `administrator` beside those
of the roles, for the operator to hand out. It is worth one administrator, whichever process it is given to, and is
taken out of the file then. Its argon2 hash lies in `first-administrator.json`, so a copy opens nothing once the
operator has deleted `codes.json`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection

from server.access.shared_rights import SharedRights
from server.people.acting import ActingPerson
from server.people.court_store import below_one_top
from server.people.known_people import KnownPeople
from server.people.people_store import PeopleStore, has_administrator
from server.people.person import Person, PersonForm, Post
from server.people.person_rows import court_tree, persons_of
from server.store.database import Database
from server.store.rights.rights_rows import COURT_RIGHTS, PERSON_RIGHTS, raise_version
from sync.errors import AccessError
from sync.http.rights.people import new_code, plain_code, write_private
from sync.http.rights.roles import ADMINISTRATOR
from sync.runtime.process.sole_place import waited_place

HASHES = "first-administrator.json"
CODES = "codes.json"


class FirstCode:
    """The code in a data folder; methods block for some 50 ms (argon2) or a file sync."""

    def __init__(self, data: Path) -> None:
        self._place = data / "access.json"
        """Whoever writes `codes.json` has this place."""
        self._hashes = data / HASHES
        self._codes = data / CODES
        self._hasher = PasswordHasher()

    def keep(self, *, wanted: bool, anew: bool = False) -> str:
        """Have a code while one is `wanted`, and none otherwise; the code, empty where it is not known any more because
        `codes.json` was deleted. `anew`: another in its place."""
        with waited_place(self._place):
            plain = self._plain()
            if not wanted:
                self._forget(plain)
                return ""
            if self._hashes.exists() and not anew:
                return plain.get(ADMINISTRATOR, "")
            code = new_code()
            # The plain code first: a crash between the two then makes a new code, never a lost one.
            write_private(self._codes, json.dumps({**plain, ADMINISTRATOR: code}, indent=1) + "\n")
            write_private(self._hashes, json.dumps({"hash": self._hasher.hash(plain_code(code))}) + "\n")
            return code

    def check(self, code: str) -> None:
        """`AccessError` "code" unless it is this one."""
        try:
            known = str(json.loads(self._hashes.read_text(encoding="utf-8"))["hash"])
            self._hasher.verify(known, plain_code(code))
        except (OSError, ValueError, KeyError, TypeError, VerifyMismatchError, InvalidHashError) as error:
            raise AccessError("登录码不正确 (the code is not right)", code="code") from error

    def _plain(self) -> dict[str, str]:
        return dict(json.loads(self._codes.read_text(encoding="utf-8"))) if self._codes.exists() else {}

    def _forget(self, plain: dict[str, str]) -> None:
        if plain.pop(ADMINISTRATOR, None) is not None:
            write_private(self._codes, json.dumps(plain, indent=1) + "\n")
        self._hashes.unlink(missing_ok=True)


class FirstAdministrator:
    """Who administers the court at the top first. All methods belong to one event loop."""

    def __init__(
        self,
        database: Database,
        store: PeopleStore,
        known: KnownPeople,
        rights: SharedRights,
        *,
        data: Path,
        center_name: str,
    ) -> None:
        self._db = database
        self._store = store
        self._known = known
        self._rights = rights
        self._center_name = center_name
        self.code = FirstCode(data)

    async def is_known(self) -> bool:
        """Whether there is an administrator of the court at the top."""
        return await self._db.read(has_administrator)

    async def make(self, form: PersonForm, address: str) -> Person:
        """Write them down, in a post of administrator of the one court at the top; court and posts of the form do not
        count. The code was checked before. `FaultyFormError`; `AccessError` "code" when somebody was faster."""
        person = self._store.made(form)

        def work(connection: Connection) -> tuple[int, dict[str, Person]]:
            version = raise_version(connection, [(PERSON_RIGHTS, person.id), (COURT_RIGHTS, "")])
            if has_administrator(connection):
                raise AccessError("已有系统管理员，此登录码已失效 (there is an administrator already)", code="code")
            top = below_one_top(connection, self._center_name)
            first = replace(person, court=top, posts=frozenset((Post(ADMINISTRATOR, top),)))
            PeopleStore.add_in(connection, first, ActingPerson(person.id, ADMINISTRATOR, address, None))
            return version, persons_of(connection, [person.id])

        version, found = await self._db.write(work)
        mine = self._rights.own(version, [(PERSON_RIGHTS, person.id), (COURT_RIGHTS, "")])
        if mine:
            self._known.courts.take({""}, await self._db.read(court_tree))
            self._known.take({person.id}, found)
        await self._rights.settled(version)
        return found[person.id]
