"""What a person reaches: the rooms and hearings of their post's courts, and of who sits those in which they sit.

Promises: a room or hearing that is not reached answers as one that is not there, by every route that names one: the
gate asks here before the route does anything, and again when the answer leaves. Queries for lists take the same as a
condition (`Reaches.sight`), live pages ask for each room. Nothing is asked of who came by a role's code, or of guests:
those are judged by their role and their grant.

In which room a hearing is, and who sits in it, never changes once its opening is stored; what was asked is kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from server.events.admission import Received
from server.people.known_people import KnownPeople
from server.rooms import KnownRoom, Rooms
from server.store import tables as t
from server.store.database import Database
from server.store.rights.sight import Sight
from server.store.rights.sitting import sitting_of
from sync.errors import WutongError
from sync.http.rights.people import Session
from sync.http.rights.roles import power_of

MOST_PLACES = 50_000
NO_HEARING = "没有这次庭审 (there is no such hearing)"
NO_ROOM = "没有这个法庭 (there is no such room)"


@dataclass(frozen=True, slots=True)
class HearingPlace:
    """Where a hearing is; `sitting` are the folded names of bench and clerk, None while its opening is not stored."""

    room: str
    sitting: frozenset[str] | None = None


class Reaches:
    """All methods belong to one event loop."""

    def __init__(self, known: KnownPeople, database: Database, rooms: Rooms) -> None:
        self._known = known
        self._db = database
        self._rooms = rooms
        self._places: OrderedDict[str, HearingPlace] = OrderedDict()
        self._told: dict[str, str] = {}
        """room -> the hearing that it tells of."""
        self._tellers: dict[str, str] = {}
        """That hearing -> the room that told of it last."""
        rooms.changed.add(self._room_changed)

    # Sessions, one by one.

    def sight(self, session: Session, of_role: Sight) -> Sight:
        """What queries may take for somebody who may see `of_role` by their role alone."""
        if not session.person:
            return of_role
        courts, sits = self._now(session)
        if courts is not None and sits is not None:
            courts &= {session.court}  # elsewhere the name may be somebody else's
        return replace(of_role, courts=courts, sits=sits)

    def room(self, session: Session, address: str) -> bool:
        """Whether a room is there for somebody: for who sits while a hearing runs there in which they do."""
        if not self._court(session, address):
            return False
        name = self._known.sits_as(session)
        if name is None:
            return True
        state = self._rooms.states.get(address)
        hearings = () if state is None else (state.live_id, state.told_id)
        return any(one is not None and self.hearing(session, one) for one in hearings)

    def hearing(self, session: Session, hearing: str | None) -> bool:
        """Whether a hearing is there for somebody, as far as it is known here; None is of none."""
        if hearing is None or not session.person:
            return True
        place = self._places.get(hearing) or self._live(hearing)
        return place is not None and self._fits(session, hearing, place)

    def _court(self, session: Session, address: str) -> bool:
        courts = self._known.reach(session)
        return courts is None or address.partition("/")[0] in courts

    def _fits(self, session: Session, hearing: str, place: HearingPlace) -> bool:
        if not self._court(session, place.room):
            return False
        name = self._known.sits_as(session)
        if name is None:
            return True
        # Of one's own court only: elsewhere the name may be somebody else's.
        if not name or place.room.partition("/")[0] != session.court:
            return False
        sitting = place.sitting
        if sitting is None:
            live = self._live(hearing)
            sitting = None if live is None or live.room != place.room else live.sitting
        return sitting is not None and name in sitting

    def _live(self, hearing: str) -> HearingPlace | None:
        """Of a hearing that a room tells of, what it says."""
        room = self._rooms.states.get(self._tellers.get(hearing, ""))
        if room is None or room.told_id != hearing or room.status is None or room.status.hearing is None:
            return None
        return HearingPlace(room.address, frozenset(sitting_of(room.status.hearing.get("case"))))

    def _room_changed(self, room: KnownRoom) -> None:
        before, now = self._told.get(room.address), room.told_id
        if before == now:
            return
        if before is not None and self._tellers.get(before) == room.address:
            del self._tellers[before]
        self._told.pop(room.address, None)
        if now is not None:
            self._told[room.address], self._tellers[now] = now, room.address

    # What the gate asks.

    async def check(self, session: Session, named: Mapping[str, str], reads: bool) -> Callable[[], None]:
        """`WutongError` "not-found" unless what a route's path names is there for somebody; what is asked once more
        when the answer leaves."""
        hearing, court = named.get("hearing"), named.get("court")
        if hearing is not None:
            await self.check_hearing(session, hearing)
        elif court is not None:
            self._check_court(session, court)
        before = self._now(session)

        def again() -> None:
            if hearing is not None and not self.hearing(session, hearing):
                raise WutongError(NO_HEARING, code="not-found")
            # What an administrator changes may be their own reach: their act is answered all the same.
            if reads and power_of(session.role) == "sees" and self._now(session) != before:
                raise WutongError("权限刚有变动，请重试 (your rights have just changed; ask again)", code="busy")

        return again

    async def check_hearing(self, session: Session, hearing: str) -> None:
        """`WutongError` "not-found" unless a hearing is there for somebody."""
        if not session.person:
            return
        place = await self._place(hearing)
        if place is None or not self._fits(session, hearing, place):
            raise WutongError(NO_HEARING, code="not-found")

    def _check_court(self, session: Session, court: str) -> None:
        courts = self._known.reach(session)
        if courts is not None and court not in courts:
            raise WutongError(NO_ROOM, code="not-found")

    def _now(self, session: Session) -> tuple[frozenset[str] | None, str | None]:
        return self._known.reach(session), self._known.sits_as(session)

    # Where hearings are.

    def stored(self, events: Iterable[Received]) -> None:
        """Events that are on disk now, here or by another process."""
        for received in events:
            event = received.event
            if event.hearing is None:
                continue
            if event.kind == "open":
                sitting = frozenset(sitting_of(event.body.get("case")))
                self._keep(event.hearing, HearingPlace(received.room, sitting))
            elif event.hearing not in self._places:
                self._keep(event.hearing, HearingPlace(received.room))

    async def _place(self, hearing: str) -> HearingPlace | None:
        known = self._places.get(hearing)
        if known is not None and known.sitting is not None:
            self._places.move_to_end(hearing)
            return known
        found = await self._db.read(lambda connection: _read(connection, hearing))
        if found is not None:
            self._keep(hearing, found)
        return found

    def _keep(self, hearing: str, place: HearingPlace) -> None:
        self._places[hearing] = place
        self._places.move_to_end(hearing)
        while len(self._places) > MOST_PLACES:
            self._places.popitem(last=False)


def _read(connection: Connection, hearing: str) -> HearingPlace | None:
    h, s, e = t.hearings.c, t.sittings.c, t.events.c
    room = connection.execute(select(h.room).where(h.id == hearing)).scalar()
    if room is not None:
        names = connection.execute(select(s.name).where(s.hearing == hearing)).scalars()
        return HearingPlace(str(room), frozenset(names))
    room = connection.execute(select(e.room).where(e.hearing == hearing).limit(1)).scalar()
    return None if room is None else HearingPlace(str(room))
