"""Who speaks for whom, by the role that is written before a line."""

from __future__ import annotations

import re
from typing import Final

COURT, PLAINTIFF, DEFENDANT, PROSECUTION, DEFENSE = "法庭", "原告", "被告", "公诉人", "被告人"
_SIDES: Final = (
    (re.compile(r"^(审判长|审判员|法官|人民陪审员|陪审员|主审|独任)"), COURT),
    (re.compile(r"^(被告人|辩护人|辩护律师)"), DEFENSE),
    (re.compile(r"^(公诉|检察)"), PROSECUTION),
    (re.compile(r"^(反诉被告|原告|上诉人|申请人|申请执行人|自诉人)"), PLAINTIFF),
    (re.compile(r"^(反诉原告|被告|被上诉人|被申请人|被执行人)"), DEFENDANT),
    (re.compile(r"^第三人"), "第三人"),
)
STATING: Final = frozenset((PLAINTIFF, DEFENDANT, PROSECUTION, "第三人"))
"""Whose statements can contradict themselves; the court asks, and witnesses may be wrong."""


def side_of(role: str) -> str:
    """The side of a role: those who speak for one party are one side; a role of its own where there is none."""
    return next((side for pattern, side in _SIDES if pattern.match(role)), role)
