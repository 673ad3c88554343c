"""What somebody has been played, for the audit log: a line when a stretch begins, and one with its length when it ends.

Judged by the bytes that the center gave, not by what a page says of itself. A stretch goes on while the pieces of it
are asked for one after the other; a jump, or half a minute without a piece, ends it. The first line is on disk before
any byte of the stretch leaves, also when several pieces are asked for at once; when it cannot be written nothing is
played, and what was to be written of another stretch with it is written later. So it is for everybody: parties,
inspectors, the archivist, and for whoever listens to a single seat.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from server.store.writer import RecordWriter
from sync.errors import StorageError
from sync.http.rights.people import Session

log = structlog.get_logger(__name__)

IDLE_S = 30.0
JOIN_NS = 5_000_000_000
"""A piece that begins this close to the last one goes on with it: a player asks ahead, and again after a moment."""


MAX_OPEN = 5000


@dataclass(frozen=True, slots=True)
class PlayedTo:
    """Who is played what: a session and a hearing; `seat` when one is heard alone, `more` what else the line says."""

    session: Session
    hearing: str
    seat: str = ""
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells one stretch from another: the three tabs of a session are one viewer."""
        return self.session.grant or self.session.id, self.hearing, self.seat


@dataclass(slots=True, eq=False)
class _ViewedStretch:
    viewer: PlayedTo
    address: str
    opened_ns: int
    from_ns: int
    to_ns: int
    tracks: set[str]
    seen_s: float
    beginning: asyncio.Future[None] | None = None
    """The writing of its first line."""
    begun: bool = False
    """Whether that is on disk."""


class ViewingLog:
    """All methods belong to one event loop."""

    def __init__(self, record: RecordWriter, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._record = record
        self._monotonic_s = monotonic_s
        self._open: dict[tuple[str, str, str], _ViewedStretch] = {}
        self._over: deque[_ViewedStretch] = deque()
        """Stretches that have ended, and of which that is not written yet."""
        self._writing = asyncio.Lock()

    async def played(
        self, viewer: PlayedTo, address: str, track: str, opened_ns: int, from_ns: int, to_ns: int
    ) -> None:
        """A piece is about to be given; room times. `StorageError`: it must not be."""
        now = self._monotonic_s()
        known = self._open.get(viewer.key)
        if known is not None and known.from_ns - JOIN_NS <= from_ns <= known.to_ns + JOIN_NS:
            known.to_ns = max(known.to_ns, to_ns)
            known.tracks.add(track)
            known.seen_s = now
            stretch = known
        else:
            stretch = _ViewedStretch(viewer, address, opened_ns, from_ns, to_ns, {track}, now)
            if known is not None:
                self._end(known)
            self._open[viewer.key] = stretch  # now, for the other tracks of the same moment belong to it
            if len(self._open) > MAX_OPEN:
                self._end(next(iter(self._open.values())))
            stretch.beginning = asyncio.ensure_future(self._begin(stretch))
        assert stretch.beginning is not None
        # Who leaves before it is written takes it from nobody who waits for the same line.
        await asyncio.shield(stretch.beginning)

    async def poll(self, *, all_of_them: bool = False) -> None:
        """Write down what has ended; call every few seconds, and with `all_of_them` before the end."""
        now = self._monotonic_s()
        for stretch in list(self._open.values()):
            if all_of_them or now - stretch.seen_s > IDLE_S:
                self._end(stretch)
        try:
            await asyncio.shield(asyncio.ensure_future(self._write(None)))
        except StorageError as error:  # tried again at the next look; that it began is written down
            log.error("played_not_audited", count=len(self._over), why=error.message)

    def _end(self, stretch: _ViewedStretch) -> None:
        del self._open[stretch.viewer.key]
        self._over.append(stretch)

    async def _begin(self, stretch: _ViewedStretch) -> None:
        try:
            await self._write(stretch)
        except BaseException:
            if self._open.get(stretch.viewer.key) is stretch:
                del self._open[stretch.viewer.key]
            elif stretch in self._over:
                self._over.remove(stretch)  # nothing of it was played
            raise

    async def _write(self, beginning: _ViewedStretch | None) -> None:
        """Write what has ended, and then that `beginning` begins; what could not be written waits for the next time."""
        async with self._writing:
            over = [stretch for stretch in self._over if stretch.begun]
            rows = [_row("played", stretch) for stretch in over]
            rows += [] if beginning is None else [_row("play", beginning)]
            if not rows:
                return
            await self._record.audit(rows)
            if beginning is not None:
                beginning.begun = True
            for stretch in over:
                self._over.remove(stretch)


def _row(what: str, stretch: _ViewedStretch) -> dict[str, Any]:
    viewer = stretch.viewer
    said: dict[str, Any] = {
        "hearing": viewer.hearing,
        **viewer.more,
        "from_s": _since(stretch.from_ns, stretch),
        "session": viewer.session.id,
    }
    if viewer.seat:
        said["seat"] = viewer.seat
    if what == "played":
        said |= {"to_s": _since(stretch.to_ns, stretch), "tracks": sorted(stretch.tracks)}
    detail = json.dumps(said, ensure_ascii=False)
    row = {"utc_ns": time.time_ns(), "what": what, "address": stretch.address[:64], "granted": True}
    return {**row, "role": viewer.session.role, "detail": detail, "person": viewer.session.person}


def _since(at_ns: int, stretch: _ViewedStretch) -> float:
    return round((at_ns - stretch.opened_ns) / 1e9, 1)
