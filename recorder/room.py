"""The recorder of one room: sources, keepers, alarms and the feed, tied together on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Mapping
from typing import Any

import structlog

from hardware.profile import Profile
from hardware.sources import Source, sources
from recorder.alarms import RaisedAlarm, RaisedAlarms
from recorder.capture.supervisor import SourceRunner
from recorder.clock.watch import ClockWatch
from recorder.event_writer import EventWriter
from recorder.monitoring.channels import ChannelWatch, to_db
from recorder.readback.monitor import ConfidenceMonitor
from recorder.second_copy.supervisor import SecondCopySupervisor
from recorder.selftest.recording import SelfTestRecorder
from recorder.startup_recovery import StartupRecovery
from recorder.storage import recovery
from recorder.storage.schedule import RecordingSchedule
from recorder.storage.segment import ClosedSegment
from recorder.storage.selector import MissingSpan
from recorder.storage.volume import RecordingVolume, VolumeState
from recorder.storage.write_latency import WriteLatency
from recorder.track_pipeline import TrackPipeline
from sync.errors import StorageError
from sync.record.bodies.media import AlarmBody, GapBody, SegmentBody
from sync.record.event import Event
from sync.room.clock import ClockMap, RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedServer
from sync.room.messages import LevelsMessage, RecorderStatus, SeatLevel, TrackStatus
from sync.room.paths import RoomPaths
from sync.runtime.service import cancel_and_wait

log = structlog.get_logger(__name__)

LOOK_S = 0.5
STATUS_S = 1.0
LAST_WORDS_S = 5.0


class RecorderRoom:
    """Everything of one room; all methods belong to the event loop."""

    def __init__(
        self,
        profile: Profile,
        layout: RoomPaths,
        clock: RoomClock,
        clock_map: ClockMap,
        room_log: RoomLog,
        feed: FeedServer,
    ) -> None:
        self.sources: list[Source] = sources(profile, layout.stage)
        self._profile = profile
        self._layout = layout
        self._clock = clock
        self._map = clock_map
        self._log = room_log
        self._feed = feed
        self._alarms = RaisedAlarms(self._alarm)
        self._scribe = EventWriter(room_log, self._said, layout.data / "hearings" / "unsaid.jsonl", self._log_trouble)
        self._told: set[tuple[str, str, str]] = set()
        self._disk = RecordingVolume(profile.storage.data, profile.storage.reserve_gib)
        self._disk_state = VolumeState(0, 0.0, False)
        self._clock_watch = ClockWatch(clock_map, lambda body, hearing: self._say("clock", body, hearing, None))
        self._look_now = asyncio.Event()
        self._book = RecordingSchedule(room_log)
        self._past = StartupRecovery(self, room_log, self._book)
        self._hearing: str | None = None
        self._channels = {seat.channel: ChannelWatch() for seat in profile.seats}
        self.waits = WriteLatency()
        self._confidence = ConfidenceMonitor(self, profile)
        self._backup = SecondCopySupervisor(profile, self.set_alarm)
        self._changed = asyncio.Event()
        self.lanes: dict[str, TrackPipeline] = {}
        self.runners: list[SourceRunner] = []
        storage = profile.storage
        for source in self.sources:
            lanes = [TrackPipeline(info, self, storage.segment_s, storage.preroll_s) for info in source.tracks]
            self.lanes |= {lane.info.id: lane for lane in lanes}
            self.runners.append(
                SourceRunner(
                    source,
                    [lane.track for lane in lanes],
                    clock,
                    on_levels=self._levels,
                    on_trouble=functools.partial(self._trouble, lanes),
                    on_change=functools.partial(self._source_changed, source.id),
                )
            )

        self.selftest = SelfTestRecorder(profile, layout, self.lanes, clock, feed, lambda: self._hearing is not None)

    # What a lane needs of its room.

    @property
    def clock(self) -> RoomClock:
        """Room time."""
        return self._clock

    @property
    def layout(self) -> RoomPaths:
        """Where files go."""
        return self._layout

    @property
    def feed(self) -> FeedServer:
        """The recorder's own feed."""
        return self._feed

    @property
    def hearing(self) -> str | None:
        """The hearing that is on."""
        return self._hearing

    def utc_of(self, room_ns: int) -> int:
        """UTC of a moment of room time."""
        return self._map.utc_ns(room_ns)

    def produced(self, size: int) -> None:
        """Bytes that a lane made, for the forecast of the disk."""
        self._disk.produced(size)

    def segment_closed(self, track: str, hearing: str, segment: ClosedSegment) -> None:
        """Say that a segment is complete."""
        body: SegmentBody = {
            "track": track,
            "index": segment.index,
            "file": f"{track}/{segment.path.name}",
            "bytes": segment.bytes,
            "sha256": segment.sha256,
            "sm3": segment.sm3,
            "from_ns": segment.from_ns,
            "to_ns": segment.to_ns,
            "fragments": segment.fragments,
            "mime": segment.mime,
        }
        self._say("segment", body, hearing, recovery.segment_key(hearing, track, segment.index))
        self._confidence.closed(hearing, track, segment)

    def gap(self, track: str, missing: MissingSpan) -> None:
        """Say what is missing."""
        log.warning("gap", track=track, ms=(missing.to_ns - missing.from_ns) / 1e6, why=missing.why)
        body: GapBody = {"track": track, "from_ns": missing.from_ns, "to_ns": missing.to_ns, "why": missing.why}
        self._say("gap", body, missing.hearing, f"gap/{missing.hearing}/{track}/{missing.from_ns}-{missing.to_ns}")

    def set_alarm(self, code: str, subject: str, text: str | None) -> None:
        """Raise or clear an alarm."""
        self._alarms.set(code, subject, text, self._clock.now_ns())

    def _say(self, kind: str, body: Mapping[str, Any], hearing: str, key: str | None) -> None:
        now_ns = self._clock.now_ns()
        self._scribe.say(kind, body, hearing=hearing, room_ns=now_ns, utc_ns=self._map.utc_ns(now_ns), key=key)

    def _said(self, event: Event) -> None:
        self._feed.publish_json("log", {"number": event.number})

    # Life

    async def recover(self) -> None:
        """Close what an earlier life of this service left open, and say so."""
        scribe = asyncio.create_task(self._scribe.run())
        try:
            await self._settle()
        except StorageError as error:
            self._log_trouble(error.message)
            self._hearing = await asyncio.to_thread(self._past.recall, self.lanes)
        finally:
            await cancel_and_wait(scribe)

    async def _settle(self) -> None:
        await self._past.close_files()
        await self._past.declare(self.lanes, holes=await self._scribe.drained(LAST_WORDS_S))
        self._hearing = self._book.open_hearing
        if self._hearing is not None:
            self._clock_watch.recovered(await asyncio.to_thread(self._log.of_hearing, self._hearing, ["clock"]))

    def _log_trouble(self, why: str | None) -> None:
        text = None if why is None else f"法庭日志无法读写，录音录像照常保存，事件稍后补记：{why}"
        self.set_alarm("log", "log", text)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for runner in self.runners:
                tasks.create_task(runner.run())
            tasks.create_task(self._scribe.run())
            tasks.create_task(self._follow_log())
            tasks.create_task(self._tell_status())
            tasks.create_task(self._confidence.run())
            tasks.create_task(self._backup.run())

    async def stop(self) -> None:
        """Close the open segments and say so."""
        await self.selftest.close()
        scribe = asyncio.create_task(self._scribe.run())
        await asyncio.gather(*(asyncio.to_thread(lane.stop) for lane in self.lanes.values()))
        await asyncio.sleep(0)  # let the writers' last outcomes in
        if not await self._scribe.drained(LAST_WORDS_S):
            log.warning("events_unsaid", why="the room's log does not answer; recovery will say them")
        await cancel_and_wait(scribe)

    def look_soon(self) -> None:
        """The room's log has something new."""
        self._look_now.set()

    async def _follow_log(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), LOOK_S)
            self._look_now.clear()
            try:
                # In a thread: a log that another service is just writing must not hold up the media.
                if self._past.pending:
                    await self._settle()
                changed = await asyncio.to_thread(self._book.look)
                await asyncio.to_thread(self._past.remember, changed)
                if not self._scribe.waiting:
                    self._log_trouble(None)
            except StorageError as error:
                log.error("log_unreadable", why=error.message)
                self._log_trouble(error.message)
                changed = []
            for wanted in changed:
                for lane in self.lanes.values():
                    lane.keeper.want(wanted.hearing, wanted.stretches, ended=wanted.ended)
                if wanted.ended:
                    self._book.forget(wanted.hearing)
            now_ns = self._clock.now_ns()
            for runner in self.runners:
                if runner.state == "off" and self._hearing is None and self._is_idle(runner):
                    runner.again()  # between hearings the machine has time to try
                elif runner.state == "off":  # what it misses is missing for this reason, for as long as it lasts
                    for info in runner.source.tracks:
                        self.lanes[info.id].keeper.trouble(now_ns, runner.source.off_why, alone=True)
            for lane in self.lanes.values():
                lane.keeper.tick(now_ns)
            self._follow_hearing()

    def _follow_hearing(self) -> None:
        hearing = self._book.open_hearing
        if self._past.pending or hearing == self._hearing:
            return
        self._hearing = hearing
        self._changed.set()
        for runner in self.runners:
            if hearing is not None or self._is_idle(runner):
                runner.again()
        if hearing is not None:
            for alarm in self._alarms.all():
                self._alarm(alarm, False)

    def _is_idle(self, runner: SourceRunner) -> bool:
        """No hearing waits for its tracks: what was left off in one shall not come back for its last moments."""
        return all(self.lanes[info.id].keeper.is_idle for info in runner.source.tracks)

    # What the sources tell

    def _trouble(self, lanes: list[TrackPipeline], at_ns: int, why: str) -> None:
        for lane in lanes:
            lane.keeper.trouble(at_ns, why)

    def _source_changed(self, source: str) -> None:
        runner = next(r for r in self.runners if r.source.id == source)
        failed = runner.state == "failed"
        self.set_alarm("source", source, f"设备中断：{runner.why}" if failed else None)
        if runner.source.off_why and runner.state in ("off", "running"):
            self.set_alarm(source, source, runner.why)  # None while it runs
        self._changed.set()

    def _levels(self, levels: list[tuple[int, float, float]]) -> None:
        now_ns = self._clock.now_ns()
        self._confidence.heard(max(r.heard_ns for r in self.runners), levels)
        seats: dict[str, SeatLevel] = {}
        for seat in self._profile.seats:
            if seat.channel >= len(levels):
                continue
            peak, rms, clipped = levels[seat.channel]
            seats[seat.id] = {"peak_db": to_db(peak), "rms_db": to_db(rms)}
            watch = self._channels[seat.channel]
            watch.look(peak, clipped, now_ns)
            silent = watch.silent and self._hearing is not None
            self.set_alarm("silence", seat.id, f"{seat.role}的话筒没有任何信号" if silent else None)
            self.set_alarm("clipping", seat.id, f"{seat.role}的话筒音量过大，声音失真" if watch.clipping else None)
        message: LevelsMessage = {"at_ns": now_ns, "seats": seats}
        self._feed.publish_json("levels", message)

    def _alarm(self, alarm: RaisedAlarm, cleared: bool) -> None:
        self._changed.set()
        hearing = self._hearing
        if hearing is None:
            return
        key = (hearing, alarm.code, alarm.subject)
        if cleared == (key not in self._told):
            return  # of this hearing's log only: nothing is cleared there that was never raised, or raised twice
        (self._told.discard if cleared else self._told.add)(key)
        body: AlarmBody = {"code": alarm.code, "subject": alarm.subject, "text": alarm.text}
        if cleared:
            body["cleared"] = True
        self._say("alarm", body, hearing, None)

    # What the room is told

    async def _tell_status(self) -> None:
        while True:
            await self._clock_watch.look(self._hearing)
            now_ns = self._clock.now_ns()
            self._disk_state = await asyncio.to_thread(self._disk.look, now_ns)  # a dead volume may never answer
            low = self._disk_state.under_reserve
            self.set_alarm("disk", "disk", "磁盘剩余空间低于保留值，请清理" if low else None)
            gone = self._disk_state.replaced
            self.set_alarm("volume", "disk", "录像磁盘已被卸载或更换，录像暂存于系统盘，请立即检查" if gone else None)
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._clock.note, self._layout.clock)
            deadline = asyncio.get_running_loop().time() + STATUS_S
            while True:
                self._changed.clear()
                self._feed.publish_json("status", self._status(), retain=True)
                left_s = deadline - asyncio.get_running_loop().time()
                if left_s <= 0:
                    break
                try:
                    await asyncio.wait_for(self._changed.wait(), left_s)
                except TimeoutError:
                    break
                await asyncio.sleep(0.02)  # changes come in groups

    def _status(self) -> RecorderStatus:
        tracks: list[TrackStatus] = []
        for runner in self.runners:
            for info in runner.source.tracks:
                lane = self.lanes[info.id]
                tracks.append(
                    {
                        "id": info.id,
                        "kind": info.kind,
                        "name": info.name,
                        "mime": lane.mime,
                        "state": runner.state,
                        "kept": lane.is_kept(self._clock.now_ns()),
                        "kept_bytes": lane.kept_bytes,
                        "last_fragment_ns": lane.track.end_ns or None,
                        "restarts": runner.restarts,
                        "why": runner.why,
                    }
                )
        return {
            "at_ns": self._clock.now_ns(),
            "tracks": tracks,
            "hearing": self._hearing,
            "disk": {
                "free_bytes": self._disk_state.free_bytes,
                "hours_left": self._disk_state.hours_left,
                "longest_wait_ms": self.waits.longest_ms(self._clock.now_ns()),
            },
            "clock": self._clock_watch.source.to_json(),
            "copy": self._backup.state,
            "readback": self._confidence.state,
            "alarms": self._alarms.to_json(),
        }
