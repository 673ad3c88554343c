"""The transcriber: what the microphones hear becomes captions while people speak, and utterances when they stop.

Promises: the recorder never waits for it and needs nothing of it; killed, it goes on where its words ended, nothing
twice and nothing left out (`transcriber.turn_source`); its model is a process of its own
(`transcriber.recognition.process`).
"""

from __future__ import annotations

import asyncio
import time
from typing import cast

import structlog

from hardware.profile import Profile
from sync.room.clock import RoomClock
from sync.room.counts import COUNTS, TranscriberCounts
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient, FeedServer
from sync.room.messages import SpeakingMessage, TranscriberState, TranscriberStatus
from sync.room.paths import RoomPaths
from sync.runtime.process.service import Lifeline
from transcriber.audio.live import LiveAudio
from transcriber.backlog import Backlog
from transcriber.captions import Captions
from transcriber.correction.reviser import Reviser
from transcriber.diarization.voices import Voices
from transcriber.live_edge import LiveEdge
from transcriber.progress import ProgressFile
from transcriber.recognition.factory import make_recognizer
from transcriber.recognition.model_files import locate
from transcriber.scheduler import RecognitionScheduler
from transcriber.turn_queue import TurnQueue
from transcriber.turn_source import TurnSource
from transcriber.utterances import UtteranceWriter

log = structlog.get_logger(__name__)

CATCHING_UP_MS = 8_000.0


async def serve(profile: Profile, lifeline: Lifeline) -> None:
    """Transcribe until canceled. Raises `ConfigError` when there is no model."""
    for warning in profile.policy.warnings(profile.plain_to_words()):
        log.error("plain_wire", what=warning)
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
        self._prepared = False
        self._status: TranscriberStatus | None = None
        self._speaking: list[str] = []
        self._log_changed = asyncio.Event()
        channels = {seat.id: seat.channel for seat in profile.seats}
        self._progress = ProgressFile(layout.data / "transcriber.json", room_log, channels)
        self._backlog = Backlog(self._progress.point.number)
        self._live = LiveAudio(layout.feed("recorder"))
        self._recognizer = make_recognizer(profile.transcriber, on_state=self._on_state, authority=layout.authority)
        self._voices = Voices(profile, self._recognizer, layout.data / "voices.json")
        self._reviser = Reviser(settings=profile.transcriber, room_log=room_log, clock=clock, feed=feed)
        self._queue = TurnQueue()
        self._source = TurnSource(
            layout=layout,
            clock=clock,
            live=self._live,
            backlog=self._backlog,
            channels=list(channels.values()),
            progress=self._progress,
            queue=self._queue,
        )
        self._edge = LiveEdge(clock, self._source, self._queue)
        seats = {seat.channel: seat for seat in profile.seats}
        self._utterances = UtteranceWriter(seats=seats, room_log=room_log, clock=clock, feed=feed, voices=self._voices)
        self._scheduler = RecognitionScheduler(
            queue=self._queue,
            recognizer=self._recognizer,
            captions=Captions(seats, feed),
            utterances=self._utterances,
            voices=self._voices,
            reviser=self._reviser,
            speaking=self._edge.turns,
            now_ns=clock.now_ns,
        )

    async def run(self, lifeline: Lifeline) -> None:
        """Run all tasks until the first one fails or this one is canceled."""
        self._publish_status()
        await self._read_log()
        if self._progress.point.lost:
            self._backlog.begin_anew()
            log.warning("progress_lost", hearings=len(self._backlog.waiting))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._live.run())
            tasks.create_task(self._follow_log())
            tasks.create_task(self._follow_edge())
            tasks.create_task(self._publish())
            tasks.create_task(self._start(lifeline))
            tasks.create_task(self._source.run())
            tasks.create_task(self._scheduler.run())

    async def stop(self) -> None:
        """End the model, and note how far the words are."""
        await self._recognizer.stop()
        self._note_progress()

    async def _start(self, lifeline: Lifeline) -> None:
        lifeline.ready()  # from now on nothing is lost: what is said while the model loads is caught up with
        await self._recognizer.start()
        await self._reviser.prepare()
        self._prepared = True  # not before: a hearing that is opened on this word shall find its first turn quick
        self._publish_status()
        for job in list(self._backlog.waiting):
            await self._reviser.catch_up(job.hearing)

    async def _follow_edge(self) -> None:
        """Read the log at once when the edge has written to it; `_follow_log` finds all else within half a second."""
        async for _ in FeedClient(self._layout.feed("edge"), ["log"]).messages():
            self._log_changed.set()

    async def _follow_log(self) -> None:
        while True:
            try:
                async with asyncio.timeout(0.5):
                    await self._log_changed.wait()
            except TimeoutError:
                pass
            self._log_changed.clear()
            await self._read_log()

    async def _read_log(self) -> None:
        while events := await asyncio.to_thread(self._log.since, self._backlog.seen):
            self._backlog.apply(events)
            self._voices.apply(events)

    def _note_progress(self) -> None:
        waiting = self._queue.oldest_ns
        done_ns = self._source.done_ns
        done_ns = done_ns if waiting is None else min(done_ns, waiting)
        self._progress.note(self._backlog, self._source.job, done_ns)

    def _on_state(self, state: str, why: str) -> None:
        self._state, self._why = cast(TranscriberState, state), why
        self._publish_status()

    def _publish_status(self) -> None:
        lag_ms = round(self._edge.lag_ms)
        state, why = self._state, self._why or self._utterances.trouble
        if state == "ready" and not self._prepared:
            state = "loading"
        if self._utterances.trouble:
            state = "failed"
        elif state == "ready" and lag_ms > CATCHING_UP_MS:
            state = "catching-up"
        hearings = [job.hearing for job in self._backlog.waiting]
        status: TranscriberStatus = {"state": state, "lag_ms": lag_ms, "why": why, "hearings": hearings}
        if status != self._status:
            self._status = status
            self._feed.publish_json("status", status, retain=True)

    def _publish_counts(self) -> None:
        counts: TranscriberCounts = {
            "waiting_turns": len(self._queue.turns),
            "waiting_hearings": len(self._backlog.waiting),
        }
        self._feed.publish_json(COUNTS, counts, retain=True)

    async def _publish(self) -> None:
        """Publish who speaks as soon as it changes, and the status each second; note the progress every two."""
        published = noted = 0.0
        while True:
            channels = self._edge.speaking_channels()
            seats = [seat.id for seat in self._profile.seats if seat.channel in channels]
            if seats != self._speaking:
                self._speaking = seats
                message: SpeakingMessage = {"at_ns": self._clock.now_ns(), "seats": seats}
                self._feed.publish_json("speaking", message)
            now = time.monotonic()
            if now - published >= 1.0:
                published = now
                self._publish_status()
                self._publish_counts()
            if now - noted >= 2.0:
                noted = now
                self._note_progress()
            await asyncio.sleep(0.1)
