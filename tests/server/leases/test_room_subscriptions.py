"""What a process asks its broker for: its own rooms' facts, of others what somebody looks at here, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from server.config import RoomEntry
from server.leases.room_subscriptions import LINGER_S, RoomSubscriptions
from server.rooms import STALE_S, Rooms
from sync.http.live.audience import Audience
from sync.http.live.tab import LiveTab

OWN, OTHER = "court1/c03", "court1/c04"
FACTS = {"status", "events", "checkpoints"}
SEEN = {"caption", "live/+/thumb"}
WATCHED = {"live/+/init", "live/+/frag"}


class Broker:
    """Keeps what is asked for; nothing is asked for twice, nor given up that was not."""

    def __init__(self) -> None:
        self.heard: dict[str, set[str]] = {}

    def hear(self, wanted: Mapping[str, Collection[str]]) -> None:
        for room, topics in wanted.items():
            assert not self.heard.setdefault(room, set()) & set(topics)
            self.heard[room] |= set(topics)

    def leave(self, unwanted: Mapping[str, Collection[str]]) -> None:
        for room, topics in unwanted.items():
            assert set(topics) <= self.heard[room]
            self.heard[room] -= set(topics)


class Here:
    def __init__(self) -> None:
        self.broker = Broker()
        self.rooms = Rooms([RoomEntry(court="court1", room=name) for name in ("c03", "c04")])
        self.audience = Audience()
        self.tabs: list[LiveTab] = []
        self.now_s = 0.0
        broker: Any = self.broker
        self.subscriptions = RoomSubscriptions(
            broker, self.rooms, self.audience, lambda: self.tabs, monotonic_s=lambda: self.now_s
        )

    def come(self) -> LiveTab:
        tab = LiveTab(1000, lambda name: True, lambda hearing: True, lambda hearing, from_ns, to_ns: True)
        self.tabs.append(tab)
        self.audience.join(tab, sees_all=False)
        self.subscriptions.poll()
        return tab

    def of(self, room: str) -> set[str]:
        return self.broker.heard.get(room, set())


@pytest.fixture
def here() -> Here:
    made = Here()
    made.subscriptions.own([OWN])
    return made


def test_while_nobody_looks_only_the_facts_of_its_own_rooms_are_heard(here: Here) -> None:
    assert here.broker.heard == {OWN: FACTS}


def test_who_comes_to_look_is_shown_the_status_of_every_room(here: Here) -> None:
    here.come()
    assert here.broker.heard == {OWN: FACTS, OTHER: {"status"}}


def test_what_is_in_sight_followed_and_watched_is_heard_and_no_longer_when_it_is_not(here: Here) -> None:
    tab = here.come()
    here.audience.want(tab, follows=frozenset(), sees=frozenset([OTHER]))
    here.subscriptions.look([OTHER])
    assert here.of(OTHER) == {"status"} | SEEN
    here.audience.want(tab, follows=frozenset([OTHER]), sees=frozenset([OTHER]))
    here.audience.watch(tab, f"{OTHER}/bench")
    here.subscriptions.look([OTHER])
    assert here.of(OTHER) == {"status", "levels", "receipts"} | SEEN | WATCHED
    here.audience.unwatch(tab, f"{OTHER}/bench")
    here.audience.want(tab, follows=frozenset(), sees=frozenset())
    here.subscriptions.poll()
    assert here.of(OTHER) == {"status"}
    assert here.of(OWN) == FACTS


def test_of_its_own_room_the_receipts_are_its_own_words(here: Here) -> None:
    tab = here.come()
    here.audience.want(tab, follows=frozenset([OWN]), sees=frozenset())
    here.subscriptions.look([OWN])
    assert here.of(OWN) == FACTS | {"levels"} | SEEN


def test_statuses_go_on_for_a_while_after_the_last_has_gone_and_then_nothing_live_is_believed(here: Here) -> None:
    tab = here.come()
    for room in (OWN, OTHER):
        here.rooms.states[room].heard = True
    here.tabs.remove(tab)
    here.now_s = LINGER_S
    here.subscriptions.poll()
    assert here.of(OTHER) == {"status"}
    here.now_s = LINGER_S + 1
    here.subscriptions.poll()
    assert here.of(OTHER) == set()
    assert not here.rooms.states[OTHER].heard, "what it said last may be old when somebody comes again"
    assert here.rooms.states[OWN].heard


def test_of_a_room_that_is_not_listened_to_nothing_is_known_and_nothing_old_is_told(here: Here) -> None:
    state = here.rooms.states[OTHER]
    assert (state.known, state.online) == (False, False)
    here.subscriptions.visit()
    assert here.of(OTHER) == {"status"}, "whoever asks once is as good as who stays"
    here.now_s = STALE_S
    here.subscriptions.poll()
    assert not state.known, "it may still say something"
    here.now_s += 1
    here.subscriptions.poll()
    assert (state.known, state.online) == (True, False), "it has been silent for as long as one that is away"
    live = {"id": "h1", "state": "open", "case": {"case_no": "9"}}
    here.rooms.status(OTHER, json.dumps({"online": True, "room_ns": 9, "hearing": live, "recorder": {}}).encode())
    assert (state.known, state.online) == (True, True)
    here.now_s += LINGER_S
    here.subscriptions.poll()
    shown = state.to_screen()
    assert (shown["known"], shown["online"], shown["hearing"], shown["recorder"]) == (False, False, None, None)
    assert shown["seen_utc_ms"] is None
    assert here.rooms.now_ns(OTHER) is None
    assert here.rooms.furthest_ns(OTHER, "h1") >= 9, "how far it was stays: a part must not end before"
    here.subscriptions.visit()
    here.rooms.status(OTHER, b'{"online": true, "room_ns": 10}')
    here.now_s += STALE_S + 1
    here.subscriptions.poll()
    assert state.known


def test_a_room_that_is_lost_is_heard_as_anybody_else_s(here: Here) -> None:
    here.subscriptions.disown([OWN])
    assert here.of(OWN) == set()
    here.come()
    assert here.of(OWN) == {"status"}


def test_rooms_that_there_are_not_are_not_asked_for(here: Here) -> None:
    tab = here.come()
    here.audience.want(tab, follows=frozenset(["court1/+", "#"]), sees=frozenset())
    here.subscriptions.look(["court1/+", "#"])
    assert set(here.broker.heard) == {OWN, OTHER}
