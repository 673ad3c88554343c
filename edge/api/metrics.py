"""What a courtroom says of itself to monitoring: the edge collects for all services of the room.

Recorder, transcriber and uplink have no web server, and transcriber and signer no network at all; so what they count is
read from their feeds and from the signer's socket, which the edge reaches anyway. Nothing is asked of the room's log.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, get_args

from edge.api import room_metrics as m
from edge.api.readiness import room_readiness
from edge.api.room_counts import RoomCounts
from edge.state.room_state import RoomState
from hardware.sources import sources
from sync.errors import LedgerError
from sync.http.monitoring.alarm_labels import alarm_label
from sync.http.monitoring.certificate_ends import ends_of, read_ends
from sync.http.monitoring.definitions import MetricDefinition
from sync.http.monitoring.doors import Monitoring
from sync.http.monitoring.readiness import Readiness
from sync.http.monitoring.readings import Readings
from sync.http.monitoring.scrape import Reader, Scrape
from sync.room.messages import LinkTrust, TranscriberState
from sync.room.signer import REFUSED, RoomSigner
from sync.runtime.logs.metrics import LoopDelay
from sync.runtime.units import NS_PER_MS, NS_PER_S

SIGNER_S: Final = 1.0
"""So long the signer may take to say what it has counted."""
TRANSCRIBER_STATES: Final[tuple[str, ...]] = get_args(TranscriberState)
TRUSTS: Final[tuple[str, ...]] = get_args(LinkTrust)
LISTENED: Final = ("recorder", "transcriber", "uplink")


@dataclass(frozen=True)
class RoomMetrics:
    """Reads the services of one room. All methods belong to the edge's event loop."""

    state: RoomState
    counts: RoomCounts
    signer: RoomSigner
    loop_delay: LoopDelay = field(default_factory=LoopDelay)

    @classmethod
    def of(cls, state: RoomState) -> RoomMetrics:
        """Of the room whose edge has this state."""
        layout = state.layout
        return cls(state, RoomCounts(layout), RoomSigner(layout.signer_socket, answer_s=SIGNER_S))

    def monitoring(self) -> Monitoring:
        """The monitoring of this room, with the doors that its profile wants."""
        readiness = room_readiness(self.state, self.counts)
        return Monitoring(self.state.profile.metrics, self._scrape(readiness), readiness, self.loop_delay)

    def _scrape(self, readiness: Readiness) -> Scrape:
        parts: dict[str, Reader] = {
            "room": self.read_room,
            "recorder": self.read_recorder,
            "transcriber": self.read_transcriber,
            "uplink": self.read_uplink,
            "signer": self.read_signer,
            "certificates": self.read_certificates,
            "readiness": readiness.read,
        }
        return Scrape(m.CATALOG, parts)

    async def read_room(self, readings: Readings) -> None:
        """What is of the room as a whole."""
        state = self.state
        readings.set(m.ROOM, 1, state.profile.address, version("wutong"))
        readings.set(m.IN_HEARING, state.current is not None)
        readings.set(m.LOOP_DELAY, self.loop_delay.longest_s)
        for name in LISTENED:
            readings.set(m.SERVICE_UP, self.counts.is_up(name), name)
        for code, count in self._alarms().items():
            readings.set(m.ALARMS, count, code)

    async def read_recorder(self, readings: Readings) -> None:
        """The record and its disk."""
        status, counts = self.counts.status("recorder"), self.counts.recorder
        tracks = self._tracks()
        if status is not None:
            for track in _dicts(status.get("tracks")):
                name = track.get("id")
                if name in tracks:
                    self._read_track(readings, track, str(name))
            disk, clock = _dict(status.get("disk")), _dict(status.get("clock"))
            readings.set(m.DISK_FREE, _number(disk.get("free_bytes")))
            readings.set(m.DISK_LEFT, _times(disk.get("hours_left"), 3600.0))
            readings.set(m.WRITE_WAIT, _times(disk.get("longest_wait_ms"), NS_PER_MS / NS_PER_S))
            readings.set(m.CLOCK_SYNCED, clock.get("source") == "chrony")
            readings.set(m.CLOCK_ERROR, _times(clock.get("error_ms"), NS_PER_MS / NS_PER_S))
            readings.set(m.COPY_PENDING, _number(_dict(status.get("copy")).get("pending_bytes")))
        if counts is not None:
            readings.set(m.EVENTS_WAITING, counts["events_waiting"])
            for one in counts["tracks"]:
                if one["id"] in tracks:
                    readings.set(m.FRAGMENTS, one["fragments"], one["id"])
                    readings.set(m.WRITER_QUEUE, one["waiting"], one["id"])
                    readings.set(m.DROPPED, one["dropped"], one["id"])
                    readings.set(m.GAPS, one["gaps"], one["id"])
                    readings.set(m.GAP_TIME, one["gap_ns"] / NS_PER_S, one["id"])

    async def read_transcriber(self, readings: Readings) -> None:
        """The words."""
        status, counts = self.counts.status("transcriber"), self.counts.transcriber
        if status is not None:
            _one_of(readings, m.TRANSCRIBER_STATE, TRANSCRIBER_STATES, status.get("state"))
            readings.set(m.TRANSCRIBER_LAG, _times(status.get("lag_ms"), NS_PER_MS / NS_PER_S))
        if counts is not None:
            readings.set(m.TRANSCRIBER_QUEUE, counts["waiting_turns"])
            readings.set(m.TRANSCRIBER_HEARINGS, counts["waiting_hearings"])

    async def read_uplink(self, readings: Readings) -> None:
        """The way to the center."""
        link, counts = self.counts.status("uplink"), self.counts.uplink
        now_ns = self.state.clock.utc_now_ns()
        if link is not None:
            readings.set(m.UPLINK_BROKER, _number(link.get("broker")))
            readings.set(m.UPLINK_CENTER, _number(link.get("center")))
            readings.set(m.OUTBOX, _number(link.get("pending_events")))
            readings.set(m.REFUSED, _number(link.get("refused_events")))
            readings.set(m.UPLOAD_BYTES, _number(link.get("pending_bytes")))
            last_ns = _number(link.get("last_receipt_utc_ns"))
            readings.set(m.LAST_RECEIPT, None if last_ns is None else (now_ns - last_ns) / NS_PER_S)
            _one_of(readings, m.UPLINK_TRUST, TRUSTS, link.get("trust"))
        if counts is not None:
            oldest_ns = counts["oldest_pending_utc_ns"]
            readings.set(m.OLDEST, 0 if oldest_ns is None else (now_ns - oldest_ns) / NS_PER_S)
            readings.set(m.RECEIPTED, counts["receipted_events"])
            readings.set(m.UPLOAD_FILES, counts["pending_files"])
            readings.set(m.UPLOAD_REFUSED, counts["upload_refused"])
            readings.set(m.BACKLOG, counts["backlog_bytes"])
            readings.set(m.CLOCK_AHEAD, counts["clock_ahead_s"])

    async def read_signer(self, readings: Readings) -> None:
        """The device's key: whether it answers, and how often it has signed."""
        try:
            counts = await asyncio.to_thread(self.signer.counts)
        except LedgerError as error:
            # One of before does not count, but it answers.
            readings.set(m.SERVICE_UP, error.code == REFUSED, "signer")
            return
        readings.set(m.SERVICE_UP, 1, "signer")
        readings.set(m.SIGNED, counts["signed"])
        readings.set(m.SIGN_REFUSED, counts["refused"])

    async def read_certificates(self, readings: Readings) -> None:
        """What the center has given, and what the room has made for its own panel."""
        layout = self.state.layout
        files: dict[str, Path] = {
            "device": layout.device_certificate,
            "tls": layout.tls_certificate,
            "authority": layout.authority,
            "panel": layout.own_authority / "panel.pem",
        }
        read_ends(readings, m.CERTIFICATE, await asyncio.to_thread(ends_of, files))

    def _read_track(self, readings: Readings, track: Mapping[str, Any], name: str) -> None:
        readings.set(m.RUNNING, track.get("state") == "running", name)
        readings.set(m.KEPT, track.get("kept") is True, name)
        readings.set(m.RESTARTS, _number(track.get("restarts")), name)
        last_ns = _number(track.get("last_fragment_ns"))
        if last_ns is not None:
            readings.set(m.LAST_FRAGMENT, max(self.state.clock.now_ns() - last_ns, 0) / NS_PER_S, name)

    def _tracks(self) -> frozenset[str]:
        """Names of all tracks that this profile can have: no other becomes a label."""
        found = sources(self.state.profile, self.state.layout.stage)
        return frozenset(track.id for source in found for track in source.tracks)

    def _alarms(self) -> Counter[str]:
        """By code: those of the recorder, of the room, and of the hearing that goes on."""
        state = self.state
        recorder = _dicts((self.counts.status("recorder") or {}).get("alarms"))
        on = {(str(alarm.get("code")), str(alarm.get("subject"))) for alarm in [*recorder, *_dicts(state.alarms)]}
        if state.current is not None:
            on |= {(alarm.code, alarm.subject) for alarm in state.current.alarms if alarm.cleared_ns is None}
        return Counter(alarm_label(code) for code, _ in on)


def _one_of(readings: Readings, metric: MetricDefinition, states: tuple[str, ...], state: object) -> None:
    """All states that there are, and which of them it is; of a state that is none, nothing."""
    if state in states:
        for one in states:
            readings.set(metric, one == state, one)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _times(value: object, factor: float) -> float | None:
    number = _number(value)
    return None if number is None else number * factor


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
