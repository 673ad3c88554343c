"""Who comes to the panel, and how: as a person by the center, by a quick PIN, or by the room's code; and its lock.

    full sign-in (center) ──sets──> quick PIN ──opens or unlocks──> the panel
    the room's code: until persons are known here; from then on only while the center is away and nobody can come in

Promises: none of this touches the recording, the self-test, the marks or the display. A panel that is locked shows
neither words nor pictures, and its hearing goes on. Who was in stays in while the center is away, until the moment that
the center signed; who may have no panel any more, by the center's word, loses it within `LOOK_S`, and the room goes on
recording and asks who takes over. Emergencies by the code are on the record and on the screens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from fastapi import Request, Response
from typing_extensions import TypedDict

from edge.clerks.center_door import CenterDoor
from edge.clerks.clerk_book import ClerkBook
from edge.clerks.known_clerk import KnownClerk
from edge.clerks.quick_pin import MOST_WRONG, checked_pin, fits, new_pin
from edge.state.room_state import RoomState
from sync.errors import AccessError, CenterError
from sync.http.rights.access import Access
from sync.http.rights.people import Session, Throttle
from sync.record.hearing import State
from sync.room.messages import RoomAlarm

log = structlog.get_logger(__name__)

LOOK_S = 60.0
ROLE = "clerk"
"""What who has the panel is in a room, whichever post they hold."""
EMERGENCY = "emergency-code"


class ShownSelf(TypedDict):
    """Who has this panel; `person` is empty by the room's code."""

    person: str
    name: str
    until_utc_ms: int | None
    has_pin: bool
    locked: bool


class ShownClerk(TypedDict):
    """Somebody who can come in by a PIN."""

    person: str
    name: str


class ShownEntry(TypedDict):
    """What the panel shows who is not in, or whose panel is locked: no words, no pictures, no case."""

    court_name: str
    room_name: str
    hearing: str | None
    """`open`, `paused`, or null."""
    recording: bool
    """Whether the recorder keeps it, by its own word."""
    alarms: int
    center: bool
    """Whether this room has one: persons sign in by it."""
    persons: bool
    """Whether persons have signed in here: the code is for emergencies."""
    me: ShownSelf | None
    pins: list[ShownClerk]
    """Only in a browser in which somebody signed in before."""
    lock_after_minutes: int


class PanelEntry:
    """All methods belong to one event loop."""

    def __init__(
        self, state: RoomState, access: Access, book: ClerkBook, door: CenterDoor | None, on_alarm: Callable[[], None]
    ) -> None:
        """`door`: None for a room without a center. `on_alarm`: what `alarms` says is another than before."""
        self._state = state
        self._access = access
        self._book = book
        self._door = door
        self._on_alarm = on_alarm
        self._throttle = Throttle()
        self._emergency_ns: int | None = None

    # How somebody comes in.

    async def sign_in(self, request: Request, response: Response, login: str, password: str, totp: str) -> Session:
        """The day's first sign-in, by the center; `AccessError` with its code, or `CenterError` (`CenterDoor.ask`)."""
        address = _address(request)
        try:
            if self._door is None:
                raise AccessError("本法庭未接入中心 (this room has no center)", code="no-persons")
            self._throttle.check(address)
            clerk = await self._door.ask(login, password, totp)
        except AccessError as error:
            if error.code in ("password", "second-factor", "code") and (totp or error.code == "password"):
                self._throttle.failed(address)
            if error.code != "second-factor" or totp:
                self._access.note("refused", "", address, f"{error.code} panel")
            raise
        self._throttle.succeeded(address)
        await asyncio.to_thread(self._book.put, clerk)
        return await self._let_in(request, response, clerk, "")

    async def by_pin(self, request: Request, response: Response, person: str, pin: str) -> Session:
        """Come in, take over or unlock by a quick PIN, in a browser in which somebody signed in before; `AccessError`
        "pin", "pin-over" when the full sign-in is needed, or "throttled"."""
        clerk = await self._proven(request, person, pin)
        mine = self._access.session_of(request)
        if mine is not None and mine.person == person:
            await self._unlock(request, mine)
            return mine
        return await self._let_in(request, response, clerk, "pin")

    async def _proven(self, request: Request, person: str, pin: str) -> KnownClerk:
        clerk, known = self._book.clerk(person), self._book.pin(person)
        if not self._access.known_device(request) or clerk is None or known is None or not self._good(person):
            raise AccessError("请以帐号完整登录 (sign in fully with your account)", code="pin-over")
        counted = f"pin {person}"
        self._throttle.check(counted)
        if await asyncio.to_thread(fits, known, pin):
            self._throttle.succeeded(counted)
            await asyncio.to_thread(self._book.right_pin, person)
            return clerk
        self._throttle.failed(counted)
        await asyncio.to_thread(self._book.wrong_pin, person)
        self._access.note("refused", "", _address(request), "pin panel", person)
        left = MOST_WRONG - known.wrong
        if not left:
            raise AccessError(
                "PIN 输错次数过多，请以帐号完整登录 (too many wrong PINs: sign in fully)", code="pin-over"
            )
        raise AccessError(f"PIN 不正确，还可尝试 {left} 次 (wrong PIN; {left} more tries)", code="pin")

    async def _let_in(self, request: Request, response: Response, clerk: KnownClerk, how: str) -> Session:
        """Open a session; whoever had this browser's panel before has it no more."""
        before = await self._access.leave(request)
        session = await self._access.open_person(
            response, ROLE, clerk.name, clerk.person, clerk.court, until_s=clerk.until_s
        )
        self._access.know_device(response, ROLE)
        taken = before is not None and before.person != clerk.person
        said = " ".join(one for one in (how, f"takes over from {before.name}" if taken and before else "") if one)
        self._access.note("sign-in", ROLE, _address(request), said, clerk.person)
        self._set_emergency(None)
        return session

    async def code_opens(self, request: Request) -> str:
        """What is noted of a sign-in by the room's code; `AccessError` "persons" where persons sign in by name."""
        mine = self._access.session_of(request)
        if self._door is None or not self._book.persons or (mine is not None and not mine.person):
            return ""
        if self._can_come_in():
            raise AccessError("请以本人 PIN 或帐号登录 (sign in by your PIN or your account)", code="persons")
        if not await self._door.is_away():
            raise AccessError(
                "中心可以连接，请以帐号登录 (the center answers: sign in with your account)", code="persons"
            )
        log.warning("emergency_code", next="the room's code opened the panel: the center is away and nobody was in")
        self._set_emergency(self._state.clock.now_ns())
        return EMERGENCY

    def _can_come_in(self) -> bool:
        people = [clerk.person for clerk in self._book.clerks()]
        used = any(not one.locked for person in people for one in self._access.sessions_of(person))
        return used or any(self._good(person) for person in people)

    # The PIN and the lock.

    async def set_pin(self, session: Session, pin: str) -> None:
        """Set the PIN of who is in; `AccessError` "weak-pin", or "no-person" by the room's code."""
        if self._book.clerk(session.person) is None:
            raise AccessError("以登录码进入时不能设置 PIN (who came by the code has no PIN)", code="no-person")
        checked_pin(pin)
        self._book.set_pin(session.person, await asyncio.to_thread(new_pin, pin, self._book.now_s()))

    async def lock(self, request: Request) -> None:
        """Hide words and pictures until the PIN is said; `AccessError` "no-pin" where nothing would open it again
        without the center."""
        session = self._access.session(request)
        if session.person and not self._good(session.person):
            raise AccessError("请先设置 PIN，再锁定面板 (set a PIN first, then lock)", code="no-pin")
        if not session.locked:
            await self._access.lock(session, locked=True)
            self._access.note("sign-out", ROLE, _address(request), "lock", session.person)
            self._state.sight_changed()

    async def _unlock(self, request: Request, session: Session) -> None:
        if session.locked:
            await self._access.lock(session, locked=False)
            self._access.note("sign-in", ROLE, _address(request), "unlock", session.person)
            self._state.sight_changed()

    # What is said, and what goes on by itself.

    def shown(self, request: Request) -> ShownEntry:
        """For this browser."""
        state, session, room = self._state, self._access.session_of(request), self._state.profile.room
        hearing = state.current
        here = session is not None or bool(self._access.known_device(request))
        alarms = [] if state.recorder is None else state.recorder.get("alarms", [])
        of_hearing = 0 if hearing is None else sum(alarm.cleared_ns is None for alarm in hearing.alarms)
        return {
            "court_name": room.court_name,
            "room_name": room.room_name,
            "hearing": None if hearing is None else hearing.state.value,
            "recording": hearing is not None and hearing.state is State.OPEN and state.kept(hearing.id),
            "alarms": len(alarms) + len(state.alarms) + of_hearing,
            "center": self._door is not None,
            "persons": self._door is not None and self._book.persons,
            "me": None if session is None else self._shown_self(session),
            "pins": [
                {"person": one.person, "name": one.name}
                for one in (self._book.clerks() if here else [])
                if self._good(one.person)
            ],
            "lock_after_minutes": state.profile.panel.lock_after_minutes,
        }

    def _shown_self(self, session: Session) -> ShownSelf:
        return {
            "person": session.person,
            "name": session.name,
            "until_utc_ms": None if session.until_s is None else int(session.until_s * 1000),
            "has_pin": self._good(session.person),
            "locked": session.locked,
        }

    def stands(self, session: Session) -> bool:
        """Whether a session of a person is still worth anything: while the center's word for them lasts."""
        return not session.person or self._book.clerk(session.person) is not None

    def alarms(self) -> list[RoomAlarm]:
        """What the screens say while the panel was opened by the code in an emergency."""
        if self._emergency_ns is None:
            return []
        text = "中心无法连接，面板以应急登录码打开；请书记员在中心恢复后以本人帐号登录"
        return [{"code": EMERGENCY, "subject": "", "text": text, "since_ns": self._emergency_ns}]

    async def run(self) -> None:
        """Ask the center for ever whether who is in may still have a panel here."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Ask it once; while it is away nobody is sent out."""
        persons = [clerk.person for clerk in self._book.clerks()]
        if self._door is None or not persons:
            return
        try:
            gone = await self._door.gone(persons)
        except (AccessError, CenterError) as error:
            log.info("standing_unknown", why=error.code)
            return
        for person in gone:
            if self._book.clerk(person) is not None:
                await asyncio.to_thread(self._book.remove, person)
                await self._access.end_person(person)
                self._access.note("sign-out", ROLE, "", "ended by the center", person)
                log.warning("clerk_gone", person=person, next="the panel asks who takes over; recording goes on")

    async def close(self) -> None:
        """Ask nothing more."""
        if self._door is not None:
            await self._door.close()

    def _good(self, person: str) -> bool:
        pin = self._book.pin(person)
        return pin is not None and pin.good(self._book.now_s(), hearing=self._state.current is not None)

    def _set_emergency(self, since_ns: int | None) -> None:
        if (self._emergency_ns is None) != (since_ns is None):
            self._emergency_ns = since_ns
            self._on_alarm()


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"
