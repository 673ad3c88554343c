"""What is watched, told to the rooms: which tracks of each, and whether its levels, whenever that changes.

Only rooms of which something is wanted, or was, are gone through; all others cost nothing. Where the center has several
processes each says its own, by its name, and the room sends what any of them wants.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Collection
from typing import Any

from server.ingest.signed_publisher import SignedPublisher
from server.rooms import Rooms
from sync.http.live.audience import Audience

ANEW_S = 2.0
"""A room is not asked more often to say anew how its tracks begin."""


class RoomDemands:
    """All methods belong to one event loop."""

    def __init__(
        self,
        rooms: Rooms,
        audience: Audience,
        publisher: SignedPublisher,
        interrupted: Callable[[str], None],
        *,
        process: str = "",
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`interrupted(address)` is told of a track that nobody watches any more: its fragments stop coming. `process`:
        how this one is called among several of the center, each of which says what is watched there."""
        self._process = process
        self._rooms = rooms
        self._audience = audience
        self._publisher = publisher
        self._interrupted = interrupted
        self._monotonic_s = monotonic_s
        self._watched: dict[str, frozenset[str]] = {}
        """room -> the addresses of its tracks that are watched."""
        self._demanded: dict[str, str] = {}
        """room -> what it was told last, where that asks for something."""
        self._sessions: dict[str, tuple[str, float]] = {}
        """room -> under which name it is asked for what is watched, and since when."""

    def changed(self, rooms: Collection[str]) -> None:
        """Others watch tracks of these rooms, or follow them."""
        for room in rooms:
            watched = frozenset(self._audience.tracks_watched(room))
            for name in self._watched.pop(room, frozenset()) - watched:
                # What is kept for newcomers would soon be an old picture.
                self._interrupted(name)
            if watched:
                self._watched[room] = watched
        self._tell(rooms, again=False)

    def repeat(self) -> None:
        """Say all that is wanted once more: a room forgets after 15 s."""
        self._tell({*self._audience.rooms_wanted, *self._demanded, *self._rooms.doubled}, again=True)

    def came_back(self, room: str) -> None:
        """A room is there again, and knows nothing of who watches it."""
        self._sessions.pop(room, None)
        self._tell([room], again=True, back=True)

    def all_lost(self) -> None:
        """What the rooms said meanwhile is lost: they are asked under new names."""
        self._sessions.clear()

    def ask_anew(self, room: str) -> None:
        """The beginning of a track was lost on its way: the room says it under a new name of what is asked for."""
        if self._monotonic_s() - self._session(room)[1] >= ANEW_S:
            self.came_back(room)

    def _session(self, room: str) -> tuple[str, float]:
        return self._sessions.setdefault(room, (secrets.token_hex(8), self._monotonic_s()))

    def _tell(self, rooms: Collection[str], *, again: bool, back: bool = False) -> None:
        """What is new for these rooms, or `again`; `back`: they know nothing of it."""
        for room in rooms:
            if room not in self._rooms:
                continue  # a tab may say what it likes
            uplinks = self._rooms.states[room].uplinks
            two = uplinks.are_two
            tracks = [] if two else sorted(name.rpartition("/")[2] for name in self._audience.tracks_watched(room))
            wanted: dict[str, Any] = {
                "tracks": tracks,
                "levels": bool(self._audience.followers(room)) and not two,
                "session": self._session(room)[0],
                "uplink": uplinks.session,
                "twice": two,
            }
            if self._process:
                wanted["center"] = self._process
            text = json.dumps(wanted)
            # A room that is back is told whom the center hears, also where nobody watches it.
            empty = not (wanted["tracks"] or wanted["levels"] or two or back)
            before = self._demanded.get(room, "")
            if (not before and empty) or (before == text and (empty or not again)):
                continue
            if self._publisher.tell(room, "demand", text, before=wanted):
                self._demanded.pop(room, None)
                if not empty:
                    self._demanded[room] = text
