"""The transcriber: what the microphones hear becomes captions while people speak, and utterances when they stop.

Promises: the recorder never waits for it and needs nothing of it; killed, it goes on where its words ended, nothing
twice and nothing left out (`transcriber.turn_source`); its model is a process of its own
(`transcriber.recognition.process`).
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import cast

import structlog

from hardware.profile import Profile
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient, FeedServer
from sync.room.messages import SpeakingMessage, TranscriberState, TranscriberStatus
from sync.room.paths import RoomPaths
from sync.runtime.service import Lifeline
from transcriber.audio.live import LiveAudio
from transcriber.backlog import Backlog, HearingJob, ResumePoint
from transcriber.correction.reviser import Reviser
from transcriber.diarization.voices import Voices
from transcriber.recognition.factory import make_ear
from transcriber.recognition.model_files import locate
from transcriber.scheduler import RecognitionScheduler
from transcriber.segmentation.endpointer import Turn
from transcriber.turn_source import TurnSource

log = structlog.get_logger(__name__)

CATCHING_UP_MS = 8_000.0
_LIVE_MS = 3_000.0
_BEFORE_NS = 300_000_000
"""A successor hears a little before the first word it has to write."""


async def serve(profile: Profile, lifeline: Lifeline) -> None:
    """Transcribe until cancelled. `ConfigError` when there is no model."""
    layout = RoomPaths(profile.storage.data)
    feed = FeedServer(layout.feed("transcriber"))
    if profile.transcriber.engine == "off":
        await feed.start()
        try:
            status: TranscriberStatus = {"state": "off", "lag_ms": 0, "why": ""}
            feed.publish_json("status", status, retain=True)
            lifeline.ready()
            await asyncio.Event().wait()
        finally:
            await feed.stop()
        return
    if profile.transcriber.engine == "faster-whisper":
        await asyncio.to_thread(locate, profile.transcriber.model)  # may have to be joined first
    room_log = RoomLog(layout.log)
    service = _Service(profile, layout, RoomClock.open(layout.clock), room_log, feed)
    try:
        await feed.start()
        await service.run(lifeline)
    finally:
        await service.stop()
        await feed.stop()
        room_log.close()


class _Service:
    def __init__(
        self, profile: Profile, layout: RoomPaths, clock: RoomClock, room_log: RoomLog, feed: FeedServer
    ) -> None:
        self._profile = profile
        self._layout = layout
        self._clock = clock
        self._log = room_log
        self._feed = feed
        self._state: TranscriberState = "loading"
        self._why = ""
        self._status: TranscriberStatus | None = None
        self._speaking: list[str] = []
        self._progress = ResumePoint.read(self._progress_file)
        self._seen = self._progress.number
        self._finished = self._progress.number
        self._look_now = asyncio.Event()
        self._sittings = Backlog()
        self._live = LiveAudio(layout.feed("recorder"))
        self._owner = make_ear(profile.transcriber, on_state=self._on_state)
        self._voices = Voices(profile, self._owner, layout.data / "voices.json")
        self._reviser = Reviser(settings=profile.transcriber, room_log=room_log, clock=clock, feed=feed)
        self._desk = RecognitionScheduler(
            profile=profile,
            owner=self._owner,
            room_log=room_log,
            clock=clock,
            feed=feed,
            voices=self._voices,
            reviser=self._reviser,
            speaking=self._going_on,
        )
        self._listener = TurnSource(
            layout=layout,
            clock=clock,
            live=self._live,
            sittings=self._sittings,
            channels=[seat.channel for seat in profile.seats],
            resume=self._resume,
            deliver=self._desk.put,
            finished=self._end,
        )

    @property
    def _progress_file(self) -> Path:
        return self._layout.data / "transcriber.json"

    async def run(self, lifeline: Lifeline) -> None:
        """All tasks until the first one fails or this one is cancelled."""
        self._publish_status()
        await self._look()
        if self._progress.lost:
            self._sittings.begin_anew()
            log.warning("progress_lost", hearings=len(self._sittings.waiting))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._live.run())
            tasks.create_task(self._follow())
            tasks.create_task(self._wake())
            tasks.create_task(self._tell())
            tasks.create_task(self._start(lifeline))
            tasks.create_task(self._listener.run())
            tasks.create_task(self._desk.run())

    async def stop(self) -> None:
        """Leave nothing behind."""
        await self._owner.stop()
        self._note_progress()

    async def _start(self, lifeline: Lifeline) -> None:
        lifeline.ready()  # from now on nothing is lost: what is said while the model loads is caught up with
        await self._owner.start()
        await self._reviser.prepare()
        for sitting in list(self._sittings.waiting):
            await self._reviser.catch_up(sitting.hearing)

    async def _wake(self) -> None:
        async for _ in FeedClient(self._layout.feed("edge"), ["log"]).messages():
            self._look_now.set()

    async def _follow(self) -> None:
        while True:
            try:
                async with asyncio.timeout(0.5):
                    await self._look_now.wait()
            except TimeoutError:
                pass
            self._look_now.clear()
            await self._look()

    async def _look(self) -> None:
        while events := await asyncio.to_thread(self._log.since, self._seen):
            self._sittings.apply(events)
            self._voices.apply(events)
            self._seen = events[-1].number

    def _resume(self, sitting: HearingJob) -> tuple[int, dict[int, int]]:
        """Where the record of a hearing ends: the progress file says it for all, the log for every seat."""
        channels = {seat.id: seat.channel for seat in self._profile.seats}
        said: dict[int, int] = {}
        for event in self._log.of_hearing(sitting.hearing):  # as it was heard: the clerk may have moved or split it
            if event.kind == "utterance" and (channel := channels.get(str(event.body["seat"]))) is not None:
                said[channel] = max(said.get(channel, 0), int(event.body["end_ns"]))
        done_ns = sitting.opened_ns
        if self._progress.hearing == sitting.hearing:
            done_ns = max(done_ns, self._progress.done_ns)
        return done_ns, said

    async def _end(self, sitting: HearingJob) -> None:
        await self._desk.drained()
        self._sittings.done()
        following = self._sittings.current
        self._finished = self._seen if following is None else following.number - 1
        self._note_progress()
        log.info("hearing_transcribed", hearing=sitting.hearing)

    def _note_progress(self) -> None:
        sitting = self._listener.sitting
        if sitting is None:
            if self._sittings.current is not None:
                return  # not begun: where it was left off is still to be read
            now = ResumePoint(self._finished)
        else:
            waiting = self._desk.oldest_ns
            done_ns = min(self._listener.done_ns, waiting if waiting is not None else self._listener.done_ns)
            now = ResumePoint(sitting.number - 1, sitting.hearing, max(done_ns - _BEFORE_NS, sitting.opened_ns))
        if now != self._progress and (now.hearing or now.number):
            self._progress = now
            try:
                now.write(self._progress_file)
            except OSError as error:
                log.warning("progress_not_written", why=str(error))

    def _going_on(self) -> tuple[HearingJob | None, list[Turn]]:
        """The turns that go on; without their hearing while catching up, when nobody waits for captions."""
        behind = self._lag_ms() > _LIVE_MS
        return None if behind else self._listener.sitting, self._listener.turns

    def _lag_ms(self) -> float:
        position_ns = self._listener.position_ns
        behind = [p for p in (position_ns, self._desk.waiting_since_ns) if p is not None]
        return max(self._clock.now_ns() - min(behind), 0) / 1e6 if behind else 0.0

    def _on_state(self, state: str, why: str) -> None:
        self._state, self._why = cast(TranscriberState, state), why
        self._publish_status()

    def _publish_status(self) -> None:
        lag_ms = round(self._lag_ms())
        state, why = self._state, self._why or self._desk.trouble
        if self._desk.trouble:
            state = "failed"
        elif state == "ready" and lag_ms > CATCHING_UP_MS:
            state = "catching-up"
        hearings = [sitting.hearing for sitting in self._sittings.waiting]
        status: TranscriberStatus = {"state": state, "lag_ms": lag_ms, "why": why, "hearings": hearings}
        if status != self._status:
            self._status = status
            self._feed.publish_json("status", status, retain=True)

    async def _tell(self) -> None:
        """`speaking` at once when it changes; status each second; progress every two."""
        told = noted = 0.0
        while True:
            seats = self._seats_speaking()
            if seats != self._speaking:
                self._speaking = seats
                message: SpeakingMessage = {"at_ns": self._clock.now_ns(), "seats": seats}
                self._feed.publish_json("speaking", message)
            now = time.monotonic()
            if now - told >= 1.0:
                told = now
                self._publish_status()
            if now - noted >= 2.0:
                noted = now
                self._note_progress()
            await asyncio.sleep(0.1)

    def _seats_speaking(self) -> list[str]:
        sitting, turns = self._going_on()
        channels = {turn.channel for turn in turns if turn.quiet_s < 0.3} if sitting is not None else set()
        return [seat.id for seat in self._profile.seats if seat.channel in channels]
