"""The recorder's part of a self-test: for a few seconds all tracks are kept as in a hearing, and the tone is played.

An order comes over the edge's feed (`test-record`); what became of it goes out on the recorder's own (`selftest`).
Promises: a test record has its own folder and never mixes with a hearing; one test at a time; a hearing that opens ends
the test at once; earlier test records are deleted when a new test begins. It refuses to judge: that is done by
`edge.selftest.runner`.
"""

from __future__ import annotations

import asyncio
import functools
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from recorder.capture.fragment import StampedFragment
from recorder.context import RoomContext
from recorder.storage.outcomes import FragmentRefused, Outcome, RefusalCode, SegmentClosed, StretchFinished
from recorder.storage.segment import ClosedSegment
from recorder.storage.selector import TOO_SLOW_WHY
from recorder.storage.writer import TrackWriter
from recorder.track_pipeline import TrackPipeline
from sync.errors import DeviceError
from sync.media.tracks import MICROPHONES, MIX
from sync.runtime.process.service import cancel_and_wait
from sync.runtime.units import NS_PER_S
from sync.text.strict_json import read_strict

log = structlog.get_logger(__name__)

ORDER_BYTES = 64 * 1024
STALE_NS = 10 * NS_PER_S
"""An order that is older was for a recorder that is gone."""
PICTURE_NS = 3 * NS_PER_S
"""Length of a camera's test record."""
AFTER_TONE_NS = 7 * NS_PER_S // 10
AFTER_WORD_NS = 3 * NS_PER_S // 10
MOST_NS = 90 * NS_PER_S
ARRIVE_NS = 4 * NS_PER_S
"""How long a track's last fragments may take."""
SEGMENT_S = 600
POLL_S = 0.05
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")


@dataclass
class _TestTrack:
    """One track of a running test."""

    pipeline: TrackPipeline
    writer: TrackWriter
    until_ns: int | None
    """Room time of its end; None while that is not known yet."""
    segments: list[ClosedSegment] = field(default_factory=list)
    ended: bool = False
    """Nothing more is offered."""
    done: bool = False
    """All is on disk."""
    why: str = ""


class SelfTestRecorder:
    """Makes the test records of one room. All methods belong to one event loop."""

    __test__ = False  # it is no test of pytest's

    def __init__(self, context: RoomContext, pipelines: Iterable[TrackPipeline]) -> None:
        self._profile = context.profile
        self._paths = context.paths
        self._clock = context.clock
        self._feed = context.feed
        self._context = context
        self._pipelines = {pipeline.info.id: pipeline for pipeline in pipelines}
        self._test = ""
        self._stop = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def order(self, payload: bytes) -> None:
        """`{"id","at_ns","listen_s"}` begins a test (0: play the tone), `{"id","stop":true}` ends its listening."""
        try:
            value = read_strict(payload, limit=ORDER_BYTES)
            test, at_ns = str(value["id"]), int(value.get("at_ns", 0))
            listen_s = float(value.get("listen_s", 0))
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("test_order_unreadable")
            return
        if value.get("stop"):
            if test == self._test:
                self._stop.set()
            return
        if test == self._test or not _NAME.match(test) or self._clock.now_ns() - at_ns > STALE_NS:
            return
        if self._running is not None and not self._running.done():
            self._publish(test, "aborted", why="上一次自检尚未结束")
            return
        self._test = test
        self._stop.clear()
        self._running = asyncio.get_running_loop().create_task(self._run(test, min(listen_s, MOST_NS / NS_PER_S)))

    async def close(self) -> None:
        """End a running test, because the service ends."""
        if self._running is not None:
            await cancel_and_wait(self._running)

    def _in_hearing(self) -> bool:
        return self._context.hearing is not None

    def _publish(self, test: str, state: str, **more: Any) -> None:
        self._feed.publish_json("selftest", {"id": test, "state": state, **more}, retain=True)

    async def _run(self, test: str, listen_s: float) -> None:
        if self._in_hearing():
            self._publish(test, "aborted", why="庭审正在进行")
            return
        await asyncio.to_thread(_remove_all, self._paths.selftests)
        from_ns = self._clock.now_ns()
        folder = self._paths.selftests / test
        judged = {*(camera.id for camera in self._profile.cameras), MICROPHONES, MIX}
        pipelines = {name: pipeline for name, pipeline in self._pipelines.items() if name in judged}
        tracks = {name: self._begin(pipeline, folder / name, from_ns) for name, pipeline in pipelines.items()}
        self._publish(test, "keeping", from_ns=from_ns)
        tone: dict[str, Any] = {"played": False, "why": ""}
        try:
            done = await self._listen(test, listen_s, tone)
            now_ns = self._clock.now_ns()
            for track in tracks.values():
                track.until_ns = track.until_ns or now_ns + (AFTER_TONE_NS if tone["played"] else AFTER_WORD_NS)
            done = done and await self._until(lambda: all(t.done for t in tracks.values()), ARRIVE_NS + PICTURE_NS)
            if not done:
                for track in tracks.values():
                    self._end(track)
                done = not self._in_hearing() and await self._until(
                    lambda: all(t.done for t in tracks.values()), ARRIVE_NS
                )
            state = "aborted" if self._in_hearing() else "kept"
            facts = {name: _track_facts(folder, track) for name, track in tracks.items()}
            why = "庭审已经开始" if state == "aborted" else ""
            self._publish(test, state, from_ns=from_ns, to_ns=self._clock.now_ns(), tone=tone, tracks=facts, why=why)
        finally:
            for track in tracks.values():
                self._end(track)
            await asyncio.gather(*(asyncio.to_thread(t.writer.stop) for t in tracks.values()))

    async def _listen(self, test: str, listen_s: float, tone: dict[str, Any]) -> bool:
        """Until the tone has sounded, or every seat has spoken; False when a hearing began."""
        if listen_s > 0:
            await self._until(self._stop.is_set, int(listen_s * NS_PER_S))
            return not self._in_hearing()
        from hardware import loudspeaker  # not at the start: a recorder that was killed is to be back soon

        playing = asyncio.create_task(loudspeaker.play(self._profile, self._paths.stage, test))
        try:
            await self._until(playing.done, MOST_NS)
            if playing.done():
                playing.result()
                tone["played"] = True
        except DeviceError as error:
            log.warning("tone_not_played", why=error.message)
            tone["why"] = error.message
        finally:
            if not playing.done():
                await cancel_and_wait(playing)
        return not self._in_hearing()

    async def _until(self, true: Callable[[], bool], within_ns: int) -> bool:
        """Wait; False when the time is over or a hearing began."""
        end_ns = self._clock.now_ns() + within_ns
        while not true():
            if self._in_hearing() or self._clock.now_ns() > end_ns:
                return False
            await asyncio.sleep(POLL_S)
        return True

    def _begin(self, pipeline: TrackPipeline, folder: Path, from_ns: int) -> _TestTrack:
        loop = asyncio.get_running_loop()
        until_ns = from_ns + PICTURE_NS if pipeline.info.kind == "video" else None
        done = functools.partial(self._outcome, pipeline.info.id)
        writer = TrackWriter(pipeline.info.id, lambda _: folder, SEGMENT_S, loop, lambda outcome: done(track, outcome))
        track = _TestTrack(pipeline, writer, until_ns)
        pipeline.tap = functools.partial(self._take, track)
        # A camera with a key frame every ten seconds cannot begin at once without what is in memory.
        for fragment in pipeline.selector.buffered(from_ns):
            self._take(track, fragment)
        return track

    def _take(self, track: _TestTrack, fragment: StampedFragment) -> None:
        if track.ended:
            return
        if track.until_ns is not None and fragment.from_ns >= track.until_ns:
            self._end(track)
        elif not track.writer.offer("", fragment):
            track.why = track.why or TOO_SLOW_WHY

    def _end(self, track: _TestTrack) -> None:
        if not track.ended:
            track.ended = True
            track.pipeline.tap = None
            if not track.writer.finish("", 0):
                track.done, track.why = True, TOO_SLOW_WHY

    @staticmethod
    def _outcome(name: str, track: _TestTrack, outcome: Outcome) -> None:
        if isinstance(outcome, SegmentClosed):
            track.segments.append(outcome.segment)
        elif isinstance(outcome, StretchFinished):
            track.done = True
        elif isinstance(outcome, FragmentRefused) and outcome.code is RefusalCode.NOT_WRITTEN:
            track.why = outcome.why
            log.error("test_not_kept", track=name, why=outcome.why)


def _track_facts(folder: Path, track: _TestTrack) -> dict[str, Any]:
    files = [
        {
            "file": str(s.path.relative_to(folder)),
            "index": s.index,
            "bytes": s.bytes,
            "sha256": s.sha256,
            "from_ns": s.from_ns,
            "to_ns": s.to_ns,
            "fragments": s.fragments,
            "mime": s.mime,
        }
        for s in track.segments
    ]
    return {"files": files, "why": track.why or ("" if files else "没有收到媒体")}


def _remove_all(folder: Path) -> None:
    for old in folder.iterdir() if folder.is_dir() else []:
        shutil.rmtree(old, ignore_errors=True)
