"""Acts of two persons: what one administrator asks for and another confirms (双人操作).

    reset-factor   somebody has lost the second factor: password, factors and sessions are gone, a one-time code opens
    leave-court    somebody leaves the court: no sign-in any more, sessions end, the row stays

Promises: who asks never confirms, and nobody asks or confirms about themself; both reach the person's court when they
do it; an act waits for three days. An administrator who is the only one is told so before anything is asked, and of the
way out: a code that is made at the center's own machine. Each step is a line of the audit with who did it.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, replace
from typing import Literal

from sqlalchemy import Connection, insert, select, update

from server.entrance.credential_rows import remove_all
from server.entrance.sign_up import new_sign_up_code
from server.entrance.way_in import LOCAL, Factors
from server.people.acting import ActingPerson
from server.people.person import Person
from server.store.rights.credential_tables import two_person_acts
from server.store.rights.posts import LEFT
from sync.errors import AccessError, HearingError, WutongError
from sync.runtime.units import NS_PER_S

ActKind = Literal["reset-factor", "leave-court"]
ActState = Literal["waiting", "done", "refused", "expired"]
WAITS_S = 3 * 24 * 3600
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class TwoPersonAct:
    """A row of `two_person_acts`."""

    id: str
    kind: str
    person: str
    court: str
    why: str
    state: str
    asked_by: str
    asked_utc_ns: int
    until_utc_ns: int
    decided_by: str | None
    decided_utc_ns: int | None


class Acts:
    """All methods belong to one event loop."""

    def __init__(self, factors: Factors) -> None:
        self._f = factors

    async def ask(self, kind: ActKind, person: str, why: str, by: ActingPerson) -> TwoPersonAct:
        """Ask for an act. `AccessError` "self", "only-administrator"; `HearingError` "left", "asked-already";
        `WutongError` "not-found"."""
        known = self._reached(person, by)
        others = self._others(known, by.person)
        if not others:
            raise AccessError(
                "没有第二位能够确认的系统管理员。请先增加一位；或在中心服务器上运行 wutong center administrator-code "
                "(there is no second administrator who could confirm: add one first, or run `wutong center "
                "administrator-code` at the center's machine)",
                code="only-administrator",
            )
        now_ns = self._f.tickets.now_ns()
        until_ns = now_ns + WAITS_S * NS_PER_S
        one = secrets.token_hex(8)
        act = TwoPersonAct(one, kind, person, known.court, why, "waiting", by.person, now_ns, until_ns, None, None)

        def work(connection: Connection) -> None:
            c = two_person_acts.c
            waiting = (c.person == person) & (c.kind == kind) & (c.state == "waiting") & (c.until_utc_ns > now_ns)
            if connection.execute(select(c.id).where(waiting)).first() is not None:
                raise HearingError(
                    "同样的操作已在等待确认 (the same act waits for its confirmation)", code="asked-already"
                )
            connection.execute(insert(two_person_acts).values(**asdict(act)))
            by.note(connection, "act-asked", {"act": one, "kind": kind, "of": person, "why": why})

        await self._f.database.write(work)
        return act

    async def confirm(self, act: str, by: ActingPerson) -> tuple[TwoPersonAct, str, int]:
        """Do it; (the act, the one-time code that the person needs now, until when in UTC ns), where it makes one.
        Errors as those of `ask`, `AccessError` "same-person", `HearingError` "not-waiting", "last-administrator"."""
        asked = await self._waiting(act, by)
        if asked.asked_by == by.person:
            raise AccessError(
                "须由另一位系统管理员确认 (another administrator has to confirm what you have asked for)",
                code="same-person",
            )
        known = self._reached(asked.person, by)
        if asked.kind == "leave-court":
            await self._f.people.store.leave(asked.person, by, asked.why)
        now_ns = self._f.tickets.now_ns()

        def work(connection: Connection) -> tuple[str, int]:
            self._decide(connection, asked, "done", by, now_ns)
            remove_all(connection, asked.person)
            if asked.kind == "leave-court" or known.source != LOCAL:
                return "", 0
            return new_sign_up_code(connection, asked.person, "factor", by.person, now_ns)

        code, until_ns = await self._f.database.write(work)
        await self._f.people.sessions.end(asked.person)
        return asked, code, until_ns

    async def refuse(self, act: str, by: ActingPerson) -> TwoPersonAct:
        """Do not do it; who asked may take it back so, too."""
        asked = await self._waiting(act, by)
        now_ns = self._f.tickets.now_ns()
        await self._f.database.write(lambda c: self._decide(c, asked, "refused", by, now_ns))
        return asked

    async def of_reach(self, by: ActingPerson) -> list[TwoPersonAct]:
        """The newest acts about people of their reach; those that waited too long are `expired`."""
        reach, now_ns = by.reach(self._f.people.known.tree), self._f.tickets.now_ns()
        c = two_person_acts.c
        query = select(two_person_acts).where(c.court.in_(sorted(reach))).order_by(c.asked_utc_ns.desc(), c.id)
        rows = await self._f.database.read(lambda connection: connection.execute(query.limit(MOST_SHOWN)).all())
        return [_as_it_is(TwoPersonAct(*row), now_ns) for row in rows]

    async def _waiting(self, act: str, by: ActingPerson) -> TwoPersonAct:
        c, now_ns = two_person_acts.c, self._f.tickets.now_ns()
        query = select(two_person_acts).where(c.id == act)
        row = await self._f.database.read(lambda connection: connection.execute(query).first())
        if row is None:
            raise WutongError("没有这项操作 (there is no such act)", code="not-found")
        asked = _as_it_is(TwoPersonAct(*row), now_ns)
        self._reached(asked.person, by)
        if asked.state != "waiting":
            raise HearingError("这项操作已办结或已过期 (this act is done, refused or too old)", code="not-waiting")
        return asked

    def _decide(
        self, connection: Connection, asked: TwoPersonAct, state: ActState, by: ActingPerson, now_ns: int
    ) -> None:
        c = two_person_acts.c
        waiting = update(two_person_acts).where(c.id == asked.id, c.state == "waiting")
        values = {"state": state, "decided_by": by.person, "decided_utc_ns": now_ns}
        if not connection.execute(waiting.values(**values)).rowcount:
            raise HearingError("这项操作已办结或已过期 (this act is done, refused or too old)", code="not-waiting")
        by.note(connection, f"act-{state}", {"act": asked.id, "kind": asked.kind, "of": asked.person})

    def _reached(self, person: str, by: ActingPerson) -> Person:
        known = self._f.people.known
        found = known.person(person)
        if found is None or found.court not in by.reach(known.tree):
            raise WutongError("没有这名人员 (there is no such person)", code="not-found")
        if found.id == by.person:
            raise AccessError("不能对自己进行这项操作 (nobody does this about themself)", code="self")
        if found.state == LEFT:
            raise HearingError("此人已离开本院 (this person has left the court)", code="left")
        return found

    def _others(self, person: Person, asked_by: str) -> list[str]:
        """Administrators besides these two who reach the person."""
        known = self._f.people.known
        return [
            one.id
            for one in known.everybody()
            if one.id not in (person.id, asked_by)
            and any(person.court in known.tree.reach(court) for court in one.administers)
        ]


def _as_it_is(act: TwoPersonAct, now_ns: int) -> TwoPersonAct:
    if act.state != "waiting" or act.until_utc_ns > now_ns:
        return act
    return replace(act, state="expired")
