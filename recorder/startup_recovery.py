"""What an earlier life of this service left behind: files that nobody closed, gaps that nobody declared, a hearing.

Promises: nothing of the past keeps the room from recording now. While the room's log cannot be read, the hearing that
this service knew to be open is kept on (`open.json` beside the media says which); as soon as the log answers, files
are closed, what is missing is declared, and what waited is said.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from recorder.storage import recovery
from recorder.storage.schedule import RecordingPlan, RecordingSchedule
from recorder.storage.segment import make_folder
from recorder.storage.selector import TOLERANCE_NS, MissingSpan, Stretch
from sync.errors import MediaError, StorageError
from sync.media.fmp4 import index_file
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.runtime.durable_files import sync_folder

if TYPE_CHECKING:
    from recorder.room import RecorderRoom
    from recorder.track_pipeline import TrackPipeline

log = structlog.get_logger(__name__)

RECOVERED_WHY = "录制服务中断后恢复"


class StartupRecovery:
    """All methods belong to the event loop. `pending` until the log was read once."""

    def __init__(self, room: RecorderRoom, room_log: RoomLog, book: RecordingSchedule) -> None:
        self._room = room
        self._log = room_log
        self._book = book
        self._open = room.layout.data / "hearings" / "open.json"
        self._remembered = ""
        self._left = recovery.unclosed(room.layout.data / "hearings", set())
        """Of an earlier life: what this one writes is not to be recovered."""
        self.pending = True

    async def close_files(self) -> None:
        """Close and say what nobody closed. `StorageError` when the log does not answer: call it again."""
        known = await asyncio.to_thread(self._log.keys, "segment/")
        now_ns = self._room.clock.now_ns()
        utc_offset_ns = self._room.utc_of(now_ns) - now_ns
        for hearing, track, path in self._left:
            if recovery.segment_key(hearing, track, int(path.stem)) in known:
                continue
            try:
                found = await asyncio.to_thread(recovery.close_unclosed, path, utc_offset_ns)
            except (StorageError, MediaError) as error:
                # The next start tries again.
                log.error("segment_not_recovered", file=str(path), why=error.message)
                continue
            for one in found:
                self._room.segment_closed(track, hearing, one.segment)
                for from_ns, to_ns in one.holes:
                    self._room.gap(track, MissingSpan(hearing, from_ns, to_ns, RECOVERED_WHY))
        self._left = []

    async def declare(self, lanes: Mapping[str, TrackPipeline], *, holes: bool) -> None:
        """Read what is to be kept, and declare what is missing; `holes`: the log has all that was to be said."""
        await asyncio.to_thread(self._book.look)
        for wanted in self._book.all():
            for lane in lanes.values():
                self._want(wanted, lane, holes=holes)
        await asyncio.to_thread(self.remember, self._book.all())
        for wanted in self._book.all():
            self._book.forget(wanted.hearing)
        self.pending = False

    def _want(self, wanted: RecordingPlan, lane: TrackPipeline, *, holes: bool) -> None:
        track = lane.info.id
        if wanted.ended and wanted.tracks and track not in wanted.tracks:
            return  # a camera that came after this hearing misses nothing of it
        for from_ns, to_ns in wanted.holes.get(track, []) if holes else []:
            self._room.gap(track, MissingSpan(wanted.hearing, from_ns, to_ns, RECOVERED_WHY))
        covered_ns = wanted.kept_until_ns.get(track, 0)
        end_ns = wanted.stretches[-1].to_ns
        if wanted.ended and end_ns is not None and covered_ns >= end_ns - TOLERANCE_NS:
            return
        if covered_ns:
            lane.keeper.trouble(covered_ns, RECOVERED_WHY)
        lane.keeper.want(wanted.hearing, wanted.stretches, ended=wanted.ended, covered_ns=covered_ns)

    # The small file that says which hearing is open

    def remember(self, wanted: Sequence[RecordingPlan]) -> None:
        """Write down the hearing that is open, and its stretches; may block for a moment."""
        going_on = [w for w in wanted if not w.ended]
        if not going_on and not any(w.hearing == self._remembered for w in wanted):
            return
        value: dict[str, Any] = {}
        if going_on:
            self._remembered = going_on[-1].hearing
            stretches = [[s.from_ns, s.to_ns] for s in going_on[-1].stretches]
            value = {"hearing": self._remembered, "stretches": stretches}
        try:
            make_folder(self._open.parent)
            draft = self._open.with_suffix(".new")
            with draft.open("w", encoding="utf-8") as file:
                json.dump(value, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._open)
            sync_folder(self._open.parent)
        except OSError as error:  # it is for the day on which the log is damaged, too
            log.error("open_hearing_not_noted", why=str(error))

    def recall(self, lanes: Mapping[str, TrackPipeline]) -> str | None:
        """Keep on what was open when the log could still be read; the hearing, or None when none was."""
        try:
            value = json.loads(self._open.read_bytes())
            hearing = str(value["hearing"])
            stretches = [Stretch(int(from_ns), None if to is None else int(to)) for from_ns, to in value["stretches"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        log.warning("hearing_recalled", hearing=hearing)
        self._remembered = hearing
        for lane in lanes.values():
            covered_ns = _covered_ns(self._room.layout, hearing, lane.info.id)
            if covered_ns:
                lane.keeper.trouble(covered_ns, RECOVERED_WHY)
            lane.keeper.want(hearing, stretches, ended=False, covered_ns=covered_ns)
        return hearing


def _covered_ns(layout: RoomPaths, hearing: str, track: str) -> int:
    """Up to where the files of a track reach, according to themselves; 0 when there is none."""
    files: list[Path] = sorted(p for p in layout.track(hearing, track).glob("*.mp4") if p.stem.isdigit())
    for path in reversed(files):
        try:
            fragments = index_file(path, salvage=True).fragments
        except MediaError as error:
            log.warning("segment_unreadable", file=str(path), why=error.message)
            continue
        if fragments:
            return fragments[-1].to_ns
    return 0
