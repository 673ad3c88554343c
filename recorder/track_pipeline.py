"""The way of one track through the recorder: what it gives is stamped, published, kept in fragments and looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from hardware.sources import TrackInfo
from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.capture.stream_pace import StreamPace
from recorder.capture.track import Track
from recorder.context import RoomContext
from recorder.media_events import MediaEvents
from recorder.monitoring.live_meters import PictureMeters
from recorder.storage.gaps import MissingSpan
from recorder.storage.outcomes import (
    FragmentKept,
    FragmentRefused,
    Outcome,
    RefusalCode,
    SegmentClosed,
    StretchFinished,
)
from recorder.storage.selector import FragmentSelector
from recorder.storage.writer import TrackWriter
from sync.media.envelope import Envelope, Kind, pack_init
from sync.media.tracks import is_made
from sync.room.counts import TrackCounts
from sync.runtime.units import NS_PER_S

if TYPE_CHECKING:
    from recorder.monitoring.picture import PictureFindings, PictureWatch

log = structlog.get_logger(__name__)

THUMB_EVERY_NS = 4 * NS_PER_S
KEPT_FRESH_NS = 3 * NS_PER_S
_PICTURE_TEXTS = {"frozen": "画面静止不动", "black": "画面全黑", "undecodable": "画面无法解码"}


class TrackPipeline:
    """The pipeline of one track. `stop` blocks; all else belongs to the event loop."""

    def __init__(
        self, info: TrackInfo, context: RoomContext, media_events: MediaEvents, picture_meters: PictureMeters
    ) -> None:
        storage = context.profile.storage
        self.info = info
        self._context = context
        self._media_events = media_events
        self._picture_meters = picture_meters
        self.track = Track(info, context.clock, context.utc_of, self)
        self._writer = TrackWriter(info.id, self._folder, storage.segment_s, asyncio.get_running_loop(), self._outcome)
        self.selector = FragmentSelector(
            self._writer.offer, self._writer.finish, self._append_gap, storage.preroll_s * NS_PER_S
        )
        self.selector.wait_for_log()
        self._uncounted: list[Outcome] | None = []
        """What became of orders while it is not known yet what an earlier life has kept; None when that is known."""
        self.mime = ""
        self.kept_bytes = 0
        self._kept_fragments = 0
        self._not_written = 0
        self._gaps = 0
        self._gap_ns = 0
        self._kept_ns: int | None = None
        self._kept_run: WorkerRun | None = None
        self._began_ns = 0
        """When the newest run's first bytes came."""
        self.tap: Callable[[StampedFragment], None] | None = None
        """Where a self-test that keeps this track as well takes its fragments."""
        self._picture: PictureWatch | None = None
        self.pace = StreamPace() if info.kind == "video" else None
        self._inspected_ns: int | None = None
        self._inspecting: asyncio.Task[None] | None = None

    def _folder(self, hearing: str) -> Path:
        return self._context.paths.track(hearing, self.info.id)

    def first_index(self, hearing: str) -> int | None:
        """The first segment of a hearing that this life of the service began; None while there is none."""
        return self._writer.first_index(hearing)

    def count(self) -> None:
        """What an earlier life has kept is known to the selector: what this one kept is counted on from there."""
        uncounted, self._uncounted = self._uncounted or [], None
        for outcome in uncounted:
            self._count(outcome)

    def is_kept(self, now_ns: int) -> bool:
        """Whether fragments of an open hearing have just reached the disk."""
        return self.selector.wanting and self._kept_ns is not None and now_ns - self._kept_ns < KEPT_FRESH_NS

    def counts(self) -> TrackCounts:
        """For whoever measures the room."""
        return {
            "id": self.info.id,
            "fragments": self._kept_fragments,
            "waiting": self._writer.waiting,
            "dropped": self.selector.dropped + self._not_written,
            "gaps": self._gaps,
            "gap_ns": self._gap_ns,
        }

    def stop(self) -> None:
        """Close the open segment."""
        self._writer.stop()

    def began(self, run: WorkerRun) -> None:
        """A run has told what it is."""
        self.mime = run.init.mime
        self._began_ns = self._context.clock.now_ns()

    def announce(self, run: WorkerRun, init: bytes) -> None:
        """How what is published from now on is to be decoded."""
        now_ns = self._context.clock.now_ns()
        payload = pack_init(run.init.mime, init)
        message = Envelope(Kind.INIT, run.init_id, 0, now_ns, self._context.utc_of(now_ns), 0, payload)
        self._context.feed.publish(f"init/{self.info.id}", message.pack(), retain=True)

    def publish(self, fragment: StampedFragment) -> None:
        """Something to be seen or heard live."""
        message = Envelope(
            kind=Kind.FRAGMENT,
            init_id=fragment.run.init_id,
            sequence=fragment.sequence,
            room_ns=fragment.from_ns,
            utc_ns=fragment.utc_ns,
            duration_us=(fragment.to_ns - fragment.from_ns) // 1000,
            payload=fragment.data,
            key_frame=fragment.key_frame,
            kept=self.selector.wanting,
        )
        self._context.feed.publish(f"frag/{self.info.id}", message.pack())

    def keep(self, fragment: StampedFragment) -> None:
        """Something to be kept, if a hearing is open."""
        self._context.volume.produced(len(fragment.data))
        self.selector.fragment(fragment)
        if self.pace is not None:
            self.pace.add(fragment.from_ns, fragment.to_ns, fragment.pictures, key_frame=fragment.key_frame)
        if self.tap is not None:
            self.tap(fragment)
        if self.info.kind == "video" and fragment.key_frame:
            self._inspect_when_due(fragment)

    def _inspect_when_due(self, fragment: StampedFragment) -> None:
        due = self._inspected_ns is None or fragment.from_ns - self._inspected_ns >= THUMB_EVERY_NS - 500_000_000
        if due and (self._inspecting is None or self._inspecting.done()):
            self._inspected_ns = fragment.from_ns
            self._inspecting = asyncio.create_task(self._inspect(fragment))

    async def _inspect(self, fragment: StampedFragment) -> None:
        kept = self.selector.wanting
        findings = await asyncio.to_thread(self._look_at, fragment)
        # What stands still or is black in the composed picture is said of its camera, or is a page or a card.
        texts = {} if is_made(self.info.id) else _PICTURE_TEXTS
        for trouble, text in texts.items():
            self._context.set_alarm(
                trouble, self.info.id, f"{self.info.name}：{text}" if trouble in findings.troubles else None
            )
        if findings.signature is not None:
            self._picture_meters.add(fragment.from_ns, findings.signature)
        if findings.jpeg is not None:
            message = Envelope(
                Kind.THUMBNAIL,
                fragment.run.init_id,
                fragment.sequence,
                fragment.from_ns,
                fragment.utc_ns,
                0,
                findings.jpeg,
                key_frame=True,
                kept=kept or self.selector.wanting,
            )
            self._context.feed.publish(f"thumb/{self.info.id}", message.pack(), retain=True)

    def _look_at(self, fragment: StampedFragment) -> PictureFindings:
        if self._picture is None:  # what decodes pictures is large, and no picture waits for it
            from recorder.monitoring.picture import PictureWatch

            self._picture = PictureWatch()
        return self._picture.inspect(fragment)

    def _append_gap(self, missing: MissingSpan) -> None:
        self._gaps += 1
        self._gap_ns += missing.to_ns - missing.from_ns
        self._media_events.append_gap(self.info.id, missing)

    def _outcome(self, outcome: Outcome) -> None:
        if self._uncounted is None:
            self._count(outcome)
        elif isinstance(outcome, FragmentKept):  # it may take long, and only the times are needed
            self._uncounted.append(replace(outcome, fragment=replace(outcome.fragment, data=b"")))
        else:
            self._uncounted.append(outcome)
        if isinstance(outcome, FragmentKept):
            self.kept_bytes += len(outcome.fragment.data)
            self._kept_fragments += 1
            self._kept_ns = self._context.clock.now_ns()
            self._context.write_latency.note(self._kept_ns, outcome.waited_ns)
            self._context.set_alarm("write", self.info.id, None)
            self._say_first_of_run(outcome)
        elif isinstance(outcome, FragmentRefused):
            now_ns = self._context.clock.now_ns()
            self.selector.trouble(outcome.fragment.from_ns if outcome.fragment else now_ns, outcome.why)
            if outcome.code is RefusalCode.NOT_WRITTEN:
                self._not_written += outcome.fragment is not None
                log.error("not_kept", track=self.info.id, why=outcome.why)
                self._context.set_alarm("write", self.info.id, f"{self.info.name}未能写入磁盘：{outcome.why}")

    def _count(self, outcome: Outcome) -> None:
        if isinstance(outcome, FragmentKept):
            self.selector.kept(outcome.hearing, outcome.fragment)
        elif isinstance(outcome, SegmentClosed):
            self._media_events.append_segment(self.info.id, outcome.hearing, outcome.segment)
        elif isinstance(outcome, StretchFinished):
            self.selector.finished(outcome.hearing, outcome.until_ns)

    def _say_first_of_run(self, outcome: FragmentKept) -> None:
        """For operators, and for `wutong bench kill`: when a run that began came to the disk."""
        fragment = outcome.fragment
        if fragment.run is not self._kept_run:
            self._kept_run = fragment.run
            kept_ns = self._context.clock.now_ns()
            log.info(
                "run_kept",
                track=self.info.id,
                run=fragment.run.init_id,
                init_ns=self._began_ns,
                from_ns=fragment.from_ns,
                offered_ns=kept_ns - outcome.waited_ns,
                kept_ns=kept_ns,
            )
