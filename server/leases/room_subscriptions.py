"""What a process hears of which rooms at the broker: all that its own say for the record, and what is looked at here.

Of its own rooms it hears status, events and checkpoints. While anybody is here to look, and `LINGER_S` longer, it hears
the status of every room, for the wall; of a room in somebody's sight thumbnails and captions; of one that is followed
its levels, and what its owner receipts; of one whose tracks are watched their media.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping

from server.ingest.mqtt import CenterBroker
from server.rooms import STALE_S, Rooms
from sync import topics
from sync.http.live.audience import Audience

LINGER_S = 60.0
_OF_OWN = (topics.STATUS, topics.EVENTS, topics.CHECKPOINTS)
_OF_SEEN = (topics.CAPTION, topics.live("+", topics.THUMBNAIL))
_OF_WATCHED = (topics.live("+", topics.INIT), topics.live("+", topics.FRAGMENT))


class RoomSubscriptions:
    """All methods belong to one event loop."""

    def __init__(
        self,
        broker: CenterBroker,
        rooms: Rooms,
        audience: Audience,
        tabs: Callable[[], Collection[object]],
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tabs()`: who is connected here."""
        self._broker = broker
        self._rooms = rooms
        self._audience = audience
        self._tabs = tabs
        self._monotonic_s = monotonic_s
        self._own: set[str] = set()
        self._heard: dict[str, frozenset[str]] = {}
        """room -> topics of it that are asked for."""
        self._looked_at: set[str] = set()
        """Rooms of which more is heard than of any."""
        self._is_visited = False
        self._visited_s = float("-inf")
        self._since_s: dict[str, float] = {}
        """room -> since when its status is listened to, for `STALE_S`; who came first before the others."""
        rooms.unheard_of(rooms.states)

    def own(self, rooms: Collection[str]) -> None:
        """These rooms are this process's from now on."""
        self._own.update(rooms)
        self.look(rooms)

    def disown(self, rooms: Collection[str]) -> None:
        """They are another's."""
        self._own.difference_update(rooms)
        self.look(rooms)

    def add(self, room: str) -> None:
        """A room is new: nothing is known of it until it is listened to."""
        self._rooms.unheard_of([room])
        self.look([room])

    def remove(self, room: str) -> None:
        """A room is none any more: nothing of it is heard."""
        heard = self._heard.pop(room, frozenset())
        if heard:
            self._broker.leave({room: heard})
        self._own.discard(room)
        self._looked_at.discard(room)
        self._since_s.pop(room, None)

    def look(self, rooms: Iterable[str]) -> None:
        """Something else is wanted of these rooms, perhaps."""
        more: dict[str, frozenset[str]] = {}
        less: dict[str, frozenset[str]] = {}
        for room in rooms:
            if room not in self._rooms:
                continue  # a tab may say what it likes
            before, now = self._heard.get(room, frozenset()), self._wanted(room)
            if now - before:
                more[room] = now - before
            if before - now:
                less[room] = before - now
            self._heard[room] = now
        if more:
            now_s = self._monotonic_s()
            self._since_s.update({room: now_s for room, names in more.items() if topics.STATUS in names})
            self._broker.hear(more)
        if less:
            self._broker.leave(less)
            unheard = [room for room, names in less.items() if topics.STATUS in names]
            for room in unheard:
                self._since_s.pop(room, None)
            self._rooms.unheard_of(unheard)

    def visit(self) -> None:
        """Somebody asks how rooms are: from now on they are listened to, as for who looks at the wall."""
        self._visited_s = self._monotonic_s()
        self._look_for_visitors()

    def poll(self) -> None:
        """Note who has come, and what nobody looks at any more; call about once a second."""
        if self._tabs():
            self._visited_s = self._monotonic_s()
        self._look_for_visitors()

    def _look_for_visitors(self) -> None:
        now_s = self._monotonic_s()
        for room, since_s in list(self._since_s.items()):
            if now_s - since_s <= STALE_S:
                break
            del self._since_s[room]
            self._rooms.listened_to(room)
        is_visited = now_s - self._visited_s <= LINGER_S
        if is_visited != self._is_visited:
            self._is_visited = is_visited
            self.look(self._rooms.current)
        else:
            self.look(list(self._looked_at))

    @property
    def heard(self) -> Mapping[str, frozenset[str]]:
        """room -> topics of it that are asked for."""
        return self._heard

    def _wanted(self, room: str) -> frozenset[str]:
        wanted: set[str] = set()
        if any(True for _ in self._audience.seers(room)):
            wanted.update(_OF_SEEN)
        if self._audience.followers(room):
            wanted.add(topics.LEVELS)
            if room not in self._own:
                wanted.add(topics.RECEIPTS)
        if self._audience.tracks_watched(room):
            wanted.update(_OF_WATCHED)
        if wanted:
            self._looked_at.add(room)
        else:
            self._looked_at.discard(room)
        if room in self._own:
            wanted.update(_OF_OWN)
        elif wanted or self._is_visited:
            wanted.add(topics.STATUS)
        return frozenset(wanted)
