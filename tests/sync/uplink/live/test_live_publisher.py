"""Live publishing: only what is in demand, beginning with a picture, and never late by more than seconds."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path

import pytest

from sync.broker_address import Will
from sync.media.envelope import Envelope, Kind, pack_init
from sync.media.gop_cache import MAX_GOP_BYTES, WatcherGate
from sync.mqtt import RECONNECT_S, MqttConnection
from sync.record.bodies.session import LawfulReason
from sync.record.hearing import Hearing, State
from sync.record.timeline import Pause
from sync.room.messages import MachineFacts
from sync.uplink.live.live_publisher import BACKLOG_BYTES, LATE_NS, LivePublisher
from sync.uplink.live.twin import HOLD_S, TURN_S
from sync.uplink.trust.trusted_center import TrustedCenter
from sync.uplink.wanted_tracks import DEMAND_S
from tests.support.peers.live_line import INIT, Stand, fragment, thumbnail, tiny
from tests.support.peers.uplink_peers import PREFIX, CenterPeer, Mosquitto, until


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    stand = Stand(tmp_path)
    stand.live.take("init/bench", INIT)
    return stand


def test_a_room_nobody_watches_sends_no_fragment_but_its_thumbnail(stand: Stand) -> None:
    stand.take(fragment(1, key=True), fragment(2))
    stand.live.take("thumb/bench", thumbnail())
    stand.live.take("levels", b'{"at_ns":1,"seats":{}}')
    assert [(topic, qos) for topic, _, qos in stand.line.said] == [("live/bench/thumb", 0)]


def _paused(reason: LawfulReason) -> Hearing:
    return Hearing("h", state=State.PAUSED, pauses=[Pause(1, reason=reason)])


@pytest.mark.parametrize(
    ("hearing", "pictures", "sound"),
    [
        (None, True, False),
        (Hearing("h", state=State.CLOSED), True, False),
        (Hearing("h", state=State.OPEN), True, True),
        (_paused("recess"), True, False),
        (_paused("closed_evidence"), False, False),
        (_paused("mediation"), False, False),
    ],
)
def test_what_leaves_the_room_is_for_the_hearing_to_say_not_for_who_demands(
    stand: Stand, hearing: Hearing | None, pictures: bool, sound: bool
) -> None:
    stand.live.take("init/mix", INIT)
    stand.demand("bench", "mix", "mics", levels=True)
    stand.hearing = hearing
    stand.take(fragment(1, key=True))
    stand.take(fragment(1, key=True), track="mix")
    stand.take(fragment(1, key=True), track="mics")
    stand.live.take("thumb/bench", thumbnail())
    stand.live.take("levels", b'{"at_ns":1,"seats":{}}')
    said = {topic for topic, _, _ in stand.line.said}
    assert ("live/bench/frag" in said, "live/bench/thumb" in said) == (pictures, pictures)
    assert ("live/mix/frag" in said, "levels" in said) == (sound, sound)


def test_nothing_of_a_closed_session_is_shown_after_it(stand: Stand) -> None:
    stand.hearing = _paused("mediation")
    stand.take(fragment(1, key=True), fragment(2))
    stand.hearing = Hearing("h", state=State.OPEN)
    stand.take(fragment(3))
    stand.demand("bench")
    stand.take(fragment(4), fragment(5, key=True))
    assert stand.line.fragments() == [5]


def test_what_was_taken_in_a_closed_session_does_not_leave_later_either(stand: Stand) -> None:
    """A small or composed picture is made of others, and a thumbnail is drawn: they come after the resumption."""
    stand.live.take("init/tile", INIT)
    stand.demand("tile")
    stand.hearing = Hearing("h", state=State.OPEN, pauses=[Pause(3, 6, "mediation"), Pause(8, 9, "recess")])
    for at in (1, 4, 5):
        stand.live.take("thumb/bench", thumbnail(at))
    stand.take(*(tiny(at, key=at in (1, 5)) for at in range(1, 7)), tiny(7, key=True), tiny(8), track="tile")
    assert stand.line.fragments("tile") == [1, 2, 7, 8]
    thumbs = [Envelope.unpack(message).room_ns for topic, message, _ in stand.line.said if topic == "live/bench/thumb"]
    assert thumbs == [1]


def test_a_newcomer_begins_with_the_last_key_frame(stand: Stand) -> None:
    stand.take(fragment(1, key=True), fragment(2), fragment(3, key=True), fragment(4))
    stand.demand("bench")
    stand.take(fragment(5))
    assert stand.line.fragments() == [3, 4, 5]


def test_a_repeated_demand_changes_nothing_and_an_unrepeated_one_ends(stand: Stand) -> None:
    stand.take(fragment(1, key=True))
    stand.demand("bench")
    stand.now += DEMAND_S - 1
    stand.demand("bench")
    stand.now += DEMAND_S - 1
    stand.live.tick()
    stand.take(fragment(2))
    assert stand.line.fragments() == [1, 2]
    stand.now += 2
    stand.live.tick()
    stand.take(fragment(3))
    assert stand.line.fragments() == [1, 2]
    assert stand.live.watched == []


def test_a_slow_network_loses_up_to_the_next_key_frame(stand: Stand) -> None:
    stand.take(fragment(1, key=True))
    stand.demand("bench")
    stand.line.backlog_bytes = BACKLOG_BYTES + 1000
    stand.take(fragment(2))
    stand.line.backlog_bytes = 0
    stand.take(fragment(3), fragment(4, key=True), fragment(5))
    assert stand.line.fragments() == [1, 4, 5]
    assert stand.live.dropped == 1


def test_a_new_run_of_the_worker_waits_for_its_own_key_frame(stand: Stand) -> None:
    stand.take(fragment(1, key=True))
    stand.demand("bench")
    stand.live.take("init/bench", Envelope(Kind.INIT, 8, 0, 0, 0, 0, pack_init("video/mp4", b"new")).pack())
    stand.take(fragment(2, init_id=8), fragment(3, key=True, init_id=8))
    assert stand.line.fragments() == [1, 3]


def test_a_reconnect_says_the_status_and_how_what_is_watched_begins(stand: Stand) -> None:
    for callback in stand.line.callbacks:
        callback()
    assert [(topic, qos) for topic, _, qos in stand.line.said] == [("status", 1)]
    stand.take(fragment(1, key=True))
    stand.demand("bench")
    stand.line.said.clear()
    for callback in stand.line.callbacks:
        callback()
    stand.take(fragment(2), fragment(3, key=True))
    assert [topic for topic, _, _ in stand.line.said] == ["status"], "whom the center hears now it has not said yet"
    stand.demand("bench", uplink="this-run")
    stand.take(fragment(4))
    assert [topic for topic, _, _ in stand.line.said][1:] == ["live/bench/init", *["live/bench/frag"] * 2]
    assert stand.line.fragments() == [3, 4], "what was on its way is lost, so it goes on with a key frame"


def test_no_picture_leaves_before_the_center_has_said_that_it_hears_this_uplink(stand: Stand) -> None:
    stand.demand("bench", levels=True, uplink="this-run")
    stand.take(fragment(1, key=True))
    for callback in stand.line.callbacks:
        callback()
    stand.line.said.clear()

    def pictures(number: int) -> set[str]:
        stand.live.take("thumb/bench", thumbnail())
        stand.take(fragment(number, key=True))
        stand.live.take("levels", b'{"at_ns":1,"seats":{}}')
        said = {topic for topic, _, _ in stand.line.said}
        stand.line.said.clear()
        return said

    stand.demand("bench", levels=True, uplink="another-run")
    assert pictures(2) == set()
    assert not stand.live.twin.is_there, "a room that was started anew is heard under its old name for a moment"
    stand.demand("bench", levels=True, uplink="this-run")
    assert {"live/bench/thumb", "live/bench/frag", "levels"} <= pictures(3)


def test_of_two_devices_with_one_identity_none_shows_pictures_and_each_waits_for_its_turn(stand: Stand) -> None:
    stand.demand("bench", uplink="this-run")
    assert stand.line.waits_s == RECONNECT_S
    stand.demand("bench", uplink="this-run", twice=True)
    assert stand.live.twin.is_there
    assert stand.line.waits_s == TURN_S
    stand.now += HOLD_S - 1
    stand.live.take("thumb/bench", thumbnail())
    stand.take(fragment(1, key=True))
    assert [topic for topic, _, _ in stand.line.said if topic.startswith("live/bench/frag")] == []
    assert stand.live.watched == []
    stand.demand("bench", uplink="this-run")
    assert (stand.live.twin.is_there, stand.line.waits_s) == (False, RECONNECT_S)
    assert stand.live.watched == ["bench"]


def test_a_room_that_cannot_believe_its_center_shows_thumbnails_all_the_same(stand: Stand) -> None:
    for callback in stand.line.callbacks:
        callback()
    stand.live.take("thumb/bench", thumbnail())
    assert [topic for topic, _, _ in stand.line.said] == ["status"]
    stand.now += HOLD_S
    stand.live.take("thumb/bench", thumbnail())
    assert [topic for topic, _, _ in stand.line.said] == ["status", "live/bench/thumb"]


def test_whoever_begins_anew_gets_the_init_before_everything_else(stand: Stand) -> None:
    stand.take(fragment(1, key=True), fragment(2))
    stand.demand("bench", session="a")
    stand.take(fragment(3))
    stand.demand("bench", session="a")
    assert [topic for topic, _, _ in stand.line.said] == ["live/bench/init", *["live/bench/frag"] * 3]
    stand.line.said.clear()
    stand.demand("bench", session="b")
    stand.take(fragment(4))
    assert [topic for topic, _, _ in stand.line.said] == ["live/bench/init", *["live/bench/frag"] * 4]
    assert stand.line.fragments() == [1, 2, 3, 4]


def test_what_is_watched_before_it_has_begun_begins_with_its_init(stand: Stand) -> None:
    stand.demand("desk")
    assert stand.line.said == []
    stand.live.take("init/desk", INIT)
    stand.take(fragment(1, key=True), track="desk")
    assert [topic for topic, _, _ in stand.line.said] == ["live/desk/init", "live/desk/frag"]


def test_the_status_is_said_once_a_second_at_most_and_every_five_at_least(stand: Stand) -> None:
    for step in range(100):
        stand.now += 0.1
        stand.live.take("status", json.dumps({"at_ns": step}).encode())
        stand.live.tick()
    assert 9 <= len(stand.line.of("status")) <= 11
    before = len(stand.line.of("status"))
    for _ in range(150):
        stand.now += 0.1
        stand.live.tick()
    assert 2 <= len(stand.line.of("status")) - before <= 4


def test_a_recorder_that_fell_silent_is_not_spoken_for(stand: Stand) -> None:
    stand.live.take("status", b'{"at_ns":1}')
    stand.live.tick()
    assert stand.line.of("status")[-1]["recorder"] == {"at_ns": 1}
    stand.now += 6
    stand.live.tick()
    assert stand.line.of("status")[-1]["recorder"] is None


def test_levels_are_thinned_and_only_in_demand(stand: Stand) -> None:
    stand.demand("bench", levels=True)
    for _ in range(20):
        stand.now += 0.1
        stand.live.take("levels", b'{"at_ns":1,"seats":{}}')
    assert 8 <= len(stand.line.of("levels")) <= 11


def test_captions_say_their_hearing(stand: Stand) -> None:
    stand.live.take("caption", json.dumps({"id": "u1", "text": "现在"}).encode())
    assert stand.line.of("caption") == [{"id": "u1", "text": "现在", "hearing": "h"}]


@pytest.mark.parametrize("nonsense", [b"", b"[]", b"{}", b'{"tracks":"bench"}', b'{"tracks":[1]}', b"\xff"])
def test_a_demand_that_is_nonsense_is_ignored(stand: Stand, nonsense: bytes) -> None:
    stand.line.handlers["p/demand"](nonsense)
    assert stand.live.watched == []


@pytest.mark.parametrize("topic", ["frag/bench", "init/bench", "caption", "status", "speaking"])
def test_a_feed_message_that_is_nonsense_is_ignored(stand: Stand, topic: str) -> None:
    for nonsense in (b"", b"WT", b"[1]", b"\xff" * 50):
        stand.live.take(topic, nonsense)


def test_a_long_gop_is_sent_whole_and_what_follows_waits_for_nothing(stand: Stand) -> None:
    """Smart codecs: 48 s at 4 Mbit/s between key frames."""
    size = 4_000_000 // 8 // 8
    stand.take(fragment(1, key=True, size=200_000), *(fragment(n, size=size) for n in range(2, 380)))
    stand.demand("bench")
    assert len(stand.line.fragments()) == 379
    stand.line.backlog_bytes = 379 * size  # all of it still waits for the network
    stand.take(fragment(380, size=size))
    stand.line.backlog_bytes = 0
    stand.take(fragment(381, size=size))
    assert stand.line.fragments()[-2:] == [380, 381]
    assert stand.live.dropped == 0


def test_a_gop_beyond_all_bounds_leaves_its_key_frame_for_newcomers(stand: Stand) -> None:
    stand.take(fragment(1, key=True, size=1000), *(fragment(n, size=MAX_GOP_BYTES // 10) for n in range(2, 20)))
    stand.demand("bench")
    stand.take(fragment(20), fragment(21, key=True), fragment(22))
    assert stand.line.fragments() == [1, 21, 22]


def test_what_was_begun_does_not_excuse_a_network_that_stays_slow(stand: Stand) -> None:
    stand.take(fragment(1, key=True, size=3_000_000))
    stand.demand("bench")
    stand.line.backlog_bytes = 3_000_000 + BACKLOG_BYTES // 2
    stand.take(fragment(2))
    stand.line.backlog_bytes = 2_000_000 + BACKLOG_BYTES // 2
    stand.take(fragment(3))
    stand.line.backlog_bytes = 3_000_000 + 2 * BACKLOG_BYTES
    stand.take(fragment(4))
    assert stand.line.fragments() == [1, 2, 3]
    assert stand.live.dropped == 1


def test_a_gate_opens_at_a_key_frame_only() -> None:
    gate = WatcherGate()
    passed = [gate.passes(Envelope.unpack(fragment(n, key=n == 3))) for n in range(1, 6)]
    assert passed == [False, False, True, True, True]


async def test_a_broker_that_stops_reading_costs_pictures_and_neither_memory_nor_minutes(
    broker: Mosquitto, center: CenterPeer, trusted: TrustedCenter
) -> None:
    line = MqttConnection(broker.address(), will=Will(f"{PREFIX}/status", b"{}"))
    live = LivePublisher(
        line,
        PREFIX,
        trusted,
        session="run",
        identity={"court_name": "x", "room_name": "y", "seats": []},
        room_ns=lambda: 1,
        utc_ns=lambda: 2,
        hearing=lambda: None,
    )
    line.start()
    try:
        await until(lambda: line.connected)
        live.take("init/bench", INIT)
        live.take("frag/bench", fragment(1, key=True))
        center.say("demand", {"tracks": ["bench"]})
        await until(lambda: live.watched)
        broker.freeze()
        for sequence in range(2, 400):
            live.take("frag/bench", fragment(sequence, key=sequence % 10 == 0, size=50_000))
            assert line.backlog_bytes < BACKLOG_BYTES + 100_000
            await asyncio.sleep(0)
        assert live.dropped > 300
        broker.thaw()
        await until(lambda: line.backlog_bytes == 0)
        live.take("frag/bench", fragment(400))
        live.take("frag/bench", fragment(401, key=True))
        await until(lambda: Envelope.unpack(center.on("live/bench/frag")[-1]).sequence == 401)
        heard = [Envelope.unpack(m) for m in center.on("live/bench/frag")]
        for before, after in itertools.pairwise(heard):
            assert after.key_frame or after.sequence == before.sequence + 1
    finally:
        await line.stop()


def test_sound_of_the_pre_roll_is_of_the_record_but_never_live(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    stand.hearing = None
    for track in ("mics", "mix", "bench"):
        stand.live.take(f"init/{track}", INIT)
    stand.demand("mics", "mix", "bench", levels=True)
    for number in range(1, 5):  # before the opening at 5: pictures may be watched, nobody is heard
        for track in ("mics", "mix", "bench"):
            stand.live.take(f"frag/{track}", fragment(number, key=True))
        stand.live.take("levels", b"{}")
    assert stand.line.fragments("bench") == [1, 2, 3, 4]
    assert stand.line.fragments("mics") == stand.line.fragments("mix") == []
    assert stand.line.of("levels") == []
    stand.hearing = Hearing("h", state=State.OPEN, opened_ns=5, recorded_from_ns=1)
    for number in range(3, 8):  # what was said just before comes a moment after
        for track in ("mics", "mix"):
            stand.live.take(f"frag/{track}", fragment(number, key=True))
    stand.demand("mics", "mix", "bench")
    assert stand.line.fragments("mics") == stand.line.fragments("mix") == [5, 6, 7]


def test_the_alarms_of_the_room_are_in_its_status_between_hearings_too(stand: Stand) -> None:
    stand.hearing = None
    alarm = {"code": "unsealed", "subject": "h", "text": "庭审 h 未能封存", "since_ns": 5}
    stand.live.take("alarms", json.dumps([alarm, "odd", *[alarm] * 40]).encode())
    [status] = stand.line.of("status")
    assert status["alarms"] == [alarm] * 16
    stand.now += 2
    stand.live.take("alarms", b"[]")
    assert stand.line.of("status")[-1]["alarms"] == []


def test_a_fragment_that_is_old_when_it_comes_is_not_live(stand: Stand) -> None:
    stand.live._room_ns = lambda: 2 * LATE_NS
    stand.demand("bench")
    old = Envelope(Kind.FRAGMENT, 7, 1, 0, 0, 100_000, b"m", key_frame=True).pack()
    after_it = Envelope(Kind.FRAGMENT, 7, 2, 2 * LATE_NS, 0, 100_000, b"m").pack()
    new = Envelope(Kind.FRAGMENT, 7, 3, 2 * LATE_NS, 0, 100_000, b"m", key_frame=True).pack()
    stand.take(old, after_it)
    assert stand.line.fragments() == []
    stand.demand()
    stand.demand("bench")
    assert stand.line.fragments() == [], "nor is it kept for who comes later"
    stand.take(new)
    assert stand.line.fragments() == [3]


def test_after_a_fragment_that_was_not_taken_nothing_leaves_before_a_key_frame(stand: Stand) -> None:
    stand.demand("bench")
    stand.take(fragment(1, key=True))
    taken = stand.line.publish
    stand.line.publish = lambda *_, **__: False  # type: ignore[method-assign]  # the line takes none now
    stand.take(fragment(2))
    stand.line.publish = taken  # type: ignore[method-assign]
    stand.take(fragment(3), fragment(4, key=True))
    assert stand.line.fragments() == [1, 4]
    assert stand.live.dropped == 1


@pytest.mark.parametrize("clock", [{}, {"source": "chrony"}, {"source": "chrony", "error_ms": None}])
def test_a_recorder_that_does_not_say_how_good_its_clock_is_leaves_it_unknown(stand: Stand, clock: object) -> None:
    facts: MachineFacts = {
        "version": "1",
        "disk_free_bytes": 1,
        "disk_bytes": 2,
        "certificate_until_utc_ms": None,
        "selftest": None,
    }
    stand.live._facts = lambda: facts
    stand.live.take("status", json.dumps({"at_ns": 1, "clock": clock}).encode())
    stand.now += 2
    stand.live.tick()
    said = stand.line.of("status")[-1]["facts"]
    assert (said["version"], said["clock_synced"], said["clock_error_ms"]) == ("1", False, None)
