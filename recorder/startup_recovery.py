"""What an earlier life of this service left behind: files that nobody closed, gaps that nobody declared, a hearing.

Promises: nothing of the past keeps the room from recording now. While the room's log cannot be read, the hearing that
this service knew to be open is kept on (`open.json` beside the media says which); as soon as the log answers, files
are closed, what is missing is declared, and what waited is written.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog

from recorder.context import RoomContext
from recorder.media_events import MediaEvents
from recorder.storage import recovery
from recorder.storage.gaps import TOLERANCE_NS, MissingSpan
from recorder.storage.schedule import RecordingPlan, RecordingSchedule
from recorder.storage.segment import make_folder
from recorder.storage.stretch import Stretch
from recorder.track_pipeline import TrackPipeline
from sync.errors import MediaError, StorageError
from sync.media.fmp4 import index_file
from sync.room.paths import RoomPaths
from sync.runtime.durable_files import replace_file

log = structlog.get_logger(__name__)

RECOVERED_WHY = "录制服务中断后恢复"


class StartupRecovery:
    """Recovers one room. All methods belong to the event loop. It is `pending` until the log was read once."""

    def __init__(
        self,
        context: RoomContext,
        media_events: MediaEvents,
        schedule: RecordingSchedule,
        pipelines: Sequence[TrackPipeline],
    ) -> None:
        self._context = context
        self._media_events = media_events
        self._schedule = schedule
        self._pipelines = pipelines
        self._open_file = context.paths.data / "hearings" / "open.json"
        self._remembered = ""
        self._unclosed = recovery.unclosed(context.paths.data / "hearings", set())
        """The files of an earlier life: what this one writes is not to be recovered."""
        self.pending = True

    async def close_files(self) -> None:
        """Close what nobody closed, and write that. `StorageError` when the log does not answer: call it again."""
        known = await asyncio.to_thread(self._context.room_log.keys, "segment/")
        now_ns = self._context.clock.now_ns()
        utc_offset_ns = self._context.utc_of(now_ns) - now_ns
        for hearing, track, path in self._unclosed:
            if recovery.segment_key(hearing, track, int(path.stem)) in known:
                continue
            try:
                found = await asyncio.to_thread(recovery.close_unclosed, path, utc_offset_ns)
            except (StorageError, MediaError) as error:
                # The next start tries again.
                log.error("segment_not_recovered", file=str(path), why=error.message)
                continue
            for one in found:
                self._media_events.append_segment(track, hearing, one.segment)
                for from_ns, to_ns in one.holes:
                    self._media_events.append_gap(track, MissingSpan(hearing, from_ns, to_ns, RECOVERED_WHY))
        self._unclosed = []

    async def declare(self, *, holes: bool) -> None:
        """Read what is to be kept, and declare what is missing; `holes`: the log has all that waited for it."""
        await asyncio.to_thread(self._schedule.poll)
        for plan in self._schedule.all():
            for pipeline in self._pipelines:
                self._want(plan, pipeline, holes=holes)
        await asyncio.to_thread(self.remember, self._schedule.all())
        for plan in self._schedule.all():
            self._schedule.forget(plan.hearing)
        self.pending = False

    def _want(self, plan: RecordingPlan, pipeline: TrackPipeline, *, holes: bool) -> None:
        track = pipeline.info.id
        if plan.ended and plan.tracks and track not in plan.tracks:
            return  # a camera that came after this hearing misses nothing of it
        for from_ns, to_ns in plan.holes.get(track, []) if holes else []:
            self._media_events.append_gap(track, MissingSpan(plan.hearing, from_ns, to_ns, RECOVERED_WHY))
        covered_ns = plan.kept_until_ns.get(track, 0)
        end_ns = plan.stretches[-1].to_ns
        if plan.ended and end_ns is not None and covered_ns >= end_ns - TOLERANCE_NS:
            return
        if covered_ns:
            pipeline.selector.trouble(covered_ns, RECOVERED_WHY)
        pipeline.selector.want(plan.hearing, plan.stretches, ended=plan.ended, covered_ns=covered_ns)

    # The small file that says which hearing is open

    def remember(self, plans: Sequence[RecordingPlan]) -> None:
        """Write down the hearing that is open, and its stretches; may block for a moment."""
        going_on = [plan for plan in plans if not plan.ended]
        if not going_on and not any(plan.hearing == self._remembered for plan in plans):
            return
        value: dict[str, Any] = {}
        if going_on:
            self._remembered = going_on[-1].hearing
            stretches = [[s.from_ns, s.to_ns] for s in going_on[-1].stretches]
            value = {"hearing": self._remembered, "stretches": stretches}
        try:
            make_folder(self._open_file.parent)
            replace_file(self._open_file, json.dumps(value))
        except OSError as error:  # it is for the day on which the log is damaged, too
            log.error("open_hearing_not_noted", why=str(error))

    def recall(self) -> str | None:
        """Keep on what was open when the log could still be read; the hearing, or None when none was."""
        try:
            value = json.loads(self._open_file.read_bytes())
            hearing = str(value["hearing"])
            stretches = [Stretch(int(from_ns), None if to is None else int(to)) for from_ns, to in value["stretches"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        log.warning("hearing_recalled", hearing=hearing)
        self._remembered = hearing
        for pipeline in self._pipelines:
            covered_ns = _covered_ns(self._context.paths, hearing, pipeline.info.id)
            if covered_ns:
                pipeline.selector.trouble(covered_ns, RECOVERED_WHY)
            pipeline.selector.want(hearing, stretches, ended=False, covered_ns=covered_ns)
        return hearing


def _covered_ns(paths: RoomPaths, hearing: str, track: str) -> int:
    """Up to where the files of a track reach, according to themselves; 0 when there is none."""
    files: list[Path] = sorted(p for p in paths.track(hearing, track).glob("*.mp4") if p.stem.isdigit())
    for path in reversed(files):
        try:
            fragments = index_file(path, salvage=True).fragments
        except MediaError as error:
            log.warning("segment_unreadable", file=str(path), why=error.message)
            continue
        if fragments:
            return fragments[-1].to_ns
    return 0
