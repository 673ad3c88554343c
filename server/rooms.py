"""What the center knows of each room right now: online or not, its hearing, recorder, who speaks, what is wrong.

A room is online while its status comes (at least every 5 s) and its last will has not been published. Everything that
a room says of itself is checked for its shape and passed on to the screens, never trusted further.

Statuses of one uplink count in their order, and of two runs of it the later one (`server.uplinks`). While two say by
turns that they are the same room (a copied disk), no live picture can be told to be of one of them: the room is not
*heard*, and the wall says what is wrong (alarm `twice`).

A status is never the same twice, since counters and clocks run in it (`server.status.steady_status`). A room looks
*different* when something else has changed, and only then is anybody told, and what it says looked through again.

Which hearing a live picture is of decides who may see it. A status that is older than an opening that is stored says
nothing of it, and one from before a broken connection says nothing at all: until the room says its status anew it is
not *heard*, and nothing live of it may be shown to anybody.

Of several processes of a center one does not listen to all rooms (`server.leases.room_subscriptions`). A room that it
does not hear, or not yet, is not *known*: what it said before is forgotten, and nobody is told that it is away.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from server.config import RoomEntry
from server.events.admission import Received
from server.shown_room import ShownRoom, hidden_room, silent_room
from server.status.said_status import FurthestTold, SaidStatus, read_status
from server.uplinks import RoomUplinks, StatusWorth
from sync.record.milliseconds import to_ms
from sync.runtime.listeners import Listeners

log = structlog.get_logger(__name__)

STALE_S = 15.0
TWICE = "twice"
TWICE_WORDS = (
    "两台设备使用同一身份，直播已停；两台的记录都留在各自机内。请吊销该法庭设备，并重新登记真正在法庭的一台"
    " (two devices use this room's identity: revoke it, and enroll the right one anew)"
)
MOST_BACK = 4
BACK_S = 8.0
"""A room that comes back more often than `MOST_BACK` times in so long is told what it must know when that is over."""


@dataclass
class KnownRoom:
    """One room."""

    address: str
    court_name: str = ""
    room_name: str = ""
    named: bool = False
    """Whether an administrator has named it: then it is called so, whatever it says of itself."""
    retired: bool = False
    """Whether it is no room of this center any more: nothing is taken of it and nobody is shown it."""
    status: SaidStatus | None = None
    online: bool = False
    seen_s: float = 0.0
    seen_utc_ns: int | None = None
    alarms: dict[str, str] = field(default_factory=dict)
    """Alarms that the center itself raised: code -> words."""
    alarms_elsewhere: dict[str, str] = field(default_factory=dict)
    """Those that the process of the center has raised which owns this room."""
    steady_recorder: dict[str, Any] | None = None
    """What its recorder says, without the counters."""
    hearing_text: str = ""
    """What it says of its hearing, as text: of `true` and `1` only one makes a hearing public."""
    steady: object = None
    """What its statuses say beside counters and clocks: what has been looked through."""
    look: object = None
    """How it looked when somebody was last told."""
    known: bool = True
    """Whether anything is known of how it is now, that it is away among it."""
    heard: bool = False
    """Whether a status has come since the room, or the way to it, was last away."""
    uplinks: RoomUplinks = field(default_factory=RoomUplinks)
    backs_s: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_BACK))
    """When others were last told that the room came back."""
    furthest: FurthestTold = field(default_factory=FurthestTold)
    opening: tuple[str, int] | None = None
    """A hearing whose opening is stored and later (room time) than the last status, which does not know of it."""

    @property
    def live_id(self) -> str | None:
        """The hearing that runs now, by all that the center knows."""
        return self.hearing_id if self.opening is None else self.opening[0]

    @property
    def hearing_id(self) -> str | None:
        """The hearing that the room says runs."""
        hearing = None if self.status is None else self.status.hearing
        return None if hearing is None or hearing.get("state") == "closed" else self.told_id

    @property
    def told_id(self) -> str | None:
        """The hearing that the room tells of, which may be over: its case is shown with it all the same."""
        hearing = None if self.status is None else self.status.hearing
        return str(hearing["id"]) if hearing is not None and isinstance(hearing.get("id"), str) else None

    def to_screen(self, *, shown: bool = True, part_sealed: bool = False, counters: bool = True) -> dict[str, Any]:
        """As browsers get it; not `shown`: to people who may not see this hearing, only that there is one.
        `part_sealed`: to people who may not see what goes on in it just now. Not `counters`: without those of its
        recorder."""
        whole = self._to_screen(counters)
        if not shown:
            return hidden_room(whole)
        return silent_room(whole) if part_sealed else whole

    def looks(self) -> object:
        """What people see of it, and of which hearing what is live in it is: nobody is told of anything else."""
        status = self.status
        return (
            self.known,
            self.online,
            self.steady,
            self.court_name,
            self.room_name,
            status.speaking if status is not None and self.online else [],
            {**self.alarms_elsewhere, **self.alarms},
            self.live_id,
        )

    def _to_screen(self, counters: bool) -> dict[str, Any]:
        status = self.status
        said: Any = status  # of its shape, not of its form: what a room says is passed on, never trusted further
        recorder: Any = None if said is None else said.recorder if counters else self.steady_recorder
        room: ShownRoom = {
            "address": self.address,
            "online": self.online,
            "known": self.known,
            "court_name": self.court_name,
            "room_name": self.room_name,
            "hearing": None if status is None else said.hearing,
            "recorder": recorder,
            "speaking": status.speaking if status is not None and self.online else [],
            "seats": [] if status is None else said.seats,
            "alarms": [] if status is None else said.alarms,
            "seen_utc_ns": self.seen_utc_ns,
            "center_alarms": [
                {"code": code, "text": words} for code, words in {**self.alarms_elsewhere, **self.alarms}.items()
            ],
        }
        shown = to_ms(room)
        assert isinstance(shown, dict)
        return shown


class Rooms:
    """All rooms of the center. All methods belong to one event loop."""

    def __init__(
        self,
        entries: list[RoomEntry],
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
        utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._rooms = {e.address: KnownRoom(e.address, e.court_name, e.room_name) for e in entries}
        self._current = dict(self._rooms)
        """Those that are not retired."""
        self.added = Listeners[[KnownRoom]]()
        """Told of a room that is new, or back again, before anybody is shown it."""
        self.removed = Listeners[[KnownRoom]]()
        """Told of a room that is retired from now on, after it has fallen silent."""
        self._online: dict[str, KnownRoom] = {}
        """Those that are online, whoever was heard longest ago first."""
        self._doubled: dict[str, KnownRoom] = {}
        """Those that two devices say they are."""
        self._back: dict[str, KnownRoom] = {}
        """Those that have come back, and nobody was told."""
        self.changed = Listeners[[KnownRoom]]()
        """Told when a room looks different on a screen."""
        self.came_back = Listeners[[KnownRoom]]()
        """Told when a room's first status has come since the room, or the way to it, was last away; of two devices with
        one identity, at each turn."""
        self.twice = Listeners[[KnownRoom]]()
        """Told when it is found that two devices go by the identity of a room."""
        self._monotonic_s = monotonic_s
        self._utc_ns = utc_ns

    def __contains__(self, address: object) -> bool:
        return address in self._current

    @property
    def states(self) -> Mapping[str, KnownRoom]:
        """All rooms by address, those that were retired while this process ran among them: what is under way may still
        ask for one."""
        return self._rooms

    @property
    def current(self) -> Mapping[str, KnownRoom]:
        """All rooms by address that are not retired."""
        return self._current

    def enlist(self, address: str, court_name: str, room_name: str, *, named: bool = False) -> None:
        """There is such a room, called so; `named`: whatever it says of itself."""
        room = self._rooms.setdefault(address, KnownRoom(address))
        is_new = address not in self._current
        room.named = named
        if named or room.status is None:
            room.court_name, room.room_name = court_name or room.court_name, room_name or room.room_name
        if is_new:
            room.retired, room.known, self._current[address] = False, True, room
            self.added.notify(room)
        self._notify(room)

    def strike(self, address: str) -> None:
        """This room is retired: it is silent, bears no alarms, and is no room of the center any more."""
        room = self._current.pop(address, None)
        if room is None:
            return
        for known in (self._online, self._doubled, self._back):
            known.pop(address, None)
        room.alarms.clear()
        room.alarms_elsewhere = {}
        room.retired, room.uplinks, room.opening = True, RoomUplinks(), None
        self.unheard_of([address])
        self.removed.notify(room)

    @property
    def doubled(self) -> Collection[str]:
        """The addresses of rooms that two devices say they are."""
        return self._doubled.keys()

    def status(self, address: str, payload: bytes) -> None:
        """Take a room's status; `CenterError` when it is none."""
        room = self._rooms[address]
        read = read_status(payload, room.steady)
        status = read.status
        said = room.uplinks.take(status.session, status.room_ns if status.online else None, self._monotonic_s())
        if said is StatusWorth.STALE:
            return
        if said is StatusWorth.BY_THE_OTHER:
            self._said_by_the_other(room)
            return
        room.known = True
        if status.online:
            room.status, room.steady = status, read.steady
            room.hearing_text, room.steady_recorder = read.hearing_text, read.recorder
            if not room.named:
                room.court_name = status.court_name or room.court_name
                room.room_name = status.room_name or room.room_name
            room.seen_s = self._monotonic_s()
            room.seen_utc_ns = self._utc_ns()
            room.furthest.note(room.told_id, status.room_ns, room.seen_s)
            if room.opening is not None and (room.told_id == room.opening[0] or status.room_ns >= room.opening[1]):
                room.opening = None
        anew = room.uplinks.speaks_again if room.uplinks.are_two else not room.heard
        came_back = status.online and (anew or said is StatusWorth.ANOTHER)
        # Of two that take turns the one goes whenever the other comes; the room is away when neither says anything.
        room.online = status.online or (room.online and room.uplinks.are_two)
        room.heard = status.online and not room.uplinks.are_two
        self._note_online(room, speaks=status.online)
        self._notify(room)
        if came_back:
            self._came_back(room)

    def _came_back(self, room: KnownRoom) -> None:
        """Tell it now, or by `poll` where it was told too often just now: each time costs questions to the store."""
        now = self._monotonic_s()
        if len(room.backs_s) == MOST_BACK and now - room.backs_s[0] < BACK_S:
            self._back[room.address] = room
        else:
            self._back.pop(room.address, None)
            room.backs_s.append(now)
            self.came_back.notify(room)

    def _said_by_the_other(self, room: KnownRoom) -> None:
        """A status of an uplink that another one has replaced, and that goes on all the same."""
        speaks_again = room.uplinks.speaks_again
        if room.uplinks.are_two:
            room.heard, room.online = False, True
            self._doubled[room.address] = room
            self._note_online(room, speaks=True)
            if TWICE not in room.alarms:
                log.error("two_devices", room=room.address, next="revoke the room's device and enroll the right one")
                self.twice.notify(room)
            room.alarms[TWICE] = TWICE_WORDS
            self._notify(room)
        if speaks_again:
            self._came_back(room)

    def _note_online(self, room: KnownRoom, *, speaks: bool) -> None:
        """Keep the order in which rooms were last heard."""
        if speaks or not room.online:
            self._online.pop(room.address, None)
        if room.online:
            self._online.setdefault(room.address, room)

    def unheard(self) -> None:
        """The way to all rooms is broken: what they said last may be old when it is whole again."""
        for room in self._rooms.values():
            room.heard = False

    def unheard_of(self, addresses: Iterable[str]) -> None:
        """These rooms are not listened to, or not any more: nothing is known of them by what they said last."""
        for address in addresses:
            room = self._rooms[address]
            self._online.pop(address, None)
            room.known = room.heard = room.online = False
            room.status = room.steady = room.steady_recorder = room.seen_utc_ns = None
            room.hearing_text = ""
            self._notify(room)

    def listened_to(self, address: str) -> None:
        """This room has been listened to for `STALE_S`: if it has said nothing, it is away."""
        self._rooms[address].known = True
        self._notify(self._rooms[address])

    def opened(self, address: str, hearing: str, room_ns: int) -> None:
        """The opening of a hearing is stored; the room's status may not say so yet."""
        room = self._rooms.get(address)
        if room is None or room.told_id == hearing or (room.status is not None and room.status.room_ns >= room_ns):
            return
        if room.opening is None or room.opening[1] < room_ns:
            room.opening = (hearing, room_ns)
            self._notify(room)

    def closed(self, address: str, hearing: str) -> None:
        """The close of a hearing is stored."""
        room = self._rooms.get(address)
        if room is not None and room.opening is not None and room.opening[0] == hearing:
            room.opening = None
            self._notify(room)

    def stored(self, events: Sequence[Received]) -> None:
        """Events that are new and on disk."""
        for received in events:
            hearing = received.event.hearing
            if hearing is not None and received.event.kind == "open":
                self.opened(received.room, hearing, received.event.room_ns)
            elif hearing is not None and received.event.kind == "close":
                self.closed(received.room, hearing)

    def alarm(self, address: str, code: str, words: str) -> None:
        """The center noticed something about a room that a person must look at."""
        room = self._rooms[address]
        if not room.retired:
            room.alarms[code] = words
            self._notify(room)

    def clear(self, address: str, code: str) -> None:
        """What the center noticed is over."""
        room = self._rooms[address]
        if room.alarms.pop(code, None) is not None:
            self._notify(room)

    def show_elsewhere(self, address: str, alarms: dict[str, str]) -> None:
        """What the owner of a room has noticed, where that is another process."""
        room = self._rooms[address]
        if not room.retired:
            room.alarms_elsewhere = alarms
            self._notify(room)

    def poll(self) -> None:
        """Note who has fallen silent; call about once a second. Looks only at those of whom something is due."""
        now = self._monotonic_s()
        for room in list(self._back.values()):
            self._came_back(room)
        for room in list(self._doubled.values()):
            if not room.uplinks.still_two(now):
                del self._doubled[room.address]
                self.clear(room.address, TWICE)
        while self._online:
            room = next(iter(self._online.values()))
            if now - max(room.seen_s, room.uplinks.last_s) <= STALE_S:
                break
            del self._online[room.address]
            room.online = room.heard = False
            self._notify(room)

    def now_ns(self, address: str) -> int | None:
        """Room time now, as far as the room's last status tells; None while it is not online."""
        room = self._rooms.get(address)
        if room is None or room.status is None or not room.online:
            return None
        return room.status.room_ns + int((self._monotonic_s() - room.seen_s) * 1_000_000_000)

    def furthest_ns(self, address: str, hearing: str) -> int:
        """How far a hearing is now by the furthest that its room ever said, whatever its clock says since."""
        return self._rooms[address].furthest.now_ns(hearing, self._monotonic_s())

    def _notify(self, room: KnownRoom) -> None:
        look = room.looks()
        if look != room.look:
            room.look = look
            self.changed.notify(room)
