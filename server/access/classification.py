"""密级: who may see a hearing, during and after it.

    open        可查看    every inspector      (of a public trial)
    restricted  限制查阅  the archivist alone  (of a trial that is not public, until somebody says otherwise)
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
from collections.abc import Iterator, Sequence
from enum import StrEnum

from server.access.closed_hearings_said import ClosedHearingsSaid
from server.events.admission import Received
from server.store.reader import RecordReader
from server.store.sight import Sight
from server.store.writer import RecordWriter
from sync.errors import AccessError, ConfigError
from sync.http.rights.people import Session
from sync.record.bodies.session import is_public
from sync.runtime.listeners import Listeners

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
    return (Classification.OPEN, Classification.RESTRICTED) if role == ARCHIVIST else (Classification.OPEN,)


class Classifications:
    """All methods belong to one event loop."""

    def __init__(self, record: RecordWriter, archive: RecordReader) -> None:
        self._record = record
        self._archive = archive
        self.changed = Listeners[[frozenset[str]]]()
        """Told of the hearings of which somebody may see more, or less, than before."""
        self.said = Listeners[[str]]()
        """Told of the hearing whose level somebody has set."""
        self._set: dict[str, Classification] = {}
        self._not_public: set[str] = set()
        self._said = ClosedHearingsSaid(archive.owner, lambda hearing: self.changed.notify(frozenset((hearing,))))
        self._setting = asyncio.Lock()

    async def start(self) -> None:
        """Read what the store knows; `ConfigError` where it cannot be read, for nobody knows then what it hid."""
        self._not_public |= await self._archive.not_public()
        for row in await self._archive.audited(WHAT):
            try:
                said = json.loads(str(row["detail"]))
                self._set[str(said["hearing"])] = Classification(said[WHAT])
            except (ValueError, TypeError, KeyError) as error:
                raise ConfigError(
                    f"row {row['row']} of the audit log sets a level and cannot be read, so nobody is shown anything; "
                    "`wutong verify --audit` says what was changed"
                ) from error

    def of(self, hearing: str) -> Classification:
        """The classification of a hearing."""
        closed = hearing in self._not_public or hearing in self._said
        return self._set.get(hearing, Classification.RESTRICTED if closed else Classification.OPEN)

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
            await self._set_one(session, address, hearing, goal, reason)

    async def _set_one(self, session: Session, address: str, hearing: str, goal: Classification, reason: str) -> None:
        before = self.of(hearing)
        if _ORDER.index(goal) < _ORDER.index(before) and session.role != ARCHIVIST:
            raise AccessError("只有档案管理员可以降低密级 (only the archivist lowers a level)", code="forbidden")
        detail = {"hearing": hearing, WHAT: goal.value, "before": before.value, "reason": reason}
        row = {"utc_ns": time.time_ns(), "what": WHAT, "role": session.role, "address": address[:64], "granted": True}
        row["detail"] = json.dumps(detail, ensure_ascii=False)
        await self._record.set_level(row, hearing, goal.value)
        self._set[hearing] = goal
        self.changed.notify(frozenset((hearing,)))
        self.said.notify(hearing)

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
        if not is_public(case) and hearing not in self._not_public:
            self._said.add(room, hearing)
