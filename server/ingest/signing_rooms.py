"""Which rooms' devices have signed what they send: nothing unsigned is theirs any more, whatever is still open.

Promises: one answer for events and for files, and the same one after a restart: that a room signs is a line of the
audit log (`signs`), which nobody takes away unseen. A line that was not written before the center ended is written when
the room signs again, which is with its next word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from server.store.reader import RecordReader

WHAT = "signs"
"""What the audit log calls it."""


class SigningRooms:
    """All methods belong to one event loop."""

    def __init__(self, note: Callable[[str], object] = lambda room: None) -> None:
        """`note(room)` puts a room on the audit log."""
        self._note = note
        self._rooms: set[str] = set()

    def learn(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take what the audit log has of it, before anybody is heard."""
        self._rooms |= {str(row["address"]) for row in rows}

    async def read(self, archive: RecordReader) -> None:
        """Learn what the audit log has now; `StorageError`."""
        self.learn(await archive.audited(WHAT))

    def __contains__(self, room: str) -> bool:
        """Whether the device of `court/room` has signed, now or ever."""
        return room in self._rooms

    def has_signed(self, room: str) -> None:
        """Something that it sent was found to be signed by its enrolled device."""
        if room not in self._rooms:
            self._rooms.add(room)
            self._note(room)
