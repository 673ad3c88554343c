"""Where a page of the archive begins: behind the last row of the page before, whatever came in meanwhile.

The order is newest first: by when a hearing was opened, then by its id; lines of one hearing by their time. Hearings
that a room's wrong clock puts into the future come last. Browsers get a place as a text that says nothing which they
could not make up, since what they may see is judged in each query anew.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal_column, or_, true

from server.store import tables as t
from server.store.archive.filters import DAY_NS
from sync.errors import WutongError
from sync.runtime.units import NS_PER_MS

_MOST = 2**63 - 1
_BEHIND_TIMELY = -(2**63)
"""Before any moment that a room can say."""
_ID_CHARS = 96


@dataclass(frozen=True, slots=True)
class ArchivePlace:
    """The row behind which it goes on; `opened_utc_ns` None: before all of them."""

    soon_ns: int
    """What is opened later than this (UTC) has a wrong clock; the same one for all pages of a list."""
    opened_utc_ns: int | None = None
    hearing: str = ""
    start_ns: int | None = None
    """Of lines: the one behind which it goes on. None: behind all lines of the hearing."""
    utterance: str = ""

    @classmethod
    def first(cls, now_utc_ns: int) -> ArchivePlace:
        """Before all; clocks may differ by some hours."""
        return cls(now_utc_ns + DAY_NS)

    @classmethod
    def read(cls, text: str) -> ArchivePlace:
        """What `said` made; `WutongError` "invalid" for anything else."""
        try:
            said: Any = json.loads(base64.urlsafe_b64decode(text.encode("ascii") + b"=="))
            place = cls(*said)
            numbers = [place.soon_ns, place.opened_utc_ns, *said[3:4]]
            names = [place.hearing, place.utterance]
            if (
                type(said) is not list
                or len(said) not in (3, 5)
                or not all(type(one) is int and _BEHIND_TIMELY <= one <= _MOST for one in numbers)
                or not all(type(one) is str and len(one.encode()) <= 4 * _ID_CHARS for one in names)
                or not all(one.isprintable() for one in names)
            ):
                raise ValueError
        except (ValueError, TypeError, binascii.Error, RecursionError) as error:
            raise WutongError("这一页的位置无法识别 (this is no place in the archive)", code="invalid") from error
        return place

    def said(self) -> str:
        """As browsers get it."""
        parts: list[Any] = [self.soon_ns, self.opened_utc_ns, self.hearing]
        if self.start_ns is not None:
            parts += [self.start_ns, self.utterance]
        text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @property
    def opened_ms(self) -> float | None:
        """When the hearing was opened, in ms of UTC; None behind no hearing, and behind all that are timely."""
        return None if self.opened_utc_ns in (None, _BEHIND_TIMELY) else self.opened_utc_ns / NS_PER_MS

    def behind(self, opened_utc_ns: int, hearing: str) -> ArchivePlace:
        """The place behind all of a hearing, in the same list."""
        return ArchivePlace(self.soon_ns, opened_utc_ns, hearing)

    def behind_line(self, opened_utc_ns: int, hearing: str, start_ns: int, utterance: str) -> ArchivePlace:
        """The place behind a line of a hearing, in the same list."""
        return ArchivePlace(self.soon_ns, opened_utc_ns, hearing, start_ns, utterance)

    def behind_timely(self) -> ArchivePlace:
        """The place behind all but those with a wrong clock."""
        return ArchivePlace(self.soon_ns, _BEHIND_TIMELY)

    def stretches(self) -> list[ColumnElement[bool]]:
        """What is still to be looked through, one after the other: the timely hearings, then those ahead."""
        timely = t.hearings.c.opened_utc_ns <= self.soon_ns
        ahead = t.hearings.c.opened_utc_ns > self.soon_ns
        if self.opened_utc_ns is None:
            return [timely, ahead]
        if self.opened_utc_ns == _BEHIND_TIMELY:
            return [ahead]
        if self.opened_utc_ns > self.soon_ns:
            return [and_(ahead, self._later())]
        return [and_(timely, self._later()), ahead]

    def _later(self) -> ColumnElement[bool]:
        """Hearings of which anything lies behind this."""
        h = t.hearings.c
        same = h.id > self.hearing if self.start_ns is None else h.id >= self.hearing
        return and_(h.opened_utc_ns <= self.opened_utc_ns, or_(h.opened_utc_ns < self.opened_utc_ns, same))

    def sorted(self) -> list[ColumnElement[Any]]:
        """The order of a list of few, which is sorted whole (`server.store.archive.pieces.newest_first` says why)."""
        h = t.hearings.c
        ahead = case((h.opened_utc_ns > self.soon_ns, 1), else_=0)
        return [ahead, (h.opened_utc_ns + literal_column("0")).desc(), h.id]

    def lines_behind(self) -> ColumnElement[bool]:
        """Of what `stretches` says, the lines that lie behind this."""
        if self.start_ns is None:
            return true()
        h, u = t.hearings.c, t.utterances.c
        later = or_(u.start_ns > self.start_ns, and_(u.start_ns == self.start_ns, u.id > self.utterance))
        return or_(h.id != self.hearing, later)


def up_to(opened_utc_ns: int, hearing: str) -> ColumnElement[bool]:
    """Hearings that come before this one in the list, and itself."""
    h = t.hearings.c
    return and_(h.opened_utc_ns >= opened_utc_ns, or_(h.opened_utc_ns > opened_utc_ns, h.id <= hearing))
