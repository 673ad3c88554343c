"""What an administrator does with a room: adds it, names it, replaces its machine, retires it, takes it back.

Each act is one transaction with its line of the audit log, and known in every process when it returns. Refused: a court
that is not there, more rooms than a center may have, and whatever would cut off a machine that is in a hearing or still
holds something for the center, unless that is said to be meant (`force`). A room has one log (docs/adr/0001), so one
machine at a time is the room: the one before sends what it holds, and then the next takes over.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from server.fleet.room_register import RoomRegister
from server.integrity.enrollment import Enrollment, revoke_devices
from server.rooms import Rooms
from server.store import tables as t
from server.store.audit_rows import append_rows
from server.store.database import insert_once
from server.store.room_entries import (
    FORCED,
    MOST_ROOMS,
    READY,
    WAITS,
    EntryRow,
    change,
    count_current,
    end_codes,
    entries,
    folded_names,
    has_device,
)
from sync.errors import HearingError, WutongError

HELD = "still-holds"


@dataclass(frozen=True, slots=True)
class RoomActor:
    """Who does something: as the audit log names them."""

    role: str
    name: str
    address: str
    person: str = ""


class RoomActs:
    """All methods belong to one event loop."""

    def __init__(
        self, register: RoomRegister, rooms: Rooms, enrollment: Enrollment, *, retired: Callable[[], object]
    ) -> None:
        """`retired()`: certificates were taken away."""
        self._register = register
        self._rooms = rooms
        self._enrollment = enrollment
        self._retired = retired
        enrollment.still_holds = self.holds

    def holds(self, room: str) -> str:
        """In words what the machine of a room still holds for the center, as it has said itself; empty for nothing."""
        known = self._rooms.states.get(room)
        facts = None if known is None or known.status is None else known.status.facts
        if known is not None and known.live_id is not None:
            return "本庭正在开庭，请闭庭后再换机 (a hearing runs in this room: wait until it is closed)"
        if known is None or not known.online or facts is None or facts.pending_events is None:
            return (
                "旧设备不在线或未报告，无法确认已传完；请开机联网，或确认放弃等待 (this room's machine is away or does "
                "not say what it holds: switch it on, or go on without it)"
            )
        if facts.holds_nothing:
            return ""
        return (
            f"旧设备还有 {facts.pending_events} 条记录、{(facts.pending_bytes or 0) / 1e6:.0f} MB 文件未传完，请稍候 "
            "(the machine of this room still holds events or files for the center: wait until they are here)"
        )

    async def add(self, actor: RoomActor, court: str, room: str, court_name: str, room_name: str) -> str:
        """A new room; its address. `room` empty: a short name is made. `WutongError` "there-already" or "too-many"."""
        made = room or f"r{secrets.token_hex(3)}"
        address, now = f"{court}/{made}", self._register.utc_ns()

        def work(connection: Connection) -> None:
            if connection.execute(select(t.courts.c.slug).where(t.courts.c.slug == court)).first() is None:
                raise WutongError("没有这个法院，请先添加 (there is no such court: add it first)", code="invalid")
            if count_current(connection) >= MOST_ROOMS:
                raise HearingError(f"法庭最多 {MOST_ROOMS} 个 (a center has at most so many rooms)", code="too-many")
            row = {"address": address, "court": court, "room": made, "court_name": court_name, "room_name": room_name}
            more = {"folded": folded_names(address, court_name, room_name), "named": True, "made_by": actor.name}
            if not insert_once(connection, t.room_entries, {**row, **more, "made_utc_ns": now}):
                raise HearingError(
                    f"{address} 已存在，停用的也占用此短名 (there is such a room already, retired perhaps)",
                    code="there-already",
                )
            self._note(connection, "room-added", actor, address, {"court_name": court_name, "room_name": room_name})

        await self._register.act(address, work)
        return address

    async def rename(self, actor: RoomActor, address: str, room_name: str) -> None:
        """Call a room otherwise; what was recorded keeps the name that it was recorded under."""

        def work(connection: Connection) -> None:
            court_name = self._entry(connection, address).court_name
            values = {"room_name": room_name, "folded": folded_names(address, court_name, room_name), "named": True}
            change(connection, address, **values)
            self._note(connection, "room-named", actor, address, {"room_name": room_name})

        await self._register.act(address, work)

    async def code_made(self, actor: RoomActor, address: str) -> None:
        """A code is about to be made for a room that has no machine; `HearingError` "has-device" when it has one."""

        def work(connection: Connection) -> None:
            self._current(connection, address)
            if has_device(connection, address):
                raise HearingError(
                    "本庭已有登记的设备，请用“更换设备” (this room has a machine: replace it instead)",
                    code="has-device",
                )
            end_codes(connection, address, self._register.utc_ns())
            self._note(connection, "room-code", actor, address, {})

        await self._register.act(address, work)

    async def move(self, actor: RoomActor, address: str, *, force: bool) -> None:
        """The machine of a room is to be replaced: a code may be made now. `HearingError` "still-holds" while it holds
        something; that it is waited for is kept, and shown. With `force` what it holds stays on it alone."""
        why = "" if force else self.holds(address)

        def work(connection: Connection) -> str:
            self._current(connection, address)
            waits = bool(why) and has_device(connection, address)
            moving = FORCED if force else WAITS if waits else READY
            end_codes(connection, address, self._register.utc_ns())
            change(connection, address, moving=moving)
            self._note(connection, "room-move", actor, address, {"moving": moving})
            return why if waits else ""

        if refused := await self._register.act(address, work):
            raise HearingError(refused, code=HELD)

    async def stay(self, actor: RoomActor, address: str) -> None:
        """The machine of a room stays after all."""

        def work(connection: Connection) -> None:
            self._current(connection, address)
            end_codes(connection, address, self._register.utc_ns())
            change(connection, address, moving="")
            self._note(connection, "room-move", actor, address, {"moving": ""})

        await self._register.act(address, work)

    async def retire(self, actor: RoomActor, address: str, *, force: bool) -> None:
        """The room is none any more; what it recorded stays. `HearingError` "still-holds"."""
        why = "" if force else self.holds(address)

        def work(connection: Connection) -> None:
            self._current(connection, address)
            if why and has_device(connection, address):
                raise HearingError(why, code=HELD)
            now = self._register.utc_ns()
            end_codes(connection, address, now)
            change(connection, address, retired_utc_ns=now, moving="")
            revoke_devices(connection, address, now)
            self._note(connection, "room-retired", actor, address, {"force": force})

        await self._register.act(address, work)
        await self._enrollment.refresh()
        self._retired()

    async def take_back(self, actor: RoomActor, address: str) -> None:
        """A retired room is one again; its machine needs a code."""

        def work(connection: Connection) -> None:
            self._entry(connection, address)
            if count_current(connection) >= MOST_ROOMS:
                raise HearingError(f"法庭最多 {MOST_ROOMS} 个 (a center has at most so many rooms)", code="too-many")
            change(connection, address, retired_utc_ns=None)
            self._note(connection, "room-back", actor, address, {})

        await self._register.act(address, work)

    async def room_of(self, device: int) -> str:
        """`court/room` of a machine; `WutongError` "not-found"."""
        d = t.devices.c
        room = await self._register.read_now(lambda c: c.execute(select(d.room).where(d.row == device)).scalar())
        if room is None:
            raise WutongError("没有这台设备 (there is no such device)", code="not-found")
        return str(room)

    async def revoke(self, actor: RoomActor, device: int, room: str, why: str) -> None:
        """Take the certificates of a room's machine away; `WutongError` "not-found" when it has none any more."""

        def work(connection: Connection) -> None:
            d = t.devices.c
            mine = (d.row == device) & (d.room == room) & d.revoked_utc_ns.is_(None)
            if connection.execute(select(d.row).where(mine)).first() is None:
                raise WutongError(
                    "没有这台设备，或已吊销 (there is no such device, or it was revoked)", code="not-found"
                )
            revoke_devices(connection, room, self._register.utc_ns())
            self._note(connection, "device-revoked", actor, room, {"why": why})

        await self._register.act(room, work)
        await self._enrollment.refresh()
        self._retired()

    def _current(self, connection: Connection, address: str) -> None:
        """`WutongError` unless there is such a room, and it is not retired."""
        if self._entry(connection, address).retired:
            raise HearingError("法庭已停用，请先恢复 (the room is retired: take it back first)", code="retired")

    @staticmethod
    def _entry(connection: Connection, address: str) -> EntryRow:
        found = entries(connection, [address])
        if not found:
            raise WutongError("没有这个法庭 (there is no such room)", code="not-found")
        return found[0]

    def _note(self, connection: Connection, what: str, actor: RoomActor, room: str, more: dict[str, Any]) -> None:
        """Write down what is done, in the transaction in which it is."""
        row = {"utc_ns": self._register.utc_ns(), "what": what, "role": actor.role, "address": actor.address[:64]}
        detail = json.dumps({"room": room, **more}, ensure_ascii=False)
        append_rows(connection, [{**row, "detail": detail, "granted": True, "person": actor.person}])
