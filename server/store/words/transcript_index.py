"""The lines that are searched: the words of every hearing as they are now, kept in step with its events.

`take` is called inside of the transaction that stores events; the table `utterances` then says what the fold of *all*
stored events says, in whatever order they came. The folds of the hearings that talk are kept in memory, so that one
more word costs one line in however many rooms are spoken, up to `MAX_LINES` in all; an event that comes late makes that
hearing be folded anew. Struck lines and those that are gone are in no search. Refuses nothing: a body that cannot be
folded leaves the lines as they are and is logged.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

import structlog
from sqlalchemy import Connection, delete, select, update

from server.store import tables as t
from server.store.database import upsert
from server.store.events import events_of
from sync.record.event import Event
from sync.record.sealed_parts import EVER
from sync.record.transcript import Transcript, Utterance, lines_named
from sync.text.characters import clean_line, clean_words
from sync.text.equal import fold

log = structlog.get_logger(__name__)

KINDS = ("utterance", "revision")
MAX_LINES = 200_000
"""Kept in memory at once, about a kilobyte each: a thousand hearings of two hundred lines. Beyond it the hearing that
was quiet for longest is folded anew when it speaks again."""
_AT_ONCE = 500
"""Names in one statement: databases bound how many values it may hold."""
_COLUMNS = ("seat", "role", "start_ns", "end_ns", "said_from_ns", "said_to_ns", "text", "folded")
_Row = tuple[str, str, int, int, int | None, int | None, str, str]
_EARLIEST, _LATEST = -(2**63), 2**63 - 1
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
        self._lines = 0
        """Of all folds together."""

    def take(
        self, connection: Connection, hearing: str, events: Sequence[Event]
    ) -> dict[int, tuple[tuple[int, int], ...]]:
        """Words that have just been inserted into `events`, in the order of their coming; of each change of lines
        (its number) the times of these lines before and after it."""
        fresh = sorted((e for e in events if e.kind in KINDS), key=lambda e: e.number)
        if not fresh:
            return {}
        fold = self._folds.pop(hearing, None)  # and back when all is well: a fold that failed in between is no fold
        self._lines -= 0 if fold is None else len(fold.transcript.lines)
        try:
            if fold is None or fresh[0].number <= fold.last:
                fold = _Fold(written=_written(connection, hearing))
                _apply(fold, events_of(connection, hearing, KINDS))
                touched = fold.written.keys() | {line.id for line in fold.transcript.lines}
            else:
                _apply(fold, fresh)
                touched = {name for event in fresh for name in lines_named(event)}
        except _UNFIT as error:
            log.error("words_not_folded", hearing=hearing, why=repr(error)[:200])
            return {event.number: EVER for event in fresh if event.kind == "revision"}
        _write(connection, hearing, fold, touched)
        self._folds[hearing] = fold
        self._lines += len(fold.transcript.lines)
        while self._lines > MAX_LINES and len(self._folds) > 1:
            _, quiet = self._folds.popitem(last=False)
            self._lines -= len(quiet.transcript.lines)
        return {event.number: _times(fold, event) for event in fresh if event.kind == "revision"}

    def write_times(self, connection: Connection) -> bool:
        """Write when it was said of one hearing whose lines do not say so yet; whether there was one. Until then
        nothing of it is found by who may not see a part of the hearing."""
        u = t.utterances.c
        hearing = connection.execute(select(u.hearing).where(u.said_from_ns.is_(None)).limit(1)).scalar()
        if hearing is None:
            return False
        fold = _Fold(written=_written(connection, hearing))
        try:
            _apply(fold, events_of(connection, hearing, KINDS))
        except _UNFIT as error:
            log.error("words_not_folded", hearing=hearing, why=repr(error)[:200])
            unknown = (u.hearing == hearing) & u.said_from_ns.is_(None)
            connection.execute(update(t.utterances).where(unknown).values(said_from_ns=_EARLIEST, said_to_ns=_LATEST))
            return True
        _write(connection, hearing, fold, fold.written.keys() | {line.id for line in fold.transcript.lines})
        return True

    def forget(self) -> None:
        """A transaction did not happen: what is in memory may say more than what is stored."""
        self._folds.clear()
        self._lines = 0


def _write(connection: Connection, hearing: str, fold: _Fold, touched: Iterable[str]) -> None:
    """Bring the table's rows of these lines to what the fold says."""
    u = t.utterances.c
    gone, now = [], []
    for name in sorted(touched):
        row, was = _row(fold.transcript.get(name)), fold.written.get(name)
        if row == was:
            continue
        if row is None:
            gone.append(name)
            del fold.written[name]
            continue
        now.append({"hearing": hearing, "id": name, **dict(zip(_COLUMNS, row, strict=True))})
        fold.written[name] = row
    for start in range(0, len(gone), _AT_ONCE):
        connection.execute(delete(t.utterances).where(u.hearing == hearing, u.id.in_(gone[start : start + _AT_ONCE])))
    upsert(connection, t.utterances, ["hearing", "id"], now)


def _row(line: Utterance | None) -> _Row | None:
    """As the table has it; None for what is in no search."""
    if line is None or line.gone or line.struck:
        return None
    times = line.times()
    said = (min(start for start, _ in times), max(end for _, end in times))
    return line.seat, clean_line(line.role), line.start_ns, line.end_ns, *said, clean_words(line.text), fold(line.text)


def _times(fold: _Fold, event: Event) -> tuple[tuple[int, int], ...]:
    """When the lines were said that a change is about; ever, where nobody knows."""
    lines = [fold.transcript.get(name) for name in lines_named(event)]
    known = [time for line in lines if line is not None for time in line.times()]
    return tuple(known) if known and all(line is not None for line in lines) else EVER


def _apply(fold: _Fold, events: Iterable[Event]) -> None:
    for event in events:
        if event.kind == "utterance":
            fold.transcript.utterance(event)
        else:
            fold.transcript.revise(event)
        fold.last = event.number


def _written(connection: Connection, hearing: str) -> dict[str, _Row]:
    u = t.utterances.c
    query = select(u.id, *(u[name] for name in _COLUMNS)).where(u.hearing == hearing)
    return {str(row[0]): cast(_Row, tuple(row[1:])) for row in connection.execute(query)}
