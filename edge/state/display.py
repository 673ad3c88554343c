"""The room's display: what is presented now, or the words being said, and nothing else.

It holds a random read-only token, kept in one file of mode 0600; whoever has it sees what hangs on the courtroom's
wall at this moment, and nothing of before.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import cast

from edge.state.messages import WallCaption, WallPresentation, WallState
from edge.state.room_state import RoomState
from sync.errors import AccessError
from sync.http.rights.people import write_private
from sync.record.hearing import State
from sync.record.milliseconds import to_ms
from sync.record.timeline import Exhibit
from sync.record.withheld import hides_line


class DisplayToken:
    """The display's secret."""

    def __init__(self, path: Path) -> None:
        """Read it, or make it at first start."""
        try:
            self._token = path.read_text(encoding="ascii").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            self._token = ""
        if len(self._token) < 32:
            self._token = secrets.token_urlsafe(32)
            write_private(path, self._token + "\n")

    def check(self, token: str) -> None:
        """`AccessError` (`token`) unless it is the display's."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            raise AccessError("显示屏地址无效 (this is not the display's address)", code="token")


def hearing_is_withheld(state: RoomState) -> bool:
    """Whether the center has said that not everybody may see the hearing that runs."""
    notice = None if state.current is None else state.notices.get(state.current.id)
    return notice is not None and notice.withheld


def part_is_sealed(state: RoomState) -> bool:
    """Whether what goes on just now is not for the wall: in a sealed part, or of a hearing that is withheld."""
    hearing = state.current
    if hearing is None:
        return False
    return hearing_is_withheld(state) or state.unseen(hearing).at(state.clock.now_ns())


def presented_exhibit(state: RoomState) -> Exhibit | None:
    """The exhibit on the screens now; none on the wall while a part is sealed."""
    hearing = state.current
    presented = None if hearing is None else hearing.presented
    if hearing is None or presented is None or part_is_sealed(state):
        return None
    return next((e for e in hearing.exhibits if e.id == presented.exhibit), None)


def display_value(state: RoomState) -> WallState:
    """What the display is told."""
    hearing = state.current
    exhibit = presented_exhibit(state)
    presented = None if hearing is None else hearing.presented
    room = state.profile.room
    return {
        "court_name": room.court_name,
        "room_name": room.room_name,
        "case": None if hearing is None or hearing_is_withheld(state) else hearing.case,
        "state": None if hearing is None else hearing.state,
        "recording": hearing is not None and hearing.state is State.OPEN and state.kept(hearing.id),
        "presented": None
        if exhibit is None or presented is None
        else cast(WallPresentation, {**to_ms(asdict(presented)), "exhibit": asdict(exhibit)}),
        "captions": _captions(state),
        "part_sealed": part_is_sealed(state),
        "withheld": hearing_is_withheld(state),
        "utc_ms": state.clock.utc_now_ns() / 1_000_000,
    }


def _captions(state: RoomState) -> list[WallCaption]:
    """The last two things said: captions while they grow, else the utterances they became."""
    hearing = state.current
    if hearing is None or hearing.state is not State.OPEN or part_is_sealed(state):
        return []
    unseen = state.unseen(hearing)
    since_ns = hearing.pauses[-1].to_ns if hearing.pauses else None
    said: list[WallCaption] = [
        {"id": u.id, "seat": u.seat, "role": u.role, "start_ns": u.start_ns, "end_ns": u.end_ns, "text": u.text}
        for u in hearing.utterances[-8:]
        if not (u.gone or u.struck or u.source == "phrase" or hides_line(u, unseen))
        if since_ns is None or u.end_ns >= since_ns
    ]
    growing = [
        cast(WallCaption, {key: c.get(key) for key in ("id", "seat", "role", "start_ns", "end_ns", "text")})
        for c in state.captions.values()
        if not unseen.touches(int(c.get("start_ns") or 0), int(c.get("end_ns") or 0))
    ]
    lines = sorted(said + growing, key=lambda line: int(line["start_ns"] or 0))
    return [to_ms(line) for line in lines[-2:]]
