"""密级: who may see a hearing, during and after it.

    open        可查看    every inspector      (of a public trial)
    restricted  限制查阅  the archivist, and who sits in it (of a trial that is not public, until somebody says other)
    withdrawn   停止查阅  nobody               (only the archivist can lift it)

Everybody may raise a classification; only the archivist lowers one, which is how an inspector is granted a closed
trial. The classification of a hearing is what the audit log says last, so each change is dated, signed and on disk
before it counts, and there is no second truth. Changing it cuts what is being watched in the same act. Refuses: to
delete anything; `withdrawn` closes the door, the record stays.

A room says live that its case is not tried in public before the opening is stored. That closes the hearing at once, and
opens it again if the hearing turns out to be another room's: no room says who may see what is not its own. Of what a
room says so the last few hearings count, however many it names.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import Connection, select

from server.access.closed_hearing_notes import ClosedHearingNotes
from server.access.closed_hearings_said import ClosedHearingsSaid
from server.access.shared_rights import SharedRights
from server.events.admission import Received
from server.store import tables as t
from server.store.reader import RecordReader
from server.store.rights.rights_rows import HEARING_RIGHTS, SAID_RIGHTS
from server.store.rights.sight import Sight
from server.store.writer import RecordWriter
from sync.errors import AccessError, ConfigError
from sync.http.rights.people import Session
from sync.http.rights.roles import SITTING
from sync.record.bodies.session import is_public
from sync.runtime.listeners import Listeners

log = structlog.get_logger(__name__)

WHAT = "level"
"""What the audit log calls a line that sets a classification, and its value in that line."""
ARCHIVIST = "archivist"


class Classification(StrEnum):
    """密级, lowest first."""

    OPEN = "open"
    RESTRICTED = "restricted"
    WITHDRAWN = "withdrawn"

    @classmethod
    def _missing_(cls, value: object) -> Classification | None:
        """Until version 0.1.0 it was called `sealed`: audit logs say so, and so do pages that are still open."""
        return cls.WITHDRAWN if value == "sealed" else None

    @property
    def refusal(self) -> str:
        """The code of the error that whoever may not see such a hearing gets; codes of errors never change."""
        return "sealed" if self is Classification.WITHDRAWN else self.value


_ORDER = tuple(Classification)


def _allowed(role: str) -> tuple[Classification, ...]:
    """The classifications that people of a role may see."""
    more = role == ARCHIVIST or role in SITTING
    return (Classification.OPEN, Classification.RESTRICTED) if more else (Classification.OPEN,)


@dataclass(frozen=True, slots=True)
class HearingLevels:
    """What the store says of hearings: levels that somebody has set, and those that are not tried in public."""

    set_levels: dict[str, Classification]
    not_public: set[str]


class Classifications:
    """All methods belong to one event loop, but `read`."""

    def __init__(self, record: RecordWriter, archive: RecordReader, rights: SharedRights | None = None) -> None:
        """`rights`: what other processes follow; without it there are none."""
        self._record = record
        self._rights = rights or SharedRights(None)
        self._rights.keep(HEARING_RIGHTS, self)
        self._archive = archive
        self.changed = Listeners[[frozenset[str]]]()
        """Told of the hearings of which somebody may see more, or less, than before."""
        self.said = Listeners[[str]]()
        """Told of the hearing whose level somebody has set."""
        self._set: dict[str, Classification] = {}
        self._not_public: set[str] = set()
        self._said = ClosedHearingsSaid(archive.owner, lambda hearing: self.changed.notify(frozenset((hearing,))))
        self._rights.keep(SAID_RIGHTS, self._said)
        self._notes = ClosedHearingNotes(record.note_closed)
        self._setting = asyncio.Lock()

    def read(self, connection: Connection, names: Collection[str] | None) -> HearingLevels:
        """What the store knows of these hearings, None: of all; `ConfigError` where it cannot be read, for nobody knows
        then what it hid."""
        h, level = t.hearings.c, t.levels.c
        not_public = select(h.id).where(h.public.is_(False))
        if names is not None:
            closed = set(connection.execute(not_public.where(h.id.in_(names))).scalars())
            rows = connection.execute(select(t.levels).where(level.hearing.in_(names)))
            return HearingLevels({row.hearing: Classification(row.level) for row in rows}, closed)
        levels: dict[str, Classification] = {}
        a = t.audit.c
        for row in connection.execute(select(a.row, a.detail).where(a.what == WHAT).order_by(a.row)):
            try:
                said = json.loads(str(row.detail))
                levels[str(said["hearing"])] = Classification(said[WHAT])
            except (ValueError, TypeError, KeyError) as error:
                raise ConfigError(
                    f"row {row.row} of the audit log sets a level and cannot be read, so nobody is shown anything; "
                    "`wutong verify --audit` says what was changed"
                ) from error
        return HearingLevels(levels, set(connection.execute(not_public).scalars()))

    def take(self, names: Collection[str] | None, found: HearingLevels) -> None:
        """The store says so."""
        touched = {*found.set_levels, *found.not_public, *self._set} if names is None else names
        before = {hearing: self.of(hearing) for hearing in touched}
        set_before = {hearing: self._set.get(hearing) for hearing in touched}
        if names is None:
            self._set = dict(found.set_levels)
        else:
            self._set.update({hearing: found.set_levels[hearing] for hearing in names if hearing in found.set_levels})
        self._not_public.update(found.not_public if names is None else found.not_public.intersection(names))
        changed = frozenset(hearing for hearing in touched if self.of(hearing) is not before[hearing])
        if changed:
            self.changed.notify(changed)
        for hearing in names or ():
            if self._set.get(hearing) is not set_before[hearing]:
                self.said.notify(hearing)

    def of(self, hearing: str) -> Classification:
        """The classification of a hearing."""
        return self._set.get(hearing) or self._unset(hearing)

    def _unset(self, hearing: str) -> Classification:
        """What a hearing is while nobody has set its level."""
        closed = hearing in self._not_public or hearing in self._said
        return Classification.RESTRICTED if closed else Classification.OPEN

    def set_level(self, hearing: str) -> Classification | None:
        """What somebody has set; None while nobody has."""
        return self._set.get(hearing)

    def hearings(self) -> set[str]:
        """Those whose level somebody has set."""
        return set(self._set)

    def lets(self, role: str, hearing: str | None) -> bool:
        """Whether people of this role may see a hearing; None is a room without one."""
        if hearing is None:
            return True
        return self.of(hearing) in _allowed(role)

    @staticmethod
    def allowed(role: str) -> tuple[Classification, ...]:
        """The levels, of hearings and of parts of them, that people of a role may see."""
        return _allowed(role)

    def sight(self, role: str) -> Sight:
        """What queries ask for, so that nothing that people of this role may not see is ever taken, or counted."""
        return Sight(
            frozenset(level.value for level in _allowed(role)),
            frozenset(self._said.hearings() - self._set.keys() - self._not_public),
        )

    def check(self, session: Session, hearing: str) -> None:
        """`AccessError` "sealed" or "restricted" unless this person may see the hearing."""
        if not self.lets(session.role, hearing):
            if self.of(hearing) is Classification.WITHDRAWN:
                raise AccessError(
                    "本次庭审已停止查阅，任何人不得查看 (access to the hearing is withdrawn)",
                    code="sealed",
                )
            raise AccessError(
                "本次庭审限制查阅，仅档案管理员可查看 (the hearing is restricted to the archivist)", code="restricted"
            )

    @contextlib.contextmanager
    def judged(self, session: Session, hearing: str) -> Iterator[None]:
        """`check` before an answer is made and again when it is: the level may change while the store is read."""
        self.check(session, hearing)
        yield
        self.check(session, hearing)

    async def set(self, session: Session, address: str, hearing: str, goal: Classification, reason: str) -> None:
        """Change a classification; it is on disk, and in force for every open tab, when this returns."""
        async with self._setting:  # what the audit log says last is what counts
            version = await self._set_one(session, address, hearing, goal, reason)
        await self._rights.settled(version, hearing)

    async def _set_one(self, session: Session, address: str, hearing: str, goal: Classification, reason: str) -> int:
        def line(stored: str | None) -> dict[str, Any]:
            before = self._unset(hearing) if stored is None else Classification(stored)
            if _ORDER.index(goal) < _ORDER.index(before) and session.role != ARCHIVIST:
                raise AccessError("只有档案管理员可以降低密级 (only the archivist lowers a level)", code="forbidden")
            said = {"hearing": hearing, WHAT: goal.value, "before": before.value, "reason": reason}
            row = {"utc_ns": time.time_ns(), "what": WHAT, "role": session.role, "person": session.person}
            return {**row, "address": address[:64], "granted": True, "detail": json.dumps(said, ensure_ascii=False)}

        version = await self._record.set_level(hearing, goal.value, line, (HEARING_RIGHTS, hearing))
        if self._rights.own(version, [(HEARING_RIGHTS, hearing)]):
            self._set[hearing] = goal
            self.changed.notify(frozenset((hearing,)))
            self.said.notify(hearing)
        return version

    def stored(self, events: Sequence[Received]) -> None:
        """Hearings that have just been opened."""
        closed: set[str] = set()
        for received in events:
            hearing = received.event.hearing
            if received.event.kind == "open" and hearing is not None and not is_public(received.event.body.get("case")):
                closed.add(hearing)
        if closed - self._not_public:
            self._not_public |= closed
            self.changed.notify(frozenset(closed))

    def take_opening(self, hearing: str, case: object) -> None:
        """The opening of a hearing is stored, and says whether its case is tried in public."""
        if not is_public(case):
            self._not_public.add(hearing)

    def opened(self, room: str, hearing: str, case: object) -> None:
        """A room says live that this hearing runs; its opening may still be on its way."""
        if is_public(case) or hearing in self._not_public or not self._said.add(room, hearing):
            return
        if self._rights.shared:
            self._notes.add(room, hearing)  # the other processes perhaps do not hear the room
