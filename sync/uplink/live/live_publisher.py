"""Live publishing: what somebody watches, and for everybody a thumbnail, the status and the captions.

Promises: a newcomer gets the init of a track before its fragments, the first of which is a key frame; a network that is
slower than the cameras loses pictures up to the next key frame and never makes the live picture late by more than
seconds. Nothing here is durable, and nothing stays in the broker.

What may leave the room (`Leave`): everything while a hearing is open; pictures but no sound between hearings and in
a recess, where people speak off the record; nothing at all while evidence is taken in closed session or a mediation is
held that must not be recorded, and nothing later that was taken then: some pictures are made of others, and come after
them. A room that is muted (a word at the bench) sends pictures, no sound and no captions; its record is as ever.
Whatever is demanded, the room decides.
"""

from __future__ import annotations

import enum
import json
import time
from collections.abc import Callable
from typing import Any, cast

import structlog

from sync import topics
from sync.errors import CenterError, EnvelopeError
from sync.media.envelope import Envelope, Kind
from sync.media.gop_cache import MAX_GOP_BYTES, GopCache, GopStart, WatcherGate
from sync.media.tracks import SOUND
from sync.mqtt import MqttConnection
from sync.record.hearing import Hearing, State
from sync.record.timeline import PauseReason
from sync.room.feed import FRESH_S
from sync.room.messages import (
    LiveHearing,
    MachineFacts,
    RecorderStatus,
    RoomAlarm,
    RoomIdentity,
    RoomStatus,
    StampedRoomStatus,
)
from sync.runtime.units import NS_PER_S
from sync.uplink.live.twin import Twin
from sync.uplink.trust.trusted_center import TrustedCenter
from sync.uplink.wanted_tracks import Demand, WantedTracks

log = structlog.get_logger(__name__)

LATE_NS = 10 * NS_PER_S
"""What is older when it comes from its source is not live: this service, or the recorder, stood still."""
LEVELS_S = 0.19
STATUS_MIN_S = 1.0
STATUS_MAX_S = 5.0
MAX_ALARMS = 16
BACKLOG_BYTES = 1024 * 1024
"""About two seconds of two cameras; beyond it pictures are dropped."""
START_BYTES = MAX_GOP_BYTES
"""What may wait beyond that because tracks were begun with all since their key frames."""


_CLOSED = frozenset({PauseReason.CLOSED_EVIDENCE.value, PauseReason.MEDIATION.value})


class Leave(enum.Enum):
    """What may leave the room now."""

    ALL = enum.auto()
    PICTURES = enum.auto()
    NOTHING = enum.auto()

    @classmethod
    def of(cls, hearing: Hearing | None) -> Leave:
        """What the state of the room's hearing lets out."""
        if hearing is None or hearing.state is State.CLOSED:
            return cls.PICTURES
        if hearing.state is State.OPEN:
            return cls.PICTURES if hearing.live_muted else cls.ALL
        return cls.NOTHING if hearing.pauses[-1].reason in _CLOSED else cls.PICTURES

    def lets(self, track: str) -> bool:
        """Whether media of this track may leave."""
        return self is Leave.ALL or (self is Leave.PICTURES and track not in SOUND)


MAX_DEMAND_BYTES = 16 * 1024


class LivePublisher:
    """The live half of the uplink. All methods belong to one event loop."""

    def __init__(
        self,
        broker: MqttConnection,
        prefix: str,
        center: TrustedCenter,
        *,
        session: str,
        identity: RoomIdentity,
        room_ns: Callable[[], int],
        utc_ns: Callable[[], int],
        hearing: Callable[[], Hearing | None],
        facts: Callable[[], MachineFacts | None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`session`: the random name of this run of the uplink, which every status says."""
        self.twin = Twin(session, broker, monotonic=monotonic)
        self._broker = broker
        self._prefix = prefix
        self._center = center
        self._identity = identity
        self._room_ns = room_ns
        self._utc_ns = utc_ns
        self._hearing = hearing
        self._facts = facts
        self._monotonic = monotonic
        self._gops = GopCache(monotonic=monotonic)
        self._gates: dict[str, WatcherGate] = {}
        self._start_bytes = 0
        """How much of what waits for the network is there because tracks were begun."""
        self._demand = WantedTracks()
        self._levels_at = 0.0
        self._status_at = 0.0
        self._status_said: RoomStatus | None = None
        self._told: object = None
        self._recorder: RecorderStatus | None = None
        self._recorder_at = 0.0
        self._speaking: list[str] = []
        self._alarms: list[RoomAlarm] = []
        self.dropped = 0
        """Fragments that were left out because the network was too slow."""
        broker.subscribe(f"{prefix}/{topics.DEMAND}", 0, self._on_demand)
        broker.on_connected(self._on_connected)

    @property
    def watched(self) -> list[str]:
        """Tracks in demand now."""
        return sorted(self._gates)

    def tick(self) -> None:
        """Call several times a second: ends demands that were not repeated, and says the status."""
        self._expire()
        self._publish_status()

    # From the room's feeds.

    def take(self, topic: str, payload: bytes) -> None:
        """One message of the recorder's feed, the transcriber's words, or the alarms of the edge."""
        head, _, track = topic.partition("/")
        if self._status_said is not None and self._state() != self._told:
            self._publish_status()  # before anything of this state leaves: who may see it hangs on it
        try:
            if head == "frag":
                self._fragment(track, payload)
            elif head == "init":
                self._gops.init(track, Envelope.unpack(payload), payload)
                if track in self._gates:
                    self._gates[track].lose()
                    self._publish_init(track)
            elif head == "thumb":
                lets = self._lets(track) and not self._off_record(track, Envelope.unpack(payload))
                if lets and self.twin.may_show and not self._too_slow():
                    self._broker.publish(f"{self._prefix}/{topics.live(track, topics.THUMBNAIL)}", payload)
            elif head == "caption":
                self._caption(json.loads(payload))
            elif head == "levels":
                self._publish_levels(payload)
            elif head == "status":
                self._recorder = cast(RecorderStatus, dict(json.loads(payload)))
                self._recorder_at = self._monotonic()
            elif head == "alarms":
                self._alarms = [cast(RoomAlarm, alarm) for alarm in json.loads(payload) if isinstance(alarm, dict)][
                    :MAX_ALARMS
                ]
                self._publish_status()
            elif head == "speaking":
                self._speaking = [str(seat) for seat in json.loads(payload)["seats"]]
                self._publish_status()
        except (EnvelopeError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            log.warning("feed_message_unreadable", topic=topic, why=str(error))

    def _state(self) -> object:
        hearing = self._hearing()
        return None if hearing is None else (hearing.id, hearing.state)

    def _lets(self, track: str) -> bool:
        return Leave.of(self._hearing()).lets(track)

    def _off_record(self, track: str, envelope: Envelope) -> bool:
        """What comes later than it was taken, when it might not leave: sound from before the opening, which is of the
        record perhaps, but not live, and all of a closed session."""
        hearing = self._hearing()
        if hearing is None:
            return False
        from_ns, to_ns = envelope.span_ns
        closed = (pause for pause in hearing.pauses if pause.reason in _CLOSED)
        return (track in SOUND and envelope.room_ns < hearing.opened_ns) or any(
            pause.from_ns <= to_ns and (pause.to_ns is None or from_ns < pause.to_ns) for pause in closed
        )

    def _fragment(self, track: str, payload: bytes) -> None:
        envelope = Envelope.unpack(payload)
        gate = self._gates.get(track)
        late = envelope.span_ns[1] < self._room_ns() - LATE_NS
        if late or not self._lets(track) or self._off_record(track, envelope):
            self._gops.forget(track)  # whoever comes when it is over begins with what came after it
            if gate is not None:
                gate.lose()
            return
        self._gops.fragment(track, envelope, payload)
        if gate is None or envelope.kind is not Kind.FRAGMENT or not self._broker.connected:
            return
        if self._too_slow() or (
            gate.passes(envelope)
            and not self._broker.publish(f"{self._prefix}/{topics.live(track, topics.FRAGMENT)}", payload)
        ):
            gate.lose()
            self.dropped += 1

    def _caption(self, value: dict[str, Any]) -> None:
        hearing = self._hearing()
        if hearing is not None and hearing.live_muted and value.get("text"):  # withdrawals may go
            return
        message = {**value, "hearing": None if hearing is None else hearing.id}
        self._broker.publish(f"{self._prefix}/{topics.CAPTION}", json.dumps(message, ensure_ascii=False).encode())

    def _publish_levels(self, payload: bytes) -> None:
        now = self._monotonic()
        if Leave.of(self._hearing()) is not Leave.ALL:
            return
        if self._demand.levels and now - self._levels_at >= LEVELS_S and not self._too_slow():
            self._levels_at = now
            self._broker.publish(f"{self._prefix}/{topics.LEVELS}", payload)

    # From the center.

    def _on_demand(self, payload: bytes) -> None:
        try:
            demand = Demand.model_validate(self._center.read("demand", payload, limit=MAX_DEMAND_BYTES).value)
        except (ValueError, CenterError) as error:
            log.warning("demand_not_believed", why=str(error)[:200])
            return
        is_ours = self.twin.told(demand.uplink, twice=demand.twice)
        anew = self._demand.take(demand, self._monotonic(), ours=is_ours)
        self._end_others()
        for track in anew:
            self._begin(track)

    def _end_others(self) -> None:
        """Tracks that nobody wants any more."""
        for track in self._gates.keys() - self._demand.tracks:
            del self._gates[track]

    def _begin(self, track: str) -> None:
        held = self._gops.since_key_frame(track) if self._lets(track) else GopStart()
        self._too_slow()
        held = held.within(START_BYTES - self._start_bytes)
        self._gates[track] = WatcherGate(opened=held.whole)
        self._start_bytes += held.size
        self._publish_init(track)
        for message in held.fragments:
            self._broker.publish(f"{self._prefix}/{topics.live(track, topics.FRAGMENT)}", message)

    def _publish_init(self, track: str) -> None:
        init = self._gops.init_of(track)
        if init is not None:
            self._broker.publish(f"{self._prefix}/{topics.live(track, topics.INIT)}", init)

    def _too_slow(self) -> bool:
        """More waits than the network and what tracks were begun with account for."""
        waiting = self._broker.backlog_bytes
        self._start_bytes = min(self._start_bytes, waiting)
        return waiting > BACKLOG_BYTES + self._start_bytes

    def _expire(self) -> None:
        self._demand.expire(self._monotonic())
        self._end_others()

    def _on_connected(self) -> None:
        self.twin.connected()
        self._gates.clear()
        self._demand.clear()
        self._status_said = None
        self._publish_status()

    # The status.

    def _publish_status(self) -> None:
        if not self._broker.connected:
            return
        now = self._monotonic()
        age_s = now - self._status_at
        at_once = self._status_said is None or self._state() != self._told
        if not at_once and age_s < STATUS_MIN_S:
            return
        hearing = self._hearing()
        live: LiveHearing | None = None
        if hearing is not None:
            live = {
                "id": hearing.id,
                "state": hearing.state,
                "pause": hearing.pauses[-1].reason if hearing.state is State.PAUSED else None,
                "case": hearing.case,
                "opened_utc_ns": hearing.opened_utc_ns,
            }
        said: RoomStatus = {
            **self._identity,
            "online": True,
            "hearing": live,
            "recorder": self._recorder if now - self._recorder_at < FRESH_S else None,
            "speaking": list(self._speaking),
            "alarms": self._alarms,
            "facts": self._facts_with_clock(),
        }
        if not at_once and age_s < STATUS_MAX_S and said == self._status_said:
            return
        message: StampedRoomStatus = {
            **said,
            "session": self.twin.session,
            "at_utc_ns": self._utc_ns(),
            "room_ns": self._room_ns(),
        }
        if self._broker.publish(
            f"{self._prefix}/{topics.STATUS}", json.dumps(message, ensure_ascii=False).encode(), qos=1
        ):
            self._status_at = now
            self._status_said = said
            self._told = self._state()

    def _facts_with_clock(self) -> MachineFacts | None:
        facts = self._facts()
        clock = None if self._recorder is None else self._recorder.get("clock")
        if facts is None or not isinstance(clock, dict):
            return facts
        # The recorder is another process, for a while of another version: what it leaves out is not known.
        error_ms = clock.get("error_ms")
        return {**facts, "clock_synced": error_ms is not None, "clock_error_ms": error_ms}
