"""Who watched what, from when to when: one line each for however many tabs, and no work while nothing changes."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from server.live.log import LINGER_S, LiveLog
from sync.http.live.tab import LiveTab
from tests.support.peers.wall_hub import WallHub, address


class Watching:
    """A log of watches on the hub's clock."""

    def __init__(self, rooms: int = 3) -> None:
        self.hub = WallHub(rooms)
        self.lines: list[tuple[str, dict[str, Any]]] = []
        audit: Any = SimpleNamespace(note=self._note)
        self.log = LiveLog(self.hub.hub, self.hub.rooms, audit, monotonic_s=lambda: self.hub.now_s)

    def _note(self, what: str, role: str, address: str, said: str, person: str) -> None:
        assert person == "p1", "every line names who it was"
        self.lines.append((what, json.loads(said)))

    def say(self, tab: LiveTab, session: str = "s1", **said: Any) -> None:
        self.hub.hub.gateway.hear(tab, said)
        self.log.said(SimpleNamespace(id=session, role="inspector", person="p1"), "10.0.0.1", tab)  # type: ignore[arg-type]  # as much of a session as is asked

    def gone(self, tab: LiveTab) -> None:
        gateway = self.hub.hub.gateway
        gateway._tabs.discard(tab)
        gateway.audience.leave(tab)
        self.log.said(SimpleNamespace(id="", role="", person=""), "", tab)  # type: ignore[arg-type]  # nobody looks at it

    def after(self, seconds: float) -> list[tuple[str, str | None, int | None]]:
        """The lines that were written until then: what, of which hearing, for how long."""
        self.hub.now_s += seconds
        self.log.poll()
        found = [(what, said["hearing"], said.get("seconds")) for what, said in self.lines]
        self.lines.clear()
        return found


def test_two_tabs_are_one_watch_that_ends_a_while_after_both_have_gone() -> None:
    watching = Watching()
    watching.hub.status(1)
    one, two = watching.hub.tab(), watching.hub.tab()
    watching.say(one, watch=[f"{address(1)}/bench"], rooms=[address(1)])
    watching.say(two, rooms=[address(1)])
    assert watching.after(5) == [("watch", "h1", None)]
    watching.gone(one)
    assert watching.after(100) == []
    watching.say(two, rooms=[])
    assert watching.after(LINGER_S) == []
    assert watching.after(1) == [("watched", "h1", 105)]


def test_a_page_that_is_loaded_again_goes_on() -> None:
    watching = Watching()
    watching.hub.status(1)
    one = watching.hub.tab()
    watching.say(one, rooms=[address(1)])
    watching.gone(one)
    watching.after(LINGER_S - 1)
    again = watching.hub.tab()
    watching.say(again, rooms=[address(1)])
    assert watching.after(100) == []
    watching.log.poll(all_of_them=True)
    assert watching.after(0) == [("watched", "h1", 109)]


def test_a_hearing_that_begins_and_a_level_that_is_raised_end_what_was_watched() -> None:
    watching = Watching()
    watching.hub.status(1, hearing=None)
    tab = watching.hub.tab()
    watching.say(tab, watch=[f"{address(1)}/bench"], rooms=[address(1)])
    assert watching.after(1) == [("watch", None, None)]
    watching.hub.status(1)
    assert watching.after(LINGER_S + 1) == [("watch", "h1", None), ("watched", None, 1)]
    watching.hub.withheld.add("h1")
    watching.hub.classifications.changed.notify(frozenset({"h1"}))
    assert tab.watched == frozenset()
    assert watching.after(LINGER_S + 1) == [("watched", "h1", 11)]
    watching.hub.withheld.clear()
    watching.hub.classifications.changed.notify(frozenset({"h1"}))
    assert watching.after(1) == [("watch", "h1", None)], "it still follows the room"


def test_what_a_wall_has_in_sight_is_no_watch_and_rooms_that_nobody_watches_cost_nothing() -> None:
    watching = Watching(300)
    for number in range(300):
        watching.hub.status(number)
    tab = watching.hub.tab()
    watching.say(tab, sight=[address(number) for number in range(100)])
    for number in range(300):
        watching.hub.status(number, hearing=None)
    assert watching.after(100) == []
    watching.gone(tab)
    kept = (watching.log._tabs, watching.log._by_room, watching.log._keys, watching.log._rooms_named)
    assert not any(kept)
    assert not watching.log._open


def test_before_the_end_everything_is_noted_with_its_length() -> None:
    watching = Watching()
    watching.hub.status(1)
    watching.hub.status(2)
    one, two = watching.hub.tab(), watching.hub.tab()
    watching.say(one, rooms=[address(1)])
    watching.say(two, session="s2", rooms=[address(2)])
    watching.after(5)
    watching.gone(two)
    watching.hub.now_s += 4
    watching.log.poll(all_of_them=True)
    assert sorted(said["seconds"] for what, said in watching.lines) == [5, 9]
