"""What tabs are told of the rooms: all of them when a tab comes, then only what is new for it.

A tab is told of every room what is wrong, what is recorded and what runs; who speaks, only of rooms in its sight. What
it is told is made when it is sent, from the room as it is then and by what the tab may see then. So what waits for a
slow tab is one message, however much has changed, and nothing in it can be withdrawn too late. What is new for several
that were told the same is written once. Between two messages of this kind lie `TELL_S`, the first goes at once.

The messages of a tab are numbered, the whole with 0. Who misses one asks for the whole, and gets it at most every
`WHOLE_S`. A tab of before (a page that was open when the center was replaced) is told each room whole, as it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from server.live.room_looks import RoomLook, RoomLooks, View
from server.rooms import KnownRoom, Rooms
from sync.http.live.audience import Audience
from sync.http.live.tab import LiveTab, Spans

TELL_S = 0.2
WHOLE_S = 2.0
_CHANGES = "changes"


@dataclass(eq=False, slots=True)
class _TabTold:
    """One tab."""

    knows: Callable[[str], bool]
    """Whether a room is there for it."""
    looks: dict[str, RoomLook] = field(default_factory=dict)
    """address -> how the tab was told that the room looks."""
    due: dict[str, None] = field(default_factory=dict)
    """Rooms of which something may be new for it."""
    number: int = 0
    wants_whole: bool = True
    whole_s: float = float("-inf")
    """When the whole was last asked for and granted."""


class WallFeed:
    """All methods belong to one event loop."""

    def __init__(
        self,
        rooms: Rooms,
        audience: Audience,
        now: Callable[[KnownRoom], Spans],
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now`: the moment that goes on in a room, by which it is judged who may see it."""
        self._rooms = rooms
        self._audience = audience
        self._now = now
        self._monotonic_s = monotonic_s
        self._looks: dict[str, RoomLooks] = {}
        self._tabs: dict[LiveTab, _TabTold] = {}
        self._of_before: dict[LiveTab, Callable[[str], bool]] = {}
        self._changed: dict[str, bool] = {}
        """address -> whether everybody is to be told, since tabs were last told."""
        self._asking: dict[LiveTab, None] = {}
        """Tabs that have asked for the whole."""
        self._awake = asyncio.Event()
        rooms.added.add(self.relist)
        rooms.removed.add(self.relist)

    def join(self, tab: LiveTab, knows: Callable[[str], bool] = lambda room: True) -> None:
        """A tab has come and is to be told everything of the rooms that are there for it."""
        self._tabs[tab] = _TabTold(knows=knows, whole_s=self._monotonic_s())
        self._queue(tab)

    def join_of_before(self, tab: LiveTab, knows: Callable[[str], bool] = lambda room: True) -> None:
        """A tab of before has come, and was told everything."""
        self._of_before[tab] = knows

    def leave(self, tab: LiveTab) -> None:
        """A tab has gone."""
        self._tabs.pop(tab, None)
        self._asking.pop(tab, None)
        self._of_before.pop(tab, None)

    def ask_whole(self, tab: LiveTab) -> None:
        """A tab has missed something."""
        if tab in self._tabs:
            self._asking[tab] = None
            self._awake.set()

    def relist(self, room: KnownRoom) -> None:
        """A room is new or is none any more: every tab is told the whole, before anything else of it."""
        if room.retired:
            self._looks.pop(room.address, None)
        for tab, told in self._tabs.items():
            told.wants_whole = True
            if room.retired:
                told.looks.pop(room.address, None)
            self._queue(tab)

    def note(self, room: KnownRoom, *, judged_anew: bool = False) -> None:
        """A room looks different now, or, `judged_anew`, may be seen by others than before."""
        before = self._looks.get(room.address)
        now = self._looks[room.address] = RoomLooks(room)
        for_all = judged_anew or before is None or now.differs_for_all(before)
        self._changed[room.address] = for_all or self._changed.get(room.address, False)
        self._awake.set()
        for tab, knows in self._of_before.items():
            if knows(room.address):
                self._queue_of_before(tab, room)

    def in_sight(self, tab: LiveTab, rooms: Iterable[str]) -> None:
        """Rooms have come into a tab's sight, or gone out of it."""
        told = self._tabs.get(tab)
        if told is not None:
            told.due.update(dict.fromkeys(room for room in rooms if room in self._rooms))
            self._queue(tab)

    async def run(self) -> None:
        """Tell the tabs for ever, and nobody while nothing changes."""
        while True:
            await self._awake.wait()
            self.tell()
            await asyncio.sleep(TELL_S)

    def tell(self) -> None:
        """Queue what is new for each tab for which something is."""
        self._awake.clear()
        changed, self._changed = self._changed, {}
        for address, for_all in changed.items():
            for tab in self._tabs if for_all else self._audience.seers(address):
                if tab in self._tabs:
                    self._tabs[tab].due[address] = None
        if changed:
            for tab, told in self._tabs.items():
                if told.due:
                    self._queue(tab)
        self._grant_wholes()

    def _grant_wholes(self) -> None:
        now_s = self._monotonic_s()
        for tab in list(self._asking):
            told = self._tabs[tab]
            if now_s - told.whole_s < WHOLE_S:
                self._awake.set()  # it is granted later
            else:
                told.whole_s, told.wants_whole = now_s, True
                del self._asking[tab]
                self._queue(tab)

    def _queue(self, tab: LiveTab) -> None:
        tab.text_packed(lambda: self._message(tab), replaces=_CHANGES)

    def _queue_of_before(self, tab: LiveTab, room: KnownRoom) -> None:
        tab.text_packed(
            lambda: self._looks_of(room).message_of_before(self._view(tab, room)), replaces=f"room/{room.address}"
        )

    def _message(self, tab: LiveTab) -> str:
        """What a tab is told now; "" for nothing."""
        told = self._tabs.get(tab)
        if told is None:
            return ""
        if told.wants_whole:
            return self._whole(tab, told)
        due, told.due = told.due, {}
        if any(address in told.looks and not told.knows(address) for address in due):
            return self._whole(tab, told)  # a room that is not there any more is told by its absence alone
        known = self._rooms.current
        news = [text for address in due if address in known and (text := self._news(tab, told, known[address]))]
        if not news:
            return ""
        told.number += 1
        return f'{{"type": "changes", "number": {told.number}, "rooms": [{", ".join(news)}]}}'

    def _news(self, tab: LiveTab, told: _TabTold, room: KnownRoom) -> str:
        if not told.knows(room.address):
            return ""
        looks, view = self._looks_of(room), self._view(tab, room)
        text = looks.news(told.looks.get(room.address), view)
        if text:
            told.looks[room.address] = looks.look(view)
        return text

    def _whole(self, tab: LiveTab, told: _TabTold) -> str:
        told.wants_whole, told.number = False, 0
        told.due.clear()
        told.looks = {
            address: self._looks_of(room).look(self._view(tab, room))
            for address, room in self._rooms.current.items()
            if told.knows(address)
        }
        rooms = ", ".join(look.text for look in told.looks.values())
        # The center's clock, so that a browser whose own is wrong still measures the lag right.
        return f'{{"type": "rooms", "rooms": [{rooms}], "utc_ms": {time.time_ns() / 1_000_000}, "number": 0}}'

    def _looks_of(self, room: KnownRoom) -> RoomLooks:
        found = self._looks.get(room.address)
        if found is None:
            found = self._looks[room.address] = RoomLooks(room)
        return found

    def _view(self, tab: LiveTab, room: KnownRoom) -> View:
        hearing = room.told_id
        if not tab.may_see(hearing):
            return View.HIDDEN
        if not all(tab.may_see_span(hearing, *span) for span in self._now(room)):
            return View.SILENT
        return View.WHOLE if self._audience.sees(tab, room.address) else View.OUT_OF_SIGHT
