"""What the center writes down: events once each, objects, docket and audit; and the order in which it may promise.

`store_events` returns the receipts only after the transaction is on disk. An event that comes again is receipted
again and stored once; an event with the number of another but other content is refused, never replaced: either the
room's log was lost and began anew, or somebody speaks in its name, and a person has to look.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from sqlalchemy import Connection, insert, select, update

from server.events.admission import Received
from server.store import tables as t
from server.store.audit_rows import append_rows
from server.store.database import Database, insert_once
from server.store.files import FileEntry
from server.store.folded import folded_case
from server.store.sealed_parts import keep_act, said_of, take_room_acts
from server.store.transcript_index import Lines
from sync.record.bodies.media import SegmentBody
from sync.record.bodies.session import OpenBody, is_public
from sync.record.event import Event
from sync.record.sealed_parts import SealedPart
from sync.text.characters import clean_line


@dataclass
class BatchOutcome:
    """The outcome of one batch."""

    receipts: dict[str, dict[int, str]] = field(default_factory=dict)
    """room -> number of each event that is on disk now -> its digest."""
    fresh: list[Received] = field(default_factory=list)
    """Those that were not there before, in the order of their coming."""
    conflicts: list[Received] = field(default_factory=list)
    """Refused: the number is taken by another event."""
    foreign: list[Received] = field(default_factory=list)
    """Refused: the hearing belongs to another room."""
    about: dict[tuple[str, int], tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """(hearing, number) of a change of lines -> the times of those lines."""
    sealed: dict[str, list[SealedPart]] = field(default_factory=dict)
    """hearing -> parts that its room has sealed, or ended, with this batch."""


class RecordWriter:
    """The writing side of the record store."""

    def __init__(self, database: Database, *, utc_ns: Callable[[], int] = time.time_ns) -> None:
        self._db = database
        self._utc_ns = utc_ns
        self._lines = Lines()
        self._unsure = False
        """Whether the last batch was not stored: then what is known of its lines may be more than what is on disk."""

    async def store_events(self, batch: Sequence[Received]) -> BatchOutcome:
        """Store a batch in one transaction; `StorageError` when nothing of it was stored."""
        stored = await self._db.write(lambda connection: self._store(connection, batch))
        self._unsure = False
        return stored

    async def store_object(self, entry: FileEntry, size: int) -> tuple[int, bool]:
        """Note that an object is on disk and what it is; (since when, whether this was new)."""

        def work(connection: Connection) -> tuple[int, bool]:
            known = connection.execute(select(t.objects.c.stored_utc_ns).where(t.objects.c.sha256 == entry.sha256))
            stored = known.scalar()
            if stored is None:
                stored = self._utc_ns()
                connection.execute(insert(t.objects).values(sha256=entry.sha256, bytes=size, stored_utc_ns=stored))
            added = insert_once(
                connection,
                t.files,
                {
                    "hearing": entry.hearing,
                    "kind": entry.kind,
                    "track": entry.track,
                    "place": entry.segment_index,
                    "sha256": entry.sha256,
                    "room": entry.room,
                    "fault": entry.fault,
                },
            )
            return int(stored), added

        return await self._db.write(work)

    async def set_docket(self, room: str, body: str) -> None:
        """Keep a room's docket."""

        def work(connection: Connection) -> None:
            values = {"body": body, "set_utc_ns": self._utc_ns()}
            if not insert_once(connection, t.dockets, {"room": room, **values}):
                connection.execute(update(t.dockets).where(t.dockets.c.room == room).values(**values))

        await self._db.write(work)

    async def set_level(self, row: dict[str, Any], hearing: str, level: str) -> None:
        """Append the line of the audit log that sets a hearing's classification, and what queries ask for with it."""

        def work(connection: Connection) -> None:
            append_rows(connection, [row])
            if not insert_once(connection, t.levels, {"hearing": hearing, "level": level}):
                connection.execute(update(t.levels).where(t.levels.c.hearing == hearing).values(level=level))

        await self._db.write(work)

    async def set_part(self, row: dict[str, Any], hearing: str, part: SealedPart, level: str) -> None:
        """Append the line of the audit log that seals or lifts a part of a hearing, and the act itself with it."""

        def work(connection: Connection) -> None:
            append_rows(connection, [row])
            keep_act(connection, hearing, part, level)

        await self._db.write(work)

    async def write_times(self) -> None:
        """Say of all lines that are searched when they were said, one hearing a transaction; nothing where they do."""
        while await self._db.write(self._lines.write_times):
            pass

    async def audit(self, rows: Sequence[dict[str, Any]]) -> None:
        """Append to the audit log."""
        await self._db.write(lambda connection: append_rows(connection, rows))

    def _store(self, connection: Connection, batch: Sequence[Received]) -> BatchOutcome:
        if self._unsure:
            self._lines.forget()
        self._unsure = True
        outcome = BatchOutcome()
        known = self._known(connection, batch)
        owners: dict[str, str] = {}
        for received in batch:
            key = (received.room, received.event.number)
            digest = known.get(key)
            if digest is None:
                if not self._owns(connection, owners, received):
                    outcome.foreign.append(received)
                    continue
                self._insert(connection, received)
                known[key] = received.digest
                outcome.fresh.append(received)
            elif digest != received.digest:
                outcome.conflicts.append(received)
                continue
            outcome.receipts.setdefault(received.room, {})[received.event.number] = received.digest
        hearings: dict[str, list[Event]] = {}
        for received in outcome.fresh:
            if received.event.hearing is not None:
                hearings.setdefault(received.event.hearing, []).append(received.event)
        for hearing, events in hearings.items():
            about = self._lines.take(connection, hearing, events)
            outcome.about.update({(hearing, number): spans for number, spans in about.items()})
            parts = take_room_acts(connection, hearing, events)
            if parts:
                outcome.sealed[hearing] = parts
                append_rows(connection, [self._said(hearing, part) for part in parts])
        outcome.fresh = [
            replace(r, about=outcome.about.get((r.event.hearing or "", r.event.number))) for r in outcome.fresh
        ]
        return outcome

    def _said(self, hearing: str, part: SealedPart) -> dict[str, Any]:
        """What a room has sealed is on the audit log, too, before it counts."""
        detail = said_of(hearing, part, part.level)
        return {
            "utc_ns": self._utc_ns(),
            "what": "sealed-part",
            "role": "room",
            "address": "",
            "detail": json.dumps(detail, ensure_ascii=False),
            "granted": True,
        }

    @staticmethod
    def _known(connection: Connection, batch: Sequence[Received]) -> dict[tuple[str, int], str]:
        known: dict[tuple[str, int], str] = {}
        numbers: dict[str, list[int]] = {}
        for received in batch:
            numbers.setdefault(received.room, []).append(received.event.number)
        for room, wanted in numbers.items():
            rows = connection.execute(
                select(t.events.c.number, t.events.c.sha256).where(
                    t.events.c.room == room, t.events.c.number.in_(wanted)
                )
            )
            known.update({(room, number): digest for number, digest in rows})
        return known

    @staticmethod
    def _owns(connection: Connection, owners: dict[str, str], received: Received) -> bool:
        """Whether the event's hearing is of its room: no room may speak in another's hearing."""
        hearing = received.event.hearing
        if hearing is None:
            return True
        if hearing not in owners:
            # Any event of the hearing tells, not only `open`: events may come in any order.
            row = connection.execute(select(t.events.c.room).where(t.events.c.hearing == hearing).limit(1)).scalar()
            owners[hearing] = received.room if row is None else str(row)
        return owners[hearing] == received.room

    def _insert(self, connection: Connection, received: Received) -> None:
        event = received.event
        connection.execute(
            insert(t.events).values(
                room=received.room,
                number=event.number,
                hearing=event.hearing,
                kind=event.kind,
                room_ns=event.room_ns,
                utc_ns=event.utc_ns,
                body=received.body_text,
                sha256=received.digest,
                stored_utc_ns=self._utc_ns(),
            )
        )
        if event.hearing is None:
            return
        if event.kind == "open":
            self._open(connection, received.room, event)
        elif event.kind in _STATES:
            self._state(connection, event)
        elif event.kind == "segment":
            self._segment(connection, event)

    def _open(self, connection: Connection, room: str, event: Event) -> None:
        body = cast(OpenBody, event.body)
        case: Mapping[str, Any] = body.get("case", {})
        insert_once(
            connection,
            t.hearings,
            {
                "id": event.hearing,
                "room": room,
                "court_name": body.get("court_name", ""),
                "room_name": body.get("room_name", ""),
                "case_no": clean_line(str(case.get("case_no", ""))),
                "case_json": json.dumps(case, ensure_ascii=False),
                "folded": folded_case(case),
                "public": is_public(case),
                "tracks_json": json.dumps(body.get("tracks", []), ensure_ascii=False),
                "state": "open",
                "state_number": event.number,
                "opened_ns": event.room_ns,
                "opened_utc_ns": event.utc_ns,
            },
        )
        # A pause or the close may have overtaken the opening.
        later = connection.execute(
            select(t.events).where(t.events.c.hearing == event.hearing, t.events.c.kind.in_(_STATES))
        )
        for row in later.all():
            self._state(connection, Event(row.number, row.hearing, row.kind, row.room_ns, row.utc_ns, {}))

    @staticmethod
    def _state(connection: Connection, event: Event) -> None:
        if event.kind == "close":
            connection.execute(
                update(t.hearings)
                .where(t.hearings.c.id == event.hearing)
                .values(closed_ns=event.room_ns, closed_utc_ns=event.utc_ns)
            )
        connection.execute(
            update(t.hearings)
            .where(t.hearings.c.id == event.hearing, t.hearings.c.state_number < event.number)
            .values(state=_STATES[event.kind], state_number=event.number)
        )

    @staticmethod
    def _segment(connection: Connection, event: Event) -> None:
        body = cast(SegmentBody, event.body)
        insert_once(
            connection,
            t.segments,
            {
                "hearing": event.hearing,
                "track": body["track"],
                "place": body["index"],
                "sha256": body["sha256"],
                "bytes": body["bytes"],
                "from_ns": body["from_ns"],
                "to_ns": body["to_ns"],
                "mime": body.get("mime", ""),
            },
        )


_STATES = {"pause": "paused", "resume": "open", "close": "closed"}
