"""封存区段: who may see which stretches of a hearing, and the one act that seals or lifts such a part.

A part has a level as a hearing has (`server.access.classification`): `restricted`, for the archivist alone, or
`withdrawn`, for nobody. Who may raise a level may seal a part; only the archivist lifts one. What a room has sealed by
itself counts as soon as its event is stored. An act is on the audit log, in the same transaction, before it counts, and
cuts what is being watched. Refuses: to delete anything, and to end or lift a part by any other way.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from server.access.classification import ARCHIVIST, Classifications
from server.access.shared_rights import SharedRights
from server.store.rights.rights_rows import PART_RIGHTS
from server.store.rights.sealed_parts import LIFTED, OF_CENTER, PartsAndLifted, parts_and_lifted, said_of
from server.store.writer import RecordWriter
from sync.errors import AccessError, WutongError
from sync.http.rights.people import Session
from sync.record.bodies.session import PartLevel
from sync.record.sealed_parts import EVERYTHING_SEEN, SealedPart, Unseen
from sync.runtime.listeners import Listeners

MOST_PARTS = 500
"""Of one hearing, that people have sealed at the center and are in force at once; who needs more withdraws it."""
WHAT = "sealed-part"
"""What the audit log calls a line that seals or lifts a part."""


class Sealing:
    """All methods belong to one event loop, but `read`."""

    def __init__(
        self,
        record: RecordWriter,
        classifications: Classifications,
        rights: SharedRights | None = None,
    ) -> None:
        """`rights`: what other processes follow; without it there are none."""
        self._record = record
        self._rights = rights or SharedRights(None)
        self._rights.keep(PART_RIGHTS, self)
        self._classifications = classifications
        self.changed = Listeners[[str]]()
        """Told of a hearing of which somebody may see more, or less, than before."""
        self._parts: dict[str, dict[str, SealedPart]] = {}
        self._lifted: dict[str, list[str]] = {}
        self._judged: dict[tuple[str, str], Unseen] = {}
        self._setting = asyncio.Lock()

    def read(self, connection: Connection, names: Collection[str] | None) -> PartsAndLifted:
        """What the store knows of these hearings, None: of all."""
        return parts_and_lifted(connection, names)

    def take(self, names: Collection[str] | None, found: PartsAndLifted) -> None:
        """The store says so."""
        parts, lifted = found
        for hearing in {*self._parts, *self._lifted, *parts, *lifted} if names is None else names:
            before = self._parts.get(hearing, {}), self._lifted.get(hearing, [])
            now = parts.get(hearing, {}), lifted.get(hearing, [])
            if now != before:
                self._put(hearing, *now)
                self._forget(hearing)

    def _put(self, hearing: str, parts: dict[str, SealedPart], lifted: list[str]) -> None:
        self._parts.pop(hearing, None)
        self._lifted.pop(hearing, None)
        if parts:
            self._parts[hearing] = parts
        if lifted:
            self._lifted[hearing] = lifted

    def of(self, hearing: str) -> list[SealedPart]:
        """The parts of a hearing that are sealed now, by their time."""
        return sorted(self._parts.get(hearing, {}).values(), key=lambda part: (part.from_ns, part.id))

    def hearings(self) -> set[str]:
        """Those that have a part."""
        return set(self._parts)

    def lifted(self, hearing: str) -> list[str]:
        """The ids of parts of a hearing that were sealed and are not any more, in the order of their lifting."""
        return self._lifted.get(hearing, [])

    def hearings_lifted(self) -> set[str]:
        """Those of which a part was lifted."""
        return set(self._lifted)

    def unseen(self, role: str, hearing: str | None) -> Unseen:
        """What people of this role may not see of a hearing; nothing of what is of none."""
        if hearing is None or hearing not in self._parts:
            return EVERYTHING_SEEN
        key = role, hearing
        if key not in self._judged:
            levels = {level.value for level in self._classifications.allowed(role)}
            self._judged[key] = Unseen.of(self._parts[hearing].values(), levels)
        return self._judged[key]

    def check_whole(self, session: Session, hearing: str) -> None:
        """`AccessError` "sealed-part" where something is asked for that holds all of a hearing, words that were signed
        say, and a part of it may not be seen."""
        if self.unseen(session.role, hearing):
            raise sealed_part()

    def goes_on(self, hearing: str) -> bool:
        """Whether a part of a hearing has no end yet."""
        return any(part.to_ns is None for part in self._parts.get(hearing, {}).values())

    def check_goes_on(self, hearing: str, name: str) -> SealedPart:
        """A part that has no end yet; `WutongError` "not-found" or "ended"."""
        part = self._part(hearing, name)
        if part.to_ns is not None:
            raise WutongError("这一封存区段已有终点 (this part has an end already)", code="ended")
        return part

    async def seal(
        self,
        session: Session,
        address: str,
        hearing: str,
        from_ns: int,
        to_ns: int | None,
        level: PartLevel,
        reason: str,
    ) -> SealedPart:
        """Seal a part; it is on disk, and in force for every open tab, when this returns. `WutongError` "too-many"."""
        async with self._setting:
            if sum(name.startswith(OF_CENTER) for name in self._parts.get(hearing, {})) >= MOST_PARTS:
                raise WutongError(
                    f"本次庭审的封存区段已达 {MOST_PARTS} 处，请合并或停止查阅全案 (no more parts can be sealed)",
                    code="too-many",
                )
            name = OF_CENTER + secrets.token_hex(6)
            part = SealedPart(name, from_ns, to_ns, level, session.role, reason, time.time_ns())
            row = _row(session, address, said_of(hearing, part, level))
            version = await self._record.set_part(row, hearing, part, level)
            self._take(version, hearing, part)
        await self._rights.settled(version, hearing)
        return part

    async def end(self, session: Session, address: str, hearing: str, name: str, at_ns: int) -> SealedPart:
        """Say that a part without an end is over; `WutongError` "not-found" or "ended". What it has sealed stays so."""
        async with self._setting:
            part = self.check_goes_on(hearing, name)
            ended = part.ended(at_ns)
            row = _row(session, address, said_of(hearing, ended, part.level))
            version = await self._record.set_part(row, hearing, ended, part.level, part)
            self._take(version, hearing, ended)
        await self._rights.settled(version, hearing)
        return ended

    async def lift(self, session: Session, address: str, hearing: str, name: str, reason: str) -> None:
        """Let a part be seen again; `AccessError` "forbidden" but for the archivist, `WutongError` "not-found"."""
        if session.role != ARCHIVIST:
            raise AccessError("只有档案管理员可以解除封存 (only the archivist lifts a sealed part)", code="forbidden")
        async with self._setting:
            part = self._part(hearing, name)
            row = _row(session, address, said_of(hearing, part, LIFTED, reason))
            version = await self._record.set_part(row, hearing, part, LIFTED, part)
            if self._is_fresh(version, hearing):
                left = {other: kept for other, kept in self._parts.get(hearing, {}).items() if other != name}
                self._put(hearing, left, [*self._lifted.get(hearing, []), name])
                self._forget(hearing)
        await self._rights.settled(version, hearing)

    def said(self, sealed: Mapping[str, list[SealedPart]], version: int = 0) -> None:
        """What rooms have sealed by events that were just stored, as the `version` of rights that says so."""
        for hearing, parts in sealed.items():
            if self._is_fresh(version, hearing):
                self._parts.setdefault(hearing, {}).update({part.id: part for part in parts})
                self._forget(hearing)

    def _is_fresh(self, version: int, hearing: str) -> bool:
        return bool(self._rights.own(version, [(PART_RIGHTS, hearing)]))

    def _part(self, hearing: str, name: str) -> SealedPart:
        part = self._parts.get(hearing, {}).get(name)
        if part is None:
            raise WutongError("没有这一封存区段 (there is no such sealed part)", code="not-found")
        return part

    def _take(self, version: int, hearing: str, part: SealedPart) -> None:
        if self._is_fresh(version, hearing):
            self._parts.setdefault(hearing, {})[part.id] = part
            self._forget(hearing)

    def _forget(self, hearing: str) -> None:
        for key in [key for key in self._judged if key[1] == hearing]:
            del self._judged[key]
        self.changed.notify(hearing)


def sealed_part() -> AccessError:
    """What whoever asks for something of a sealed part is told."""
    return AccessError("此段已封存，您无权查看 (this part of the hearing is sealed)", code="sealed-part")


def _row(session: Session, address: str, said: Mapping[str, object]) -> dict[str, object]:
    row = {"utc_ns": time.time_ns(), "what": WHAT, "role": session.role, "address": address[:64], "granted": True}
    return {**row, "detail": json.dumps(said, ensure_ascii=False), "person": session.person}
