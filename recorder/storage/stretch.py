"""The time in which a hearing is recorded, piece by piece: from its opening, or from the end of a pause."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Stretch:
    """Room time in which a hearing was open and not paused; `to_ns` is None while it is."""

    from_ns: int
    to_ns: int | None = None
    preroll_ns: int = 0
    """So much before it is kept as well, as far as it is in memory."""

    @property
    def begin_ns(self) -> int:
        """Where media is wanted from."""
        return self.from_ns - self.preroll_ns
