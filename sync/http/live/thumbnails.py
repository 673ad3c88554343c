"""The newest thumbnail of each track, by its room: for whoever comes, and for whom a room comes into sight."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sync.http.live.audience import room_of


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A still picture of a track, addressed and packed as tabs get it, and of which hearing it is."""

    name: str
    packed: bytes
    hearing: str | None


class NewestThumbnails:
    """One of each track."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[str, Thumbnail]] = {}

    def put(self, one: Thumbnail) -> None:
        """Keep it in the place of the one before."""
        self._rooms.setdefault(room_of(one.name), {})[one.name] = one

    def forget(self, name: str) -> None:
        """Keep none of a track."""
        room = self._rooms.get(room_of(name), {})
        room.pop(name, None)
        if not room:
            self._rooms.pop(room_of(name), None)

    def of(self, room: str) -> Iterable[Thumbnail]:
        """Those of a room."""
        return self._rooms.get(room, {}).values()

    def all(self) -> Iterable[Thumbnail]:
        """All of them."""
        for room in self._rooms.values():
            yield from room.values()
