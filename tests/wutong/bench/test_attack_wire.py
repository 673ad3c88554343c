"""What the attack calls well formed is: a center that refused it for its form would be measured with nothing."""

from __future__ import annotations

import json

from server.config import RoomEntry
from server.events.admission import read_event
from server.rooms import Rooms
from sync import topics
from wutong.bench.attack.wire import _openings, _sealed_parts, _well_formed

ROOM = "court1/c03"


def test_its_statuses_are_taken() -> None:
    rooms = Rooms([RoomEntry(court="court1", room="c03", token_sha256="0" * 64)])
    sessions = set()
    for topic, payload in _well_formed(7):
        if topic == topics.STATUS:
            rooms.status(ROOM, payload)
            sessions.add(rooms.states[ROOM].uplinks.session)
    assert len(sessions) == 4
    assert rooms.states[ROOM].told_id == "closed-7-3"


def test_its_openings_and_parts_are_admitted() -> None:
    for events in (_openings(7), _sealed_parts(7)):
        admitted = [read_event(ROOM, json.dumps(event).encode()) for event in events]
        assert len({received.event.number for received in admitted}) == 64
