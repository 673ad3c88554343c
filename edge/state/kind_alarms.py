"""What the screens say of a court's own kinds of case that cannot be read: hearings go on with the product's."""

from __future__ import annotations

from typing import Final

from sync.cases.shelf import CaseKinds
from sync.room.messages import RoomAlarm

ALARM: Final = "case-kind"
_LONGEST: Final = 500


def kind_alarms(kinds: CaseKinds, now_ns: int) -> list[RoomAlarm]:
    """One alarm for all files that are wrong; `now_ns` is room time."""
    if not kinds.faults:
        return []
    text = f"案件种类文件有误，暂用产品自带的：{'；'.join(kinds.faults)}"[:_LONGEST]
    return [{"code": ALARM, "subject": "", "text": text, "since_ns": now_ns}]
