"""A planned hearing that nobody records is an exception (法释〔2017〕5号, art. 1): the alarm `not-recorded`.

The docket says when a hearing begins. If the room has not opened it so many minutes later (its opening has not come,
because it was not opened or because the room is cut off) the center raises the alarm of that room and writes one line
into the audit log; another line when the hearing was opened after all. A docket that comes later hides nothing: what
was due when it was taken off or moved is still missing, and so is what a docket of another day has displaced. Refuses:
to forget it at a restart.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from pydantic import ValidationError

from server.rooms import Rooms
from server.store.archive.filters import HearingFilter
from server.store.docket_rows import ChangeKind, DocketChange
from server.store.reader import RecordReader
from server.store.rights.sight import Sight
from server.store.writer import RecordWriter
from sync.errors import StorageError
from sync.record.docket import Docket, DocketEntry

log = structlog.get_logger(__name__)

CODE = "not-recorded"
OVER = "recorded-late"
LOOK_BACK_S = 24 * 3600.0
_WORDS: dict[ChangeKind, str] = {"withdrawn": "（开庭时间后撤下）", "changed": "（开庭时间后改期）", "other-day": ""}
"""What the alarm says of an entry that is not on the docket any more as it was planned."""


class Unrecorded:
    """All methods belong to one event loop."""

    def __init__(
        self,
        archive: RecordReader,
        record: RecordWriter,
        rooms: Rooms,
        after_minutes: float,
        *,
        owns: Callable[[str], bool] = lambda room: True,
        utc_s: Callable[[], float] = time.time,
    ) -> None:
        """`owns(room)`: whether this process looks after the room, and not another of the center."""
        self._owns = owns
        self._archive = archive
        self._record = record
        self._rooms = rooms
        self._after_s = after_minutes * 60
        self._utc_s = utc_s
        self._said: set[str] | None = None

    async def poll(self) -> None:
        """Compare the dockets with what was opened; call now and then."""
        try:
            if self._said is None:
                self._said = await self._told()
            since_ns = int((self._utc_s() - 2 * LOOK_BACK_S) * 1e9)
            changes = await self._archive.docket_changes(since_ns)
            for room, text in (await self._archive.dockets()).items():
                if room in self._rooms and self._owns(room):
                    await self._look(room, text, changes.get(room, []), self._said)
        except StorageError as error:
            log.error("dockets_not_compared", why=str(error))

    def forget(self) -> None:
        """Another process may have said what this one has not heard of: it is read again."""
        self._said = None

    async def _look(self, room: str, text: str, changes: Sequence[DocketChange], said: set[str]) -> None:
        """One room; what cannot be read of it hides no other's."""
        docket = None
        try:
            docket = Docket.model_validate_json(text)
        except ValidationError as error:
            log.error("docket_not_compared", room=room, why=str(error))
        due = {} if docket is None else {(docket.date, one.id): (one, "") for one in docket.hearings}
        due = {key: value for key, value in due.items() if self._due(key[0], value[0])}
        for one in changes:
            if docket is not None and docket.date == one.date:
                at = {entry.id: entry.time for entry in docket.hearings}.get(one.before.id)
                if one.change == "other-day" or at == one.before.time:
                    continue  # it is there at its time, or a change of it is written down behind this one
            if self._due(one.date, one.before) and (one.change == "other-day" or self._was_due(one)):
                due[one.date, one.before.id] = (one.before, _WORDS[one.change])
        await self._compare(room, due, said)

    async def _told(self) -> set[str]:
        raised = {str(row["detail"]) for row in await self._archive.audited(CODE)}
        return raised - {str(row["detail"]) for row in await self._archive.audited(OVER)}

    async def _compare(self, room: str, due: dict[tuple[str, str], tuple[DocketEntry, str]], said: set[str]) -> None:
        opened = {date: await self._opened(room, date) for date in {date for date, _ in due}}
        missing = []
        for (date, entry_id), (entry, words) in due.items():
            detail = json.dumps({"room": room, "date": date, "id": entry_id, "case_no": entry.case_no})
            if entry_id not in opened[date]:
                # The wall is every inspector's; a trial that is not public is named there by its time alone.
                missing.append(f"{entry.time} {entry.case_no if entry.public else '不公开审理'}{words}")
                if detail not in said:
                    said.add(detail)
                    await self._write(room, CODE, detail)
            elif detail in said:
                said.discard(detail)
                await self._write(room, OVER, detail)
        if missing:
            why = "" if self._rooms.states[room].online else "，法庭离线"
            listed = "、".join(missing)
            said_of_it = f"排期庭审没有录音录像：{listed}{why} (a scheduled hearing is not being recorded)"
            self._rooms.alarm(room, CODE, said_of_it)
        else:
            self._rooms.clear(room, CODE)

    def _was_due(self, change: DocketChange) -> bool:
        """Whether the hearing should have begun already when it was taken off or moved."""
        planned = _planned_s(change.date, change.before)
        return planned is not None and change.utc_ns / 1e9 >= planned

    def _due(self, date: str, entry: DocketEntry) -> bool:
        planned = _planned_s(date, entry)
        return planned is not None and self._after_s <= self._utc_s() - planned <= LOOK_BACK_S

    async def _opened(self, room: str, date: str) -> set[str]:
        """The docket's names of what the room opened on that day or, for one that began after midnight, the next."""
        next_day = (datetime.fromisoformat(date) + timedelta(days=1)).strftime("%Y-%m-%d")
        days = [
            await self._archive.hearings(HearingFilter(room=room, date=day), Sight.everything())
            for day in (date, next_day)
        ]
        return {str(row["case"].get("id")) for rows in days for row in rows}

    async def _write(self, room: str, what: str, detail: str) -> None:
        log.warning(what.replace("-", "_"), **json.loads(detail), at=datetime.now(tz=UTC).isoformat())
        row = {"utc_ns": time.time_ns(), "what": what, "role": "", "address": "", "detail": detail, "granted": True}
        await self._record.audit([row], of_rooms=[room])


def _planned_s(date: str, entry: DocketEntry) -> float | None:
    """When it begins, in UTC seconds, by the clock of the center's place; None for a moment that no calendar has."""
    try:
        return datetime.fromisoformat(f"{date}T{entry.time}").astimezone().timestamp()
    except (ValueError, OverflowError):
        return None
