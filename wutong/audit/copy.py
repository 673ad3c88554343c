"""A copy of an audit log, to be judged: its leaves in their order, the heads over them, and what the rooms hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync.errors import LedgerError
from sync.ledger.audit_leaf import AuditRow, leaf_of_row
from sync.ledger.tree import leaf_hash


@dataclass(frozen=True, slots=True)
class CopiedLeaf:
    """A leaf as it was noted when its row was written, and the row as it is now, None when it is gone."""

    row: int
    sha256: bytes
    now: AuditRow | None

    @property
    def changed(self) -> bool:
        """Whether the row is there and is not the one that was written."""
        if self.now is None:
            return False
        try:
            return self.now.row != self.row or leaf_hash(leaf_of_row(self.now)) != self.sha256
        except LedgerError:  # no row that was written is no text
            return True


@dataclass(frozen=True, slots=True)
class CopiedHead:
    """A signed head (a note), with its time-stamp token where there is one."""

    note: str
    token: bytes | None = None


@dataclass(frozen=True, slots=True)
class HeldHead:
    """A head that a room has kept and countersigned; `certificate` (PEM) says whose the device's key is."""

    room: str
    note: str
    certificate: str = ""
    back: bool = False
    """Whether the room said that it goes back behind one that it had."""


@dataclass(slots=True)
class AuditCopy:
    """`leaves` are those from the place `first` on, of a tree of `size` leaves; `path` proves them where some lack."""

    leaves: list[CopiedLeaf]
    heads: list[CopiedHead]
    held: list[HeldHead] = field(default_factory=list)
    first: int = 0
    size: int = 0
    path: list[bytes] | None = None
    missing_place: int | None = None
    """The first place in the order that no leaf has, where the copy was taken from the center's store."""
    unnoted: list[int] = field(default_factory=list)
    """Numbers of rows that are no leaf."""
