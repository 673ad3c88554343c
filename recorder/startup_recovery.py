"""What an earlier life of this service left behind: files that nobody closed, gaps that nobody declared, a hearing.

Promises: nothing of the past keeps the room from recording now. What is open is kept on from the first fragment;
beside that, and however long the disk takes, files are closed, what is missing is declared, and what waited is written.
Only then is this life's own media counted and told, so that the log has everything in its order and no gap is declared
where an earlier life has media. While the room's log cannot be read, the hearing that this service knew to be open is
kept on (`open.json` beside the media says which).
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
from sync.runtime.files.durable_files import replace_file

log = structlog.get_logger(__name__)

RECOVERED_WHY = "录制服务中断后恢复"
DRAIN_S = 5.0
"""So often it is looked whether the log refuses the events of an earlier life."""
RETRY_S = 0.5


class StartupRecovery:
    """Recovers one room. All methods belong to the event loop. It is `pending` until the past is in the log.

    `run` closes and tells what there is; when it is `told`, whoever reads the log calls `declare`.
    """

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
        self._unclosed: list[tuple[str, str, Path]] | None = None
        """The files of an earlier life that are to be closed; None before they were looked for."""
        self._recovered_ns: dict[tuple[str, str], int] = {}
        """(hearing, track) -> up to where the files reach that this life closed."""
        self.pending = True
        self.told = False
        """The log has, or refuses, what the files of an earlier life say; what is missing can be declared."""
        self._holes = False
        """The log has all that waited for it, so that holes in it are true ones."""

    async def run(self) -> None:
        """Until the files of the past are closed and the log was told of them."""
        while not self.told:
            try:
                await self._close_files()
            except StorageError as error:
                log.error("recovery_waits", why=error.message)
                await asyncio.sleep(RETRY_S)
                continue
            while not await self._context.events.drained(DRAIN_S):
                if self._context.events.refused:
                    break
            else:
                self._holes = True
            self.told = True

    async def _close_files(self) -> None:
        """Close what nobody closed, and write that. `StorageError` when the log does not answer: call it again."""
        if self._unclosed is None:
            known = await asyncio.to_thread(self._context.room_log.keys, "segment/")
            found = await asyncio.to_thread(recovery.unclosed, self._context.paths.data / "hearings", known)
            self._unclosed = [one for one in found if not self._is_of_this_life(*one)]
        now_ns = self._context.clock.now_ns()
        utc_offset_ns = self._context.utc_of(now_ns) - now_ns
        while self._unclosed:
            hearing, track, path = self._unclosed.pop(0)
            try:
                parts = await asyncio.to_thread(recovery.close_unclosed, path, utc_offset_ns)
            except (StorageError, MediaError) as error:
                # The next start tries again.
                log.error("segment_not_recovered", file=str(path), why=error.message)
                continue
            for one in parts:
                self._media_events.append_segment(track, hearing, one.segment)
                self._recovered_ns[hearing, track] = max(self._recovered_ns.get((hearing, track), 0), one.segment.to_ns)
                for from_ns, to_ns in one.holes:
                    self._media_events.append_gap(track, MissingSpan(hearing, from_ns, to_ns, RECOVERED_WHY))

    def _is_of_this_life(self, hearing: str, track: str, path: Path) -> bool:
        firsts = [pipeline.first_index(hearing) for pipeline in self._pipelines if pipeline.info.id == track]
        return any(first is not None and int(path.stem) >= first for first in firsts)

    def declare(self) -> None:
        """Declare what is missing, and count what this life keeps; the schedule was read after it was `told`."""
        for plan in self._schedule.all():
            for pipeline in self._pipelines:
                self._want(plan, pipeline)
        self.pending = False
        for pipeline in self._pipelines:
            pipeline.count()
        for plan in self._schedule.all():
            self._schedule.forget(plan.hearing)

    def _want(self, plan: RecordingPlan, pipeline: TrackPipeline) -> None:
        track, selector = pipeline.info.id, pipeline.selector
        known = selector.wants(plan.hearing)
        if not known and plan.ended and plan.tracks and track not in plan.tracks:
            return  # a camera that came after this hearing misses nothing of it
        for from_ns, to_ns in plan.holes.get(track, []) if self._holes else []:
            self._media_events.append_gap(track, MissingSpan(plan.hearing, from_ns, to_ns, RECOVERED_WHY))
        covered_ns = max(plan.kept_until_ns.get(track, 0), self._recovered_ns.get((plan.hearing, track), 0))
        end_ns = plan.stretches[-1].to_ns
        if not known and plan.ended and end_ns is not None and covered_ns >= end_ns - TOLERANCE_NS:
            return
        if covered_ns:
            selector.trouble(covered_ns, RECOVERED_WHY)
        if not known and plan.ended:
            selector.missed(plan.hearing, plan.stretches, covered_ns)
            return
        selector.want(plan.hearing, plan.stretches, ended=plan.ended, covered_ns=covered_ns)
        selector.covered(plan.hearing, covered_ns)

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

    async def recall(self) -> str | None:
        """Keep on what was open when the log could still be read; the hearing, or None when none was."""
        hearing, stretches, covered = await asyncio.to_thread(self._noted)
        if not hearing:
            return None
        log.warning("hearing_recalled", hearing=hearing)
        self._remembered = hearing
        for pipeline in self._pipelines:
            covered_ns = covered[pipeline.info.id]
            if covered_ns:
                pipeline.selector.trouble(covered_ns, RECOVERED_WHY)
            pipeline.selector.want(hearing, stretches, ended=False, covered_ns=covered_ns)
            pipeline.count()
        return hearing

    def _noted(self) -> tuple[str, list[Stretch], dict[str, int]]:
        """(the hearing that was open, or ""; its stretches; up to where the files of each track reach)."""
        try:
            value = json.loads(self._open_file.read_bytes())
            hearing = str(value["hearing"])
            stretches = [Stretch(int(from_ns), None if to is None else int(to)) for from_ns, to in value["stretches"]]
        except (OSError, ValueError, KeyError, TypeError):
            return "", [], {}
        tracks = [pipeline.info.id for pipeline in self._pipelines]
        return hearing, stretches, {track: _covered_ns(self._context.paths, hearing, track) for track in tracks}


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
