"""查阅授权 (art. 10): one hearing, one named party or counsel, for a limited time, by a link that works once.

Promises: of a link only its hash is kept; it opens one session, bound to that hearing, that sees nothing any more once
the grant is over or revoked or the hearing's classification (密级) is above `open`. Every grant, opening and
revocation is on the audit log before it counts. Refuses: hearings that still go on, hearings that not every inspector
may see, and to lengthen anything: who needs more time gets a new grant.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, NotRequired

from sqlalchemy import Connection, func, insert, select, update
from typing_extensions import TypedDict

from server.access.classification import Classification, Classifications
from server.access.shared_rights import SharedRights
from server.store import tables as t
from server.store.audit_rows import append_rows
from server.store.database import Database
from server.store.rights.rights_rows import GRANT_RIGHTS, raise_version
from server.store.rights.sight import Sight
from sync.errors import AccessError, HearingError, WutongError
from sync.http.rights.people import Session

PARTY = "party"
NO_GRANT = "没有这项授权 (there is no such grant)"
MAX_HOURS = 168
MAX_OPEN = 200
"""Grants of one hearing that are in force at once: all parties and counsel of the largest trial."""
_HOUR_NS = 3600 * 1_000_000_000


GrantState = Literal["waiting", "open", "expired", "revoked"]


class ShownGrant(TypedDict):
    """A grant as the archivist gets it; `code` opens it, and is said this once."""

    id: str
    role: str
    name: str
    state: GrantState
    made_utc_ms: float
    until_utc_ms: float
    used_utc_ms: float | None
    code: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Grant:
    """Whom one hearing was opened to. Times are UTC nanoseconds."""

    id: str
    hearing: str
    role: str
    name: str
    code_sha256: str
    made_utc_ns: int
    until_utc_ns: int
    used_utc_ns: int | None = None
    revoked_utc_ns: int | None = None

    def state(self, now_ns: int) -> GrantState:
        """`waiting` for its link to be opened, `open`, `expired` or `revoked`."""
        if self.revoked_utc_ns is not None:
            return "revoked"
        if now_ns >= self.until_utc_ns:
            return "expired"
        return "waiting" if self.used_utc_ns is None else "open"


class Grants:
    """All methods belong to one event loop, but `read`."""

    def __init__(
        self,
        database: Database,
        classifications: Classifications,
        rights: SharedRights | None = None,
        *,
        utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`rights`: what other processes follow; without it there are none."""
        self._db = database
        self._rights = rights or SharedRights(None)
        self._rights.keep(GRANT_RIGHTS, self)
        self._classifications = classifications
        self._utc_ns = utc_ns
        self._known: dict[str, Grant] = {}

    def read(self, connection: Connection, names: Collection[str] | None) -> dict[str, Grant]:
        """These grants as the store has them; None: all that are still in force."""
        g = t.grants.c
        query = select(t.grants).where(g.until_utc_ns > self._utc_ns() if names is None else g.id.in_(names))
        return {row.id: Grant(**row._mapping) for row in connection.execute(query)}

    def take(self, names: Collection[str] | None, found: dict[str, Grant]) -> None:
        """The store says so."""
        if names is None:
            self._known = dict(found)
        else:
            self._known.update({name: found[name] for name in names if name in found})

    def sight(self) -> Sight:
        """What queries for people with a grant may take."""
        return self._classifications.sight(PARTY)

    async def make(
        self, session: Session, address: str, hearing: str, role: str, name: str, hours: float
    ) -> tuple[Grant, str]:
        """(grant, the code of its link); the code is said once and kept nowhere."""
        now = self._utc_ns()
        code = secrets.token_urlsafe(24)
        grant = Grant(
            id=secrets.token_hex(8),
            hearing=hearing,
            role=role,
            name=name,
            code_sha256=_digest(code),
            made_utc_ns=now,
            until_utc_ns=now + round(hours * _HOUR_NS),
        )

        def work(connection: Connection) -> int:
            version = raise_version(connection, [(GRANT_RIGHTS, grant.id)])
            state = connection.execute(select(t.hearings.c.state).where(t.hearings.c.id == hearing)).scalar()
            if state is None:
                raise WutongError("没有这次庭审 (there is no such hearing)", code="not-found")
            if state != "closed":
                raise HearingError("庭审尚未闭庭，不能授权查阅 (the hearing still goes on)", code="open")
            g = t.grants.c
            in_force = (g.hearing == hearing) & (g.until_utc_ns > now) & g.revoked_utc_ns.is_(None)
            if int(connection.execute(select(func.count()).where(in_force)).scalar() or 0) >= MAX_OPEN:
                raise HearingError(f"有效授权已达 {MAX_OPEN} 件，请先撤销 (revoke some grants first)", code="too-many")
            connection.execute(insert(t.grants).values(**_row(grant)))
            self._audit(connection, "grant", session.role, address, grant, session.person, hours=hours)
            return version

        self._check_classification(hearing)
        await self._took(grant, await self._db.write(work))
        return grant, code

    async def redeem(self, code: str, address: str) -> Grant:
        """The grant of a link that nobody has opened before; `AccessError` "code"."""
        digest = _digest(code)

        def waiting(connection: Connection, now: int) -> Grant | None:
            row = connection.execute(select(t.grants).where(t.grants.c.code_sha256 == digest)).one_or_none()
            grant = None if row is None else Grant(**row._mapping)
            if grant is None or grant.state(now) != "waiting":
                return None
            return grant if self._classifications.of(grant.hearing) is Classification.OPEN else None

        def work(connection: Connection) -> tuple[Grant, int] | None:
            now = self._utc_ns()
            grant = waiting(connection, now)
            if grant is None:
                return None  # Who guesses raises no version.
            version = raise_version(connection, [(GRANT_RIGHTS, grant.id)])
            if waiting(connection, now) is None:
                return None  # opened by another process, just now
            used = replace(grant, used_utc_ns=now)
            connection.execute(update(t.grants).where(t.grants.c.id == grant.id).values(used_utc_ns=now))
            self._audit(connection, "grant-opened", PARTY, address, used)
            return used, version

        opened = await self._db.write(work)
        if opened is None:
            raise AccessError(
                "链接无效、已使用或已过期，请联系法院档案管理员 (the link is unknown, used or over)", code="code"
            )
        await self._took(*opened)
        return opened[0]

    async def granted(self, name: str) -> str | None:
        """The hearing of a grant, in force or not; None when there is no such grant."""
        query = select(t.grants.c.hearing).where(t.grants.c.id == name)
        return await self._db.read(lambda connection: connection.execute(query).scalar())

    async def revoke(self, session: Session, address: str, name: str) -> Grant:
        """Take a grant back; `WutongError` "not-found"."""

        def work(connection: Connection) -> tuple[Grant, int] | None:
            version = raise_version(connection, [(GRANT_RIGHTS, name)])
            row = connection.execute(select(t.grants).where(t.grants.c.id == name)).one_or_none()
            if row is None:
                return None
            grant = Grant(**row._mapping)
            if grant.revoked_utc_ns is None:
                grant = replace(grant, revoked_utc_ns=self._utc_ns())
                values = {"revoked_utc_ns": grant.revoked_utc_ns}
                connection.execute(update(t.grants).where(t.grants.c.id == name).values(**values))
                self._audit(connection, "grant-revoked", session.role, address, grant, session.person)
            return grant, version

        revoked = await self._db.write(work)
        if revoked is None:
            raise WutongError(NO_GRANT, code="not-found")
        await self._took(*revoked)
        return revoked[0]

    async def _took(self, grant: Grant, version: int) -> None:
        """It is stored so."""
        if self._rights.own(version, [(GRANT_RIGHTS, grant.id)]):
            self._known[grant.id] = grant
        await self._rights.settled(version)

    async def of_hearing(self, hearing: str) -> list[Grant]:
        """All grants of a hearing, the newest first; those that are over stay in the list."""
        query = select(t.grants).where(t.grants.c.hearing == hearing).order_by(t.grants.c.made_utc_ns.desc()).limit(500)
        rows = await self._db.read(lambda connection: list(connection.execute(query)))
        return [Grant(**row._mapping) for row in rows]

    def check(self, session: Session) -> Grant:
        """What a party's session may see now; `AccessError` "expired", "revoked", "restricted" or "sealed"."""
        grant = self._known.get(session.grant)
        state = "revoked" if grant is None else grant.state(self._utc_ns())
        if grant is None or state == "revoked":
            raise AccessError("查阅授权已撤销 (the access was revoked)", code="revoked")
        if state == "expired":
            raise AccessError("查阅授权已到期 (the access is over)", code="expired")
        self._check_classification(grant.hearing)
        return grant

    def hearing_of(self, session: Session) -> str:
        """The hearing that a party's session was opened for, whether they may still see it or not; or nothing."""
        grant = self._known.get(session.grant)
        return "" if grant is None else grant.hearing

    @contextlib.contextmanager
    def judged(self, session: Session) -> Iterator[Grant]:
        """`check` before an answer is made and again when it is: the grant may end while the store is read."""
        yield self.check(session)
        self.check(session)

    def to_screen(self, grant: Grant) -> ShownGrant:
        """For the archivist."""
        return {
            "id": grant.id,
            "role": grant.role,
            "name": grant.name,
            "state": grant.state(self._utc_ns()),
            "made_utc_ms": grant.made_utc_ns / 1e6,
            "until_utc_ms": grant.until_utc_ns / 1e6,
            "used_utc_ms": None if grant.used_utc_ns is None else grant.used_utc_ns / 1e6,
        }

    def _check_classification(self, hearing: str) -> None:
        classification = self._classifications.of(hearing)
        if classification is not Classification.OPEN:
            raise AccessError(
                "本次庭审的密级不允许当事人查阅 (the level of the hearing lets no party see it)",
                code=classification.refusal,
            )

    def _audit(
        self,
        connection: Connection,
        what: str,
        role: str,
        address: str,
        grant: Grant,
        person: str = "",
        **more: object,
    ) -> None:
        said = {"hearing": grant.hearing, "grant": grant.id, "role": grant.role, "name": grant.name, **more}
        row = {"utc_ns": self._utc_ns(), "what": what, "role": role, "address": address[:64], "granted": True}
        append_rows(connection, [{**row, "detail": json.dumps(said, ensure_ascii=False), "person": person}])


def _digest(code: str) -> str:
    # 192 random bits: a fast hash is enough, there is nothing to guess.
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()


def _row(grant: Grant) -> dict[str, Any]:
    return {name: getattr(grant, name) for name in t.grants.c.keys()}  # noqa: SIM118 (a collection of columns)
