"""What the center writes down: events once each, objects, docket and audit; and the order in which it may promise.

`store_events` returns the receipts only after the transaction is on disk. An event that comes again is receipted
again and stored once; an event with the number of another but other content is refused, never replaced: either the
room's log was lost and began anew, or somebody speaks in its name, and a person has to look.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import structlog
from sqlalchemy import Connection, delete, func, select, update

from server.events.admission import Received
from server.store import tables as t
from server.store.audit_rows import append_rows
from server.store.database import Database, insert_once, insert_rows_once, upsert
from server.store.docket_rows import keep_docket
from server.store.event_rows import EventKey, claim_hearings, insert_events, owners_of, stored_digests
from server.store.files import FileEntry
from server.store.folded import folded_case
from server.store.rights.rights_rows import (
    HEARING_RIGHTS,
    PART_RIGHTS,
    SAID_RIGHTS,
    Change,
    closed_hearings_said,
    raise_version,
)
from server.store.rights.sealed_parts import keep_act, newest_part, said_of, take_room_acts
from server.store.rights.sitting import sitting_of
from server.store.words.transcript_index import Lines
from sync.errors import HearingError, StorageError
from sync.record.bodies.media import SegmentBody
from sync.record.bodies.session import OpenBody, is_public
from sync.record.event import Event
from sync.record.sealed_parts import SealedPart
from sync.text.characters import clean_line

log = structlog.get_logger(__name__)

TIMES_AGAIN_S = 600.0
MAX_OWNERS = 50_000
"""Hearings whose room is kept in memory; of the others the database is asked."""
MOST_CLOSED_SAID = 4
"""Hearings of a room of which is kept that it said they are not public: as many as count."""


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
    version: int = 0
    """Of rights, where the batch changes any."""


class RecordWriter:
    """The writing side of the record store."""

    def __init__(self, database: Database, *, utc_ns: Callable[[], int] = time.time_ns) -> None:
        self._db = database
        self._utc_ns = utc_ns
        self._lines = Lines()
        self._owners: OrderedDict[str, str] = OrderedDict()
        """hearing -> its room, which stays the same for good."""
        self._outdated = False
        self._unsure = False
        """Whether the last batch was not stored: then what is known of its lines may be more than what is on disk."""

    async def store_events(self, batch: Sequence[Received]) -> BatchOutcome:
        """Store a batch in one transaction; `StoreRefusedError` when nothing of it was stored, and whose fault it is
        (`server.ingest.event_batches` takes a batch apart of which the store refuses something)."""
        rooms = {received.room for received in batch}
        stored = await self._db.write(lambda connection: self._store(connection, batch), of_rooms=rooms)
        self._unsure = False
        return stored

    async def store_object(self, entry: FileEntry, size: int) -> tuple[int, bool]:
        """Note that an object is on disk and what it is; (since when, whether this was new)."""

        def work(connection: Connection) -> tuple[int, bool]:
            now = {"sha256": entry.sha256, "bytes": size, "stored_utc_ns": self._utc_ns()}
            insert_once(connection, t.objects, now)
            since = select(t.objects.c.stored_utc_ns).where(t.objects.c.sha256 == entry.sha256)
            stored = connection.execute(since).scalar_one()
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

        return await self._db.write(work, of_rooms=[entry.room])

    async def set_docket(self, room: str, body: str, role: str, person: str) -> None:
        """Keep a room's docket, and what it changes of the one before."""
        await self._db.write(lambda connection: keep_docket(connection, room, body, self._utc_ns(), role, person))

    async def set_level(
        self, hearing: str, level: str, line: Callable[[str | None], dict[str, Any]], change: Change
    ) -> int:
        """Set a hearing's classification, as queries ask for it; the version of rights that says so.

        `line(before)` makes the line of the audit log, or raises, by what is stored when nobody else can change it."""

        def work(connection: Connection) -> int:
            version = raise_version(connection, [change])
            stored = select(t.levels.c.level).where(t.levels.c.hearing == hearing)
            append_rows(connection, [line(connection.execute(stored).scalar())])
            upsert(connection, t.levels, ["hearing"], [{"hearing": hearing, "level": level}])
            return version

        return await self._db.write(work)

    async def set_part(
        self, row: dict[str, Any], hearing: str, part: SealedPart, level: str, before: SealedPart | None = None
    ) -> int:
        """Append the line of the audit log that seals or lifts a part of a hearing, and the act itself with it; the
        version of rights that says so. `HearingError` "conflict" when the part is not as it was `before` any more."""

        def work(connection: Connection) -> int:
            version = raise_version(connection, [(PART_RIGHTS, hearing)])
            if before is not None and newest_part(connection, hearing, part.id) != before:
                raise HearingError(
                    "这一封存区段刚被他人改动，请刷新后重试 (somebody else has just changed this part; look again)",
                    code="conflict",
                )
            append_rows(connection, [row])
            keep_act(connection, hearing, part, level)
            return version

        return await self._db.write(work)

    async def note_closed(self, said: Sequence[tuple[str, str]]) -> None:
        """Let other processes know what rooms say live: (room, hearing) that is not tried in public, the last of a room
        last; all of it in one transaction."""
        c, now_ns = closed_hearings_said.c, self._utc_ns()
        by_room: dict[str, list[str]] = {}
        for room, hearing in said:
            by_room.setdefault(room, []).append(hearing)

        def work(connection: Connection) -> None:
            changes: list[Change] = []
            # Two processes that say the same of several rooms take them in one order, or each would wait for the other.
            for room, hearings in sorted(by_room.items()):
                # What is said last is the newest, also where the process that spoke before had a clock that is ahead.
                last_ns = connection.execute(select(func.max(c.said_utc_ns)).where(c.room == room)).scalar()
                at_ns = now_ns if last_ns is None else max(now_ns, int(last_ns) + 1)
                for n, hearing in enumerate(hearings):
                    row = {"room": room, "hearing": hearing, "said_utc_ns": at_ns + n}
                    if insert_once(connection, closed_hearings_said, row):
                        changes.append((SAID_RIGHTS, f"{room} {hearing}"))
                newest = select(c.hearing).where(c.room == room).order_by(c.said_utc_ns.desc()).limit(MOST_CLOSED_SAID)
                connection.execute(delete(closed_hearings_said).where(c.room == room, c.hearing.not_in(newest)))
            if changes:
                raise_version(connection, changes)

        await self._db.write(work)

    async def write_times(self) -> None:
        """Say of all lines that are searched when they were said, one hearing a transaction; nothing where they do."""
        while await self._db.write(self._lines.write_times):
            pass

    async def catch_up_times(self) -> None:
        """`write_times`, tried until it is done: once, of what older versions have stored."""
        while True:
            try:
                return await self.write_times()
            except StorageError as error:
                log.error("times_not_written", why=error.message, next="tried again; until then less is found")
                await asyncio.sleep(TIMES_AGAIN_S)

    async def audit(self, rows: Sequence[dict[str, Any]], *, of_rooms: Collection[str] = ()) -> None:
        """Append to the audit log; `of_rooms`: as the owner of these rooms."""
        await self._db.write(lambda connection: append_rows(connection, rows), of_rooms=of_rooms)

    def forget(self) -> None:
        """Another process may have written of rooms that are this one's from now on: what is known of them is old."""
        self._outdated = True

    def _store(self, connection: Connection, batch: Sequence[Received]) -> BatchOutcome:
        if self._unsure or self._outdated:
            self._outdated = False
            self._lines.forget()
            self._owners.clear()
        self._unsure = True
        outcome = BatchOutcome()
        known = stored_digests(connection, {_key(received) for received in batch})
        self._find_owners(connection, [r for r in batch if _key(r) not in known])
        fresh: dict[EventKey, Received] = {}
        for received in batch:
            key = _key(received)
            if key not in known and key not in fresh:
                if not self._owns(received):
                    outcome.foreign.append(received)
                    continue
                fresh[key] = received
        taken = insert_events(connection, [self._row(received) for received in fresh.values()])
        known |= stored_digests(connection, fresh.keys() - taken)  # another process was faster
        known |= {key: fresh[key].digest for key in taken}
        foreign = set(map(id, outcome.foreign))
        for received in batch:
            if id(received) in foreign:
                continue
            if known[_key(received)] != received.digest:
                outcome.conflicts.append(received)
                continue
            outcome.receipts.setdefault(received.room, {})[received.event.number] = received.digest
        outcome.fresh = [received for key, received in fresh.items() if key in taken]
        self._note(connection, outcome.fresh)
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
        changes = [(PART_RIGHTS, hearing) for hearing in outcome.sealed] + _closed_by(outcome.fresh)
        if changes:
            outcome.version = raise_version(connection, changes)
        for hearing, parts in outcome.sealed.items():
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

    def _find_owners(self, connection: Connection, batch: Sequence[Received]) -> None:
        """Note whose the hearings of these events are: no room may speak in another's hearing. Who comes first has it.
        Any event of a hearing tells, not only `open`: events may come in any order."""
        hearings = {r.event.hearing: r.room for r in reversed(batch) if r.event.hearing is not None}
        unknown = hearings.keys() - self._owners.keys()
        found = owners_of(connection, unknown)
        found |= claim_hearings(connection, unknown - found.keys())
        self._owners |= {hearing: found.get(hearing, hearings[hearing]) for hearing in sorted(unknown)}
        for hearing in hearings:
            self._owners.move_to_end(hearing)
        while len(self._owners) > max(MAX_OWNERS, len(hearings)):
            self._owners.popitem(last=False)

    def _owns(self, received: Received) -> bool:
        hearing = received.event.hearing
        return hearing is None or self._owners[hearing] == received.room

    def _row(self, received: Received) -> dict[str, Any]:
        event = received.event
        return {
            "room": received.room,
            "number": event.number,
            "hearing": event.hearing,
            "kind": event.kind,
            "room_ns": event.room_ns,
            "utc_ns": event.utc_ns,
            "body": received.body_text,
            "sha256": received.digest,
            "stored_utc_ns": self._utc_ns(),
        }

    def _note(self, connection: Connection, fresh: Collection[Received]) -> None:
        """What is asked for often is taken from events that were just stored."""
        insert_rows_once(connection, t.segments, [_segment(r.event) for r in fresh if _is(r, "segment")])
        for received in fresh:
            if _is(received, "open"):
                self._open(connection, received.room, received.event)
            elif _is(received, *_STATES):
                self._state(connection, received.event)

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
        sitting = [{"hearing": event.hearing, "name": name} for name in sitting_of(case)]
        insert_rows_once(connection, t.sittings, sitting)
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


def _closed_by(fresh: Sequence[Received]) -> list[Change]:
    """Hearings that are opened and are not public."""
    opened = [received.event for received in fresh if _is(received, "open")]
    return [(HEARING_RIGHTS, str(one.hearing)) for one in opened if not is_public(one.body.get("case"))]


def _segment(event: Event) -> dict[str, Any]:
    """Its row."""
    body = cast(SegmentBody, event.body)
    return {
        "hearing": event.hearing,
        "track": body["track"],
        "place": body["index"],
        "sha256": body["sha256"],
        "bytes": body["bytes"],
        "from_ns": body["from_ns"],
        "to_ns": body["to_ns"],
        "mime": body.get("mime", ""),
    }


def _key(received: Received) -> EventKey:
    return received.room, received.event.number


def _is(received: Received, *kinds: str) -> bool:
    return received.event.hearing is not None and received.event.kind in kinds


_STATES = {"pause": "paused", "resume": "open", "close": "closed"}
