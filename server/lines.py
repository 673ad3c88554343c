"""The lines that are searched: the words of every hearing as they are now, kept in step with its events.

`take` is called inside of the transaction that stores events; the table `utterances` then says what the fold of *all*
stored events says, in whatever order they came. The folds of the hearings that talk are kept in memory, so that one
more word costs one line; an event that comes late makes that hearing be folded anew. Struck lines and those that are
gone are in no search. Refuses nothing: a body that cannot be folded leaves the lines as they are and is logged.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection, delete, insert, select, update

from server import tables as t
from server.stored import events_of
from sync.roomlog import Event
from sync.transcript import Transcript

log = structlog.get_logger(__name__)

KINDS = ("utterance", "revision")
MAX_FOLDS = 32
"""Hearings that are being spoken or written in at once; beyond it the one that was quiet for longest is folded anew."""
_COLUMNS = ("seat", "role", "start_ns", "end_ns", "text")
_Row = tuple[str, str, int, int, str]
_UNFIT = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


@dataclass(slots=True)
class _Fold:
    transcript: Transcript = field(default_factory=Transcript)
    last: int = 0
    written: dict[str, _Row] = field(default_factory=dict)
    """What the table says."""


class Lines:
    """Used by the one writing thread of the record store."""

    def __init__(self) -> None:
        self._folds: OrderedDict[str, _Fold] = OrderedDict()

    def take(self, connection: Connection, hearing: str, events: Sequence[Event]) -> None:
        """Words that have just been inserted into `events`, in the order of their coming."""
        fresh = sorted((e for e in events if e.kind in KINDS), key=lambda e: e.number)
        if not fresh:
            return
        fold = self._folds.pop(hearing, None)  # and back when all is well: a fold that failed in between is no fold
        try:
            if fold is None or fresh[0].number <= fold.last:
                fold = _Fold(written=_written(connection, hearing))
                fresh = events_of(connection, hearing, KINDS)
            _apply(fold, fresh)
        except _UNFIT as error:
            log.error("words_not_folded", hearing=hearing, why=repr(error)[:200])
            return
        self._write(connection, hearing, fold)
        self._folds[hearing] = fold
        while len(self._folds) > MAX_FOLDS:
            self._folds.popitem(last=False)

    def forget(self) -> None:
        """A transaction did not happen: what is in memory may say more than what is stored."""
        self._folds.clear()

    def _write(self, connection: Connection, hearing: str, fold: _Fold) -> None:
        wanted: dict[str, _Row] = {
            line.id: (line.seat, line.role, line.start_ns, line.end_ns, line.text)
            for line in fold.transcript
            if not line.struck
        }
        u = t.utterances.c
        for name in fold.written.keys() - wanted.keys():
            connection.execute(delete(t.utterances).where(u.hearing == hearing, u.id == name))
        for name, row in wanted.items():
            values: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
            if name not in fold.written:
                connection.execute(insert(t.utterances).values(hearing=hearing, id=name, **values))
            elif fold.written[name] != row:
                connection.execute(update(t.utterances).where(u.hearing == hearing, u.id == name).values(**values))
        fold.written = wanted


def _apply(fold: _Fold, events: Iterable[Event]) -> None:
    for event in events:
        if event.kind == "utterance":
            fold.transcript.utterance(event)
        else:
            fold.transcript.revise(event)
        fold.last = event.number


def _written(connection: Connection, hearing: str) -> dict[str, _Row]:
    u = t.utterances.c
    query = select(u.id, u.seat, u.role, u.start_ns, u.end_ns, u.text).where(u.hearing == hearing)
    return {str(r.id): (r.seat, r.role, r.start_ns, r.end_ns, r.text) for r in connection.execute(query)}
