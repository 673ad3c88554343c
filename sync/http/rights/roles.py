"""Roles of people at a center, and the three powers that are never in one hand (三权分立).

    sees      clerk, judge, presiding, inspector, leader, archivist    hearings, within their reach
    manages   administrator                                            courts, people, rooms; no hearing
    audits    auditor                                                  the audit log; nothing else

A person's posts are all of one power. A room knows one role, its clerk; the parties of a hearing are guests (`party`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Role = Literal["clerk", "judge", "presiding", "inspector", "leader", "archivist", "administrator", "auditor"]
Power = Literal["sees", "manages", "audits"]

ROLES: Final[Mapping[Role, str]] = {
    "clerk": "书记员",
    "judge": "法官",
    "presiding": "审判长",
    "inspector": "督查员",
    "leader": "领导",
    "archivist": "档案管理员",
    "administrator": "系统管理员",
    "auditor": "审计员",
}
"""Role -> what people call it."""
SITTING: Final = frozenset({"clerk", "judge", "presiding"})
"""Roles that see the hearings in which they sit, and no others."""
WATCHING: Final = frozenset({"inspector", "leader", "archivist"})
"""Roles that see every hearing of their reach which its level lets them."""
ADMINISTRATOR: Final = "administrator"
AUDITOR: Final = "auditor"


def power_of(role: str) -> Power:
    """The power that a role has."""
    if role == ADMINISTRATOR:
        return "manages"
    return "audits" if role == AUDITOR else "sees"
