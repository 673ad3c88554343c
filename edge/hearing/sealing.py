"""The clerk seals a part of the hearing that runs (封存区段): a matter of sight alone, the record goes on as ever.

Promises: an act is on disk before it is answered, and screens of the room and the center follow it. A part of a room is
`restricted`: the clerk, who makes the record, and the archivist see it, and nobody else. A part that goes on when the
hearing is closed ends with it, behind its last word; a crash in between leaves it without end, which hides as much.
Refuses: to take a part back (that is the archivist's act at the center), and to seal what is not of the hearing.
"""

from __future__ import annotations

import secrets

import structlog

from edge.state.room_state import RoomState
from sync.errors import HearingError, WutongError
from sync.record.bodies.session import SealedPartBody
from sync.record.hearing import Hearing, State
from sync.record.sealed_parts import SealedPart
from sync.runtime.units import NS_PER_S

log = structlog.get_logger(__name__)

BY = "书记员"
KIND = "sealed_part"
MOST_PARTS = 200
"""Of one hearing, sealed in its room."""


class SealingCommands:
    """All methods belong to one event loop."""

    def __init__(self, state: RoomState) -> None:
        self._state = state

    async def seal(self, back_s: float, reason: str, *, goes_on: bool) -> Hearing:
        """Seal the last `back_s` seconds, and what `goes_on` from now until it is ended. `HearingError` codes:
        `no-hearing`, `invalid`, `too-many`."""
        hearing = self._in_session()
        if len(list(hearing.room_parts)) >= MOST_PARTS:
            raise HearingError(f"本次庭审的封存区段已达 {MOST_PARTS} 处 (no more parts can be sealed)", code="too-many")
        now_ns = self._state.clock.now_ns()
        from_ns = max(now_ns - round(back_s * NS_PER_S), min(hearing.recorded_from_ns, now_ns))
        if not goes_on and from_ns >= now_ns:
            raise HearingError("请选择要封存的时间段 (say which stretch is to be sealed)", code="invalid")
        body: SealedPartBody = {
            "id": secrets.token_hex(6),
            "from_ns": from_ns,
            "to_ns": None if goes_on else now_ns,
            "level": "restricted",
            "by": BY,
            "reason": reason,
        }
        await self._state.append(KIND, body, hearing=hearing.id)
        return self._in_session()

    async def end(self, name: str) -> Hearing:
        """Say that a part that goes on is over; `HearingError` "not-found" when there is none. What was said until now
        stays sealed."""
        hearing = self._in_session()
        part: SealedPart | None = next((one for one in hearing.room_parts if one.id == name), None)
        if part is None or part.to_ns is not None:
            raise HearingError("没有正在进行的封存区段 (no such part goes on)", code="not-found")
        await self._state.append(KIND, _ended(part, self._state.clock.now_ns()), hearing=hearing.id)
        return self._in_session()

    def _in_session(self) -> Hearing:
        hearing = self._state.current
        if hearing is None:
            raise HearingError(
                "当前没有进行中的庭审，闭庭后请在中心封存 (no hearing is open; a closed one is sealed at the center)",
                code="no-hearing",
            )
        return hearing


async def end_with_hearing(state: RoomState) -> None:
    """End what goes on of the hearing that was closed last; nothing happens while one runs. Called at the close, and at
    start for a close that was the last thing before a crash."""
    hearing = state.hearing
    if hearing is None or hearing.state is not State.CLOSED:
        return
    for part in [part for part in hearing.room_parts if part.to_ns is None]:
        try:
            await state.append(KIND, _ended(part, state.clock.now_ns()), hearing=hearing.id)
        except WutongError as error:  # it was proven as closed meanwhile, or the disk is full: it hides as it did
            log.warning("sealed_part_not_ended", hearing=hearing.id, part=part.id, why=error.message)


def _ended(part: SealedPart, now_ns: int) -> SealedPartBody:
    return {
        "id": part.id,
        "from_ns": part.from_ns,
        "to_ns": max(now_ns, part.from_ns + 1),
        "level": part.level,
        "by": BY,
        "reason": part.reason,
    }
