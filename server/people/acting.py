"""On whose behalf people and courts are changed, how far they may, and the line of the audit log that says it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from server.people.court_tree import CourtTree
from server.store.audit_rows import append_rows


@dataclass(frozen=True, slots=True)
class ActingPerson:
    """Who changes something. `court` is that of their post, whose reach they act in; None: the center itself, by who
    may run commands on its machine, which reaches everything."""

    person: str
    role: str
    address: str
    court: str | None

    def reach(self, tree: CourtTree) -> frozenset[str]:
        """The courts whose people they may change."""
        return frozenset(tree.courts) if self.court is None else tree.reach(self.court)

    def line(self, what: str, said: dict[str, Any]) -> dict[str, Any]:
        """The line of the audit log that says what they do."""
        row = {"utc_ns": time.time_ns(), "what": what, "role": self.role, "address": self.address[:64]}
        return {**row, "detail": json.dumps(said, ensure_ascii=False), "granted": True, "person": self.person}

    def note(self, connection: Connection, what: str, said: dict[str, Any]) -> None:
        """Write down what they do, in the transaction in which it is done."""
        append_rows(connection, [self.line(what, said)])


CENTER = ActingPerson("", "center", "", None)
"""The center itself."""
