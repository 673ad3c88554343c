"""What somebody has been played, for the audit log: a line when a stretch begins, and one with its length when it ends.

Judged by the bytes that the center gave, not by what a page says of itself. A stretch goes on while the pieces of it
are asked for one after the other; a jump, or half a minute without a piece, ends it. The first line is on disk before
the first byte leaves; when it cannot be written nothing is played. So it is for everybody: parties, inspectors, the
archivist, and for whoever listens to a single seat.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from server.store.writer import RecordWriter
from sync.errors import StorageError
from sync.http.people import Session

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


@dataclass(slots=True)
class _ViewedStretch:
    viewer: PlayedTo
    address: str
    opened_ns: int
    from_ns: int
    to_ns: int
    tracks: set[str]
    seen_s: float


class ViewingLog:
    """All methods belong to one event loop."""

    def __init__(self, record: RecordWriter, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._record = record
        self._monotonic_s = monotonic_s
        self._open: dict[tuple[str, str, str], _ViewedStretch] = {}

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
            return
        begun = _ViewedStretch(viewer, address, opened_ns, from_ns, to_ns, {track}, now)
        self._open[viewer.key] = begun  # before it is on disk: the other tracks of the same moment belong to it
        rows = [] if known is None else [_row("played", known)]
        if len(self._open) > MAX_OPEN:
            rows.append(_row("played", self._open.pop(next(iter(self._open)))))
        try:
            await self._record.audit([*rows, _row("play", begun)])
        except StorageError:
            self._open.pop(viewer.key, None)
            raise

    async def poll(self, *, all_of_them: bool = False) -> None:
        """Write down what has ended; call every few seconds, and with `all_of_them` before the end."""
        now = self._monotonic_s()
        over = {name: s for name, s in self._open.items() if all_of_them or now - s.seen_s > IDLE_S}
        if not over:
            return
        try:
            await self._record.audit([_row("played", stretch) for stretch in over.values()])
        except StorageError as error:  # tried again at the next look; that it began is written down
            log.error("played_not_audited", count=len(over), why=error.message)
            return
        for name, stretch in over.items():
            if self._open.get(name) is stretch:
                del self._open[name]


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
    return {**row, "role": viewer.session.role, "detail": detail}


def _since(at_ns: int, stretch: _ViewedStretch) -> float:
    return round((at_ns - stretch.opened_ns) / 1e9, 1)
