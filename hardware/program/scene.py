"""What the composed picture shows of a hearing at a moment: pure, so that a replay says the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sync.record.hearing import Hearing
from sync.record.timeline import Exhibit, PauseReason


class SceneAct(StrEnum):
    """What goes on."""

    IDLE = "idle"
    OPEN = "open"
    PAUSED = "paused"


@dataclass(frozen=True)
class ShownExhibit:
    """An exhibit on the screens: page (from 1), zoom >= 1, and the point of the page in the middle, 0...1."""

    exhibit: Exhibit
    page: int
    zoom: float
    x: float
    y: float


@dataclass(frozen=True)
class Scene:
    """A moment. `running_ns`: how long the hearing has been in session, pauses not counted."""

    act: SceneAct
    hearing: str = ""
    case_no: str = ""
    title: str = ""
    running_ns: int = 0
    pause: str = ""
    shown: ShownExhibit | None = None


IDLE = Scene(SceneAct.IDLE)
PAUSES = {
    PauseReason.RECESS.value: "休庭",
    PauseReason.CLOSED_EVIDENCE.value: "不公开质证",
    PauseReason.MEDIATION.value: "不公开调解",
}


def scene_at(hearing: Hearing | None, at_ns: int) -> Scene:
    """The scene at a moment, which may lie somewhat before the newest event."""
    if hearing is None or at_ns < hearing.opened_ns:
        return IDLE
    if hearing.closed_ns is not None and at_ns >= hearing.closed_ns:
        return IDLE
    running_ns = at_ns - hearing.opened_ns
    pause = None
    for one in hearing.pauses:
        if one.from_ns <= at_ns:
            running_ns -= min(one.to_ns or at_ns, at_ns) - one.from_ns
            if one.to_ns is None or at_ns < one.to_ns:
                pause = one
    return Scene(
        act=SceneAct.OPEN if pause is None else SceneAct.PAUSED,
        hearing=hearing.id,
        case_no=str(hearing.case.get("case_no", "")),
        title=str(hearing.case.get("title") or hearing.case.get("cause") or ""),
        running_ns=running_ns,
        pause="" if pause is None else PAUSES.get(pause.reason, "休庭"),
        shown=None if pause is not None else _shown(hearing, at_ns),
    )


def in_session(hearing: Hearing | None, at_ns: int) -> bool:
    """Pictures are needed for a moment, or will be as soon as it has come."""
    if hearing is None:
        return False
    if scene_at(hearing, at_ns).act is SceneAct.OPEN:
        return True
    return hearing.closed_ns is None and not any(p.to_ns is None for p in hearing.pauses)


def _shown(hearing: Hearing, at_ns: int) -> ShownExhibit | None:
    for one in reversed(hearing.presentations):
        if one.from_ns <= at_ns:
            if one.to_ns is not None and at_ns >= one.to_ns:
                return None
            exhibit = next((e for e in hearing.exhibits if e.id == one.exhibit), None)
            return None if exhibit is None else ShownExhibit(exhibit, one.page, one.zoom, one.x, one.y)
    return None
