"""The alarm `unsealed` of the room: a hearing that is over has no seal, and why; said between hearings, too.

It is no event: the hearing that it is about is closed, and the next one has nothing to do with it. The text names the
hearing by its number only, never the case: everybody who watches the room's status reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.room.messages import RoomAlarm
from sync.runtime.units import NS_PER_S

CODE = "unsealed"
MOST_TOLD = 8
"""Of so many hearings each is told; the oldest first."""
MAX_TEXT = 400


@dataclass(frozen=True, slots=True)
class Why:
    """What holds a seal back, in both languages. `en` has no Chinese in it: the screens tell the halves by that."""

    zh: str
    en: str


UNREAD = Why("法庭日志读不出", "the room's log cannot be read")
WORDS = Why("语音识别仍未完成", "the transcriber has not finished its words")


def broken(number: int, kind: str, why: str) -> Why:
    """An event cannot be in a ledger, so there is none of this hearing any more."""
    return Why(
        f"第 {number} 号事件（{kind}）无法记入存证链，本庭不再有检查点和封存",
        f"event {number}, {kind}, cannot be in the ledger, so there are no checkpoints and no seal: {_plain(why)}",
    )


def missing(holes: Mapping[str, Sequence[tuple[int, int]]]) -> Why:
    """Of each track: the room time (from, to) that is no file and no declared gap."""
    seconds = {track: sum(to_ns - from_ns for from_ns, to_ns in spans) / NS_PER_S for track, spans in holes.items()}
    return Why(
        "、".join(f"{track} 有 {s:.1f} 秒既无文件也无缺失说明" for track, s in seconds.items()),
        ", ".join(f"{_plain(track)}: {s:.1f} s are no file and no declared gap" for track, s in seconds.items()),
    )


def refused(why: str) -> Why:
    """The seal could not be made or written."""
    return Why(f"封存事件无法写入：{why}", f"the seal cannot be written: {_plain(why)}")


def alarm(hearing: str, why: Why, since_ns: int) -> RoomAlarm:
    """As the room's screens and its status get it; `since_ns` is room time."""
    zh = f"庭审 {hearing} 未能封存：{why.zh}"[:MAX_TEXT]
    en = f"hearing {hearing} is not sealed: {why.en}"[:MAX_TEXT]
    return {"code": CODE, "subject": hearing, "text": f"{zh} ({en})", "since_ns": since_ns}


def _plain(text: str) -> str:
    return text.encode("ascii", "replace").decode()
