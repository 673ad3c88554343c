"""Where a successor goes on: a small file for the work as a whole, and the room's log for every seat.

Promises: a successor never goes on after words that are not in the record, and never begins at the first hearing again
as long as the file or the log can be read; the file is replaced as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from sync.room.event_log import RoomLog
from sync.runtime.files.durable_files import replace_file
from transcriber.backlog import Backlog, HearingJob

log = structlog.get_logger(__name__)

_BEFORE_NS = 300_000_000
"""A successor is given a little sound before the first word that it has to write."""


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where to go on after a restart: events up to `number` are dealt with; of `hearing`, all before `done_ns`."""

    number: int = 0
    hearing: str = ""
    done_ns: int = 0
    lost: bool = False
    """There was none that could be read; only the log knows what is written."""

    @classmethod
    def read(cls, path: Path) -> ResumePoint:
        """Read the last one written; without one that can be read, it is the beginning and `lost`."""
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(value["number"]), str(value["hearing"]), int(value["done_ns"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(lost=True)

    def write(self, path: Path) -> None:
        """Replace the file as a whole, so that it is never read half written."""
        # A power cut must not leave an empty file: all hearings would be heard again.
        replace_file(path, json.dumps({"number": self.number, "hearing": self.hearing, "done_ns": self.done_ns}))


class ProgressFile:
    """The resume point on disk, as it was found and as it is kept up to date."""

    def __init__(self, path: Path, room_log: RoomLog, channels: Mapping[str, int]) -> None:
        """`channels` are those of the seats, by the seats' ids."""
        self._path = path
        self._log = room_log
        self._channels = channels
        self.point = ResumePoint.read(path)

    def resume(self, job: HearingJob) -> tuple[int, dict[int, int]]:
        """Where the record of a hearing ends: the file says it for all, the log for every channel."""
        written: dict[int, int] = {}
        for event in self._log.of_hearing(job.hearing):  # as it was heard: the clerk may have moved or split it
            channel = self._channels.get(str(event.body["seat"])) if event.kind == "utterance" else None
            if channel is not None:
                written[channel] = max(written.get(channel, 0), int(event.body["end_ns"]))
        done_ns = job.opened_ns
        if self.point.hearing == job.hearing:
            done_ns = max(done_ns, self.point.done_ns)
        return done_ns, written

    def note(self, backlog: Backlog, job: HearingJob | None, done_ns: int) -> None:
        """Keep how far the work is; `job`: the hearing that is being cut, whose words are written up to `done_ns`."""
        if job is not None:
            now = ResumePoint(job.number - 1, job.hearing, max(done_ns - _BEFORE_NS, job.opened_ns))
        elif backlog.current is not None:
            return  # not begun: where it was left off is still to be read
        else:
            now = ResumePoint(backlog.finished)
        if now != self.point and (now.hearing or now.number):
            self.point = now
            try:
                now.write(self._path)
            except OSError as error:
                log.warning("progress_not_written", why=str(error))
