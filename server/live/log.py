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
from dataclasses import dataclass

from server.access.audit import Audit
from server.live.hub import LiveHub
from server.rooms import Rooms
from sync.http.live.tab import LiveTab
from sync.http.people import Session

LINGER_S = 10.0
_Key = tuple[str, str, str]
"""(session, room, hearing or nothing)"""


@dataclass(slots=True)
class _Watched:
    session: Session
    address: str
    began_s: float
    seen_s: float


class LiveLog:
    """All methods belong to one event loop."""

    def __init__(
        self, live: LiveHub, rooms: Rooms, audit: Audit, *, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._live = live
        self._rooms = rooms
        self._audit = audit
        self._monotonic_s = monotonic_s
        self._tabs: dict[LiveTab, tuple[Session, str]] = {}
        self._open: dict[_Key, _Watched] = {}
        rooms.changed.add(lambda room: self.poll())

    def said(self, session: Session, address: str, tab: LiveTab) -> None:
        """A tab said what it wants, or has gone."""
        if tab in self._live.gateway.tabs:
            self._tabs[tab] = session, address
        else:
            self._tabs.pop(tab, None)
        self.poll()

    def poll(self, *, all_of_them: bool = False) -> None:
        """Note what has begun and ended; call every second, and with `all_of_them` before the end."""
        now = self._monotonic_s()
        for tab, (session, address) in self._tabs.items():
            for room in self._rooms_of(tab):
                key = session.id, room, self._rooms.states[room].live_id or ""
                known = self._open.get(key)
                if known is None:
                    self._open[key] = _Watched(session, address, now, now)
                    self._note("watch", key, self._open[key])
                else:
                    known.seen_s = now
        for key, watched in list(self._open.items()):
            if all_of_them or now - watched.seen_s > LINGER_S:
                del self._open[key]
                self._note("watched", key, watched)

    def _rooms_of(self, tab: LiveTab) -> set[str]:
        watched = {name.rpartition("/")[0] for name in tab.watched}
        wanted = {room for room in tab.wanted.get("rooms", ()) if tab.may_watch(f"{room}/")}
        return {room for room in watched | wanted if room in self._rooms.states}

    def _note(self, what: str, key: _Key, watched: _Watched) -> None:
        session, room, hearing = key
        said: dict[str, object] = {"room": room, "hearing": hearing or None, "session": session}
        if what == "watched":
            said["seconds"] = round(watched.seen_s - watched.began_s)
        self._audit.note(what, watched.session.role, watched.address, json.dumps(said))
