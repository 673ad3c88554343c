"""Whatever comes over MQTT, the center goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.config import RoomEntry
from server.events.admission import number_of, read_event
from server.ingest.event_pace import DAY_S, KEPT, OPENED, EventPace
from server.ingest.floods import Floods
from server.rooms import Rooms
from sync.errors import CenterError
from sync.record import hearing as h
from sync.record import timeline as tl
from sync.record.hearing import _HANDLERS, Hearing
from sync.record.transcript import Utterance
from sync.runtime.bounds.fair_inbox import MESSAGE_BYTES, FairInbox
from tests.support.peers.center_peers import RoomPeer, Served, opening, until

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(10**400), 10**400) | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=12) | st.sampled_from(["at_ns", "room_ns", "_ns"]), inner, max_size=4)
    ),
    max_leaves=12,
)
KINDS = tuple(_HANDLERS)
FIELDS = tuple(
    name
    for kind in (Utterance, tl.Exhibit, tl.Mark, tl.Segment, tl.Alarm, tl.Gap, tl.Presentation, h.Hearing)
    for name in (*kind.__dataclass_fields__, "index", "by_ns", "cleared", "court_name")
)
BODY = st.dictionaries(st.sampled_from(FIELDS), JSON | st.integers(0, 9).map(str), max_size=14)
EVENT = st.fixed_dictionaries(
    {
        "number": st.integers(1, 9),
        "hearing": st.just("h1") | JSON,
        "kind": st.sampled_from(KINDS),
        "room_ns": st.integers(0, 2**40),
        "utc_ns": st.integers(0, 2**40),
        "body": BODY,
    }
)


@settings(max_examples=150, deadline=None)
@given(EVENT | JSON)
def test_an_accepted_event_can_be_folded_stored_and_shown(value: Any) -> None:
    try:
        received = read_event("court1/c03", json.dumps(value).encode())
    except CenterError:
        return
    view = Hearing.of("h1", [received.event])
    json.dumps(view.to_json(), allow_nan=False).encode()
    json.loads(received.body_text)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_event_are_refused_in_words(payload: bytes) -> None:
    with pytest.raises(CenterError):
        read_event("court1/c03", payload)


@pytest.mark.parametrize(
    "payload", [b"[" * 100_000, b'{"a":' * 50_000, b"\xff", b'{"number": 1e999}', b" " * 2_000_000]
)
def test_bombs_are_refused_in_words(payload: bytes) -> None:
    with pytest.raises(CenterError):
        read_event("court1/c03", payload)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["online", "at_utc_ns", "room_ns", "hearing", "recorder", "seats"]), JSON))
def test_an_accepted_status_can_be_shown(value: Any) -> None:
    rooms = Rooms([RoomEntry(court="court1", room="c03", token_sha256="0" * 64)])
    try:
        rooms.status("court1/c03", json.dumps(value).encode())
    except CenterError:
        return
    json.dumps(rooms.states["court1/c03"].to_screen(), allow_nan=False).encode()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    topic=st.sampled_from(
        ["status", "events", "caption", "levels", "live/bench/init", "live/bench/frag", "live/x/thumb", "live", "odd/x"]
    ),
    payload=st.binary(max_size=200) | JSON.map(lambda v: json.dumps(v).encode()),
)
async def test_no_message_raises_in_the_gateway(served: Served, topic: str, payload: bytes) -> None:
    served.center.broker.message.notify("court1/c03", topic, payload)
    served.center.broker.message.notify("court9/unknown", topic, payload)


async def test_after_a_storm_of_nonsense_an_event_is_still_stored(served: Served, room: RoomPeer) -> None:
    for n in range(300):
        for topic in ("status", "events", "caption", "levels", "live/bench/init", "live/bench/frag", "live/b/thumb"):
            room.publish(topic, bytes([n % 256]) * (n % 50), qos=0)
    room.publish("events", opening(1))
    await until(lambda: room.receipts() == {1}, 30)
    assert not served.center.failed.done()


@pytest.mark.parametrize("topic", ["status", "events", "caption", "levels", "checkpoints"])
async def test_a_huge_number_costs_its_own_message_alone(served: Served, room: RoomPeer, topic: str) -> None:
    huge = b'{"online": true, "recorder": {"a_ns": %s}, "a_ns": %s}' % (b"1" * 400, b"1" * 400)
    room.publish(topic, huge, qos=1)
    room.publish("events", opening(1))
    await until(lambda: room.receipts() == {1}, 30)
    assert not served.center.failed.done()


def test_the_wall_names_a_room_that_floods_until_it_is_calm() -> None:
    rooms = Rooms([RoomEntry(court="court1", room=r, token_sha256=d * 64) for r, d in (("c03", "0"), ("c04", "1"))])
    dropped = [{"court1/c03": 5, "court9/unknown": 1}, {"court1/c03": 1}, {}, {}]
    now = [100.0]
    floods = Floods(rooms, [lambda: dropped.pop(0)], monotonic_s=lambda: now[0])
    seen = []
    for step_s in (0, 59, 59, 2):
        now[0] += step_s
        floods.poll()
        seen.append([list(rooms.states[room].alarms) for room in ("court1/c03", "court1/c04")])
    assert seen == [[["flood"], []]] * 3 + [[[], []]]


def test_a_room_that_says_too_much_is_looked_at_by_and_by_and_no_other_waits_for_it() -> None:
    now = [5.0]
    pace = EventPace(monotonic_s=lambda: now[0])
    inbox = FairInbox[int]()
    for n in range(40):
        inbox.put("flood", n, 1_000_000)
    inbox.put("honest", 0, 500)
    looked_at: list[tuple[str, int]] = []
    while True:
        taken, more = inbox.take(256 * 1024, pace.allows)
        for sender, number in taken:
            pace.spend(sender, 1_000_000 if sender == "flood" else 500)
            looked_at.append((sender, number))
        if not taken:
            break
    assert more
    assert len(looked_at) == 10
    assert ("honest", 0) in looked_at[:3]
    now[0] += 4.0  # one megabyte more
    assert inbox.take(256 * 1024, pace.allows) == ([("flood", 9)], True)


def test_an_inbox_says_of_whom_it_dropped() -> None:
    inbox = FairInbox[int](most_bytes=10 * MESSAGE_BYTES)
    for n in range(15):
        inbox.put("flood", n, 0)
    inbox.put("honest", 0, 0)
    inbox.put("huge", 0, 11 * MESSAGE_BYTES)
    assert inbox.dropped_since() == {"flood": 6, "huge": 1}
    assert inbox.dropped_since() == {}
    assert inbox.dropped == 7


def test_a_refused_event_that_is_too_large_is_named_by_its_beginning() -> None:
    assert number_of(b'{"number": 7, "body": "' + b"x" * 8_000_000 + b'"}') == 7
    assert number_of(b'{"number": 7, "a": NaN}') == 7
    assert number_of(b'{"body": {"number": 7, "a": NaN}}') is None
    assert number_of(b'{"number": 9999999999999999999, "a": NaN}') is None


def test_what_a_room_may_keep_and_open_in_a_day_is_bounded_and_comes_back() -> None:
    now = [5.0]
    pace = EventPace(monotonic_s=lambda: now[0])
    kept = 0
    while kept < 10 * KEPT.most and pace.allows("flood"):
        pace.spend("flood", 100_000)
        kept += 100_000
        now[0] += 1  # never faster than it is looked at
    assert kept <= KEPT.most * 1.05
    assert pace.allows("honest")
    now[0] += DAY_S
    assert pace.allows("flood")
    opened = 0
    while opened < 1000 and pace.allows("opens"):
        pace.opened("opens")
        opened += 1
    assert opened == OPENED.most
    now[0] += DAY_S / 10
    assert pace.allows("opens")


def test_days_of_hearings_and_what_waited_for_a_week_of_outage_are_within_it() -> None:
    now = [5.0]
    pace = EventPace(monotonic_s=lambda: now[0])
    for _ in range(5 * 8 * 36):  # five days of eight hours, all at once: a hundred seconds of 4 MB an hour at a time
        assert pace.allows("honest")
        pace.spend("honest", 4_000_000 // 36)
        now[0] += 0.5
    for _ in range(30 * 40):  # and a month of short hearings
        assert pace.allows("honest")
        pace.opened("honest")
        pace.spend("honest", 400_000)
        now[0] += DAY_S / 40
