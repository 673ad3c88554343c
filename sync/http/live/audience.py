"""Which tabs something is for, found by its track or its room: never by asking every tab.

A tab *watches* tracks, and gets their pictures and sound. It *follows* rooms, and gets their events and levels. It has
rooms *in sight*, those that it follows among them, and gets their thumbnails and captions. A tab that sees all (a panel
in its own room) has every room in sight.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain

from sync.http.live.tab import LiveTab

_NOBODY: frozenset[LiveTab] = frozenset()


def room_of(name: str) -> str:
    """`court/room` of `court/room/track`; "" where tracks are named alone."""
    return name.rpartition("/")[0]


class _TabsByName:
    """Names, each with the tabs that have named it; a name that nobody names any more is forgotten."""

    def __init__(self) -> None:
        self.tabs: dict[str, set[LiveTab]] = {}

    def add(self, name: str, tab: LiveTab) -> None:
        self.tabs.setdefault(name, set()).add(tab)

    def discard(self, name: str, tab: LiveTab) -> None:
        tabs = self.tabs.get(name, set())
        tabs.discard(tab)
        if not tabs:
            self.tabs.pop(name, None)

    def move(self, tab: LiveTab, before: frozenset[str], now: frozenset[str]) -> None:
        for name in before - now:
            self.discard(name, tab)
        for name in now - before:
            self.add(name, tab)


class Audience:
    """The tabs of one gateway. All methods belong to one event loop; what is returned is not to be kept."""

    def __init__(self) -> None:
        self._watching = _TabsByName()
        self._tracks: dict[str, set[str]] = {}
        """room -> its tracks that somebody watches."""
        self._following = _TabsByName()
        self._seeing = _TabsByName()
        self._seeing_all: set[LiveTab] = set()
        self._follows: dict[LiveTab, frozenset[str]] = {}
        self._sees: dict[LiveTab, frozenset[str]] = {}

    @property
    def watched(self) -> Collection[str]:
        """Addresses of tracks that somebody watches."""
        return self._watching.tabs.keys()

    @property
    def rooms_wanted(self) -> set[str]:
        """Rooms of which somebody watches a track, or that somebody follows."""
        return {*self._tracks, *self._following.tabs}

    def tracks_watched(self, room: str) -> Collection[str]:
        """Addresses of the tracks of a room that somebody watches."""
        return self._tracks.get(room, ())

    def watchers(self, name: str) -> Collection[LiveTab]:
        """Who watches a track."""
        return self._watching.tabs.get(name, _NOBODY)

    def watchers_of(self, room: str) -> set[LiveTab]:
        """Who watches any track of a room."""
        return set(chain.from_iterable(self.watchers(name) for name in self.tracks_watched(room)))

    def followers(self, room: str) -> Collection[LiveTab]:
        """Who follows a room."""
        return self._following.tabs.get(room, _NOBODY)

    def seers(self, room: str) -> Iterable[LiveTab]:
        """Who has a room in sight."""
        return chain(self._seeing.tabs.get(room, _NOBODY), self._seeing_all)

    def sees(self, tab: LiveTab, room: str) -> bool:
        """Whether a tab has a room in sight."""
        return tab in self._seeing_all or room in self._sees.get(tab, ())

    def join(self, tab: LiveTab, *, sees_all: bool) -> None:
        """A tab is connected."""
        if sees_all:
            self._seeing_all.add(tab)

    def leave(self, tab: LiveTab) -> set[str]:
        """A tab has gone; the rooms of which it wanted something."""
        rooms = {room_of(name) for name in tab.watched}
        for name in tab.watched:
            self.unwatch(tab, name)
        rooms.update(self.want(tab, follows=frozenset(), sees=frozenset())[0])
        self._seeing_all.discard(tab)
        for kept in (self._follows, self._sees):
            kept.pop(tab, None)
        return rooms

    def watch(self, tab: LiveTab, name: str) -> None:
        """A tab begins to watch a track."""
        self._watching.add(name, tab)
        self._tracks.setdefault(room_of(name), set()).add(name)

    def unwatch(self, tab: LiveTab, name: str) -> None:
        """A tab does not watch a track any more."""
        self._watching.discard(name, tab)
        if name not in self._watching.tabs:
            tracks = self._tracks.get(room_of(name), set())
            tracks.discard(name)
            if not tracks:
                self._tracks.pop(room_of(name), None)

    def want(
        self, tab: LiveTab, *, follows: frozenset[str], sees: frozenset[str]
    ) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        """A tab follows these rooms and sees those; the rooms that it follows or does not follow any more, that came
        into its sight, and that went out of it."""
        followed = self._follows.get(tab, frozenset())
        self._following.move(tab, followed, follows)
        self._follows[tab] = follows
        seen, now = self._sees.get(tab, frozenset()), sees | follows
        if tab in self._seeing_all:
            now = frozenset()
        self._seeing.move(tab, seen, now)
        self._sees[tab] = now
        return followed ^ follows, now - seen, seen - now
