"""Who watches which hearing live, from when to when, for the audit log.

A line `watch` when a session begins to look at or listen to a room, or a hearing begins in a room that it watches, and
`watched` with the seconds when it has not any more for `LINGER_S`: three tabs are one, and a page that is loaded again
goes on. The first line is written at once, so it is there after a crash; one without an end says that the center ended
before. Thumbnails come to every open wall without being asked for: of those the WebSocket's own lines tell.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from server.access.audit import Audit
from server.live.hub import LiveHub
from server.rooms import KnownRoom, Rooms
from sync.http.live.tab import LiveTab
from sync.http.rights.people import Session

LINGER_S = 10.0
_Key = tuple[str, str, str]
"""(session, room, hearing or nothing)"""


@dataclass(slots=True)
class _Watched:
    session: Session
    address: str
    began_s: float
    tabs: set[LiveTab] = field(default_factory=set)
    left_s: float = 0.0
    """When the last of them left."""


class LiveLog:
    """All methods belong to one event loop. Only what has changed, or is due, is gone through."""

    def __init__(
        self, live: LiveHub, rooms: Rooms, audit: Audit, *, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._live = live
        self._rooms = rooms
        self._audit = audit
        self._monotonic_s = monotonic_s
        self._tabs: dict[LiveTab, tuple[Session, str]] = {}
        self._rooms_named: dict[LiveTab, frozenset[str]] = {}
        self._by_room: dict[str, set[LiveTab]] = {}
        """room -> the tabs that name it, seen by them or not."""
        self._keys: dict[LiveTab, frozenset[_Key]] = {}
        self._open: dict[_Key, _Watched] = {}
        self._left: dict[_Key, None] = {}
        """Those that no tab watches any more, whoever left first before the others."""
        live.judged_anew.add(self._judged_anew)

    def said(self, session: Session, address: str, tab: LiveTab) -> None:
        """A tab said what it wants, or has gone."""
        if tab in self._live.gateway.tabs:
            self._tabs[tab] = session, address
            self._look(tab)
        elif tab in self._tabs:
            self._name(tab, frozenset())
            self._watch(tab, frozenset())
            for of_tab in (self._tabs, self._rooms_named, self._keys):
                of_tab.pop(tab)

    def poll(self, *, all_of_them: bool = False) -> None:
        """Note what has ended; call every second, and with `all_of_them` before the end."""
        now = self._monotonic_s()
        for key in list(self._left):
            if not all_of_them and now - self._open[key].left_s <= LINGER_S:
                break
            self._end(key, self._open[key].left_s)
        if all_of_them:
            for key in list(self._open):
                self._end(key, now)

    def _judged_anew(self, room: KnownRoom) -> None:
        for tab in list(self._by_room.get(room.address, ())):
            self._look(tab)

    def _look(self, tab: LiveTab) -> None:
        """Note what a tab begins to watch, and what it does not any more."""
        session = self._tabs[tab][0]
        watched = {name.rpartition("/")[0] for name in tab.watched}
        wanted = {room for room in tab.wanted.get("rooms", ()) if room in self._rooms.states}
        self._name(tab, frozenset(watched | wanted))
        rooms = watched | {room for room in wanted if tab.may_watch(f"{room}/")}
        states = self._rooms.states
        self._watch(tab, frozenset((session.id, room, states[room].live_id or "") for room in rooms if room in states))

    def _name(self, tab: LiveTab, rooms: frozenset[str]) -> None:
        before = self._rooms_named.get(tab, frozenset())
        for room in before - rooms:
            self._by_room[room].discard(tab)
            if not self._by_room[room]:
                del self._by_room[room]
        for room in rooms - before:
            self._by_room.setdefault(room, set()).add(tab)
        self._rooms_named[tab] = rooms

    def _watch(self, tab: LiveTab, keys: frozenset[_Key]) -> None:
        now = self._monotonic_s()
        before = self._keys.get(tab, frozenset())
        for key in before - keys:
            watched = self._open.get(key)
            if watched is not None:
                watched.tabs.discard(tab)
                if not watched.tabs:
                    watched.left_s = now
                    self._left[key] = None
        for key in sorted(keys - before):
            if key not in self._open:
                self._open[key] = _Watched(*self._tabs[tab], now)
                self._note("watch", key, self._open[key])
            self._left.pop(key, None)
            self._open[key].tabs.add(tab)
        self._keys[tab] = keys

    def _end(self, key: _Key, at_s: float) -> None:
        watched = self._open.pop(key)
        self._left.pop(key, None)
        self._note("watched", key, watched, seconds=round(at_s - watched.began_s))

    def _note(self, what: str, key: _Key, watched: _Watched, **more: object) -> None:
        session, room, hearing = key
        said: dict[str, object] = {"room": room, "hearing": hearing or None, "session": session, **more}
        who = watched.session
        self._audit.note(what, who.role, watched.address, json.dumps(said), who.person)
