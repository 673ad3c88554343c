"""How a room looks to people: a look for each view, and what is new in it for who was told an earlier one.

Written as text when somebody is to see it, and once, however many do. A look has no counters
(`server.status.steady_status`).
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from typing import Any

from server.rooms import KnownRoom
from server.shown_room import hidden_room, silent_room

_NO_NEWS = frozenset({"seen_utc_ms"})
"""What runs by itself: it is told with what else is new, and never alone."""
_FOR_SIGHT = frozenset({"speaking"})
"""What is told only of a room that is in sight."""


class View(enum.Enum):
    """What somebody may see of a room, and has in sight."""

    WHOLE = enum.auto()
    OUT_OF_SIGHT = enum.auto()
    """All but who speaks just now."""
    SILENT = enum.auto()
    """What goes on just now is in a sealed part."""
    HIDDEN = enum.auto()
    """Its hearing may not be seen."""


@dataclass(eq=False, slots=True)
class RoomLook:
    """A room as it was told, or is to be told."""

    value: dict[str, Any]
    _text: str = ""

    @property
    def text(self) -> str:
        """As JSON."""
        self._text = self._text or json.dumps(self.value, ensure_ascii=False)
        return self._text


@dataclass(eq=False, slots=True)
class RoomLooks:
    """A room until it looks different."""

    room: KnownRoom
    _looks: dict[View, RoomLook] = field(init=False)
    _news: dict[tuple[int, View], tuple[RoomLook, str]] = field(default_factory=dict)
    """(look told before, view) -> that look, so that its name stays its own, and what is new as JSON."""
    _of_before: dict[View, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # At once: a room that looks different is the same object, and is no more what it was.
        self._looks = {View.WHOLE: RoomLook(self.room.to_screen(counters=False))}

    def look(self, view: View) -> RoomLook:
        """The room in a view."""
        found = self._looks.get(view)
        if found is None:
            found = self._looks[view] = RoomLook(self._made(view))
        return found

    def _made(self, view: View) -> dict[str, Any]:
        whole = self._looks[View.WHOLE].value
        if view is View.OUT_OF_SIGHT:
            return {**whole, "speaking": []}
        return hidden_room(whole) if view is View.HIDDEN else silent_room(whole)

    def news(self, told: RoomLook | None, view: View) -> str:
        """What somebody is to be told who was told `told` last, as JSON; "" for nothing."""
        now = self.look(view)
        if told is None:
            return now.text
        if told is now:
            return ""
        key = id(told), view
        if key not in self._news:
            news = {name: value for name, value in now.value.items() if told.value[name] != value}
            worth = news.keys() - _NO_NEWS
            text = json.dumps({"address": self.room.address, **news}, ensure_ascii=False) if worth else ""
            self._news[key] = told, text
        return self._news[key][1]

    def message_of_before(self, view: View) -> str:
        """The whole room in a message of its own, counters included, as tabs of before get it."""
        if view not in self._of_before:
            room = self.room.to_screen(shown=view is not View.HIDDEN, part_sealed=view is View.SILENT)
            self._of_before[view] = json.dumps({"type": "room", "room": room}, ensure_ascii=False)
        return self._of_before[view]

    def differs_for_all(self, before: RoomLooks) -> bool:
        """Whether more is new since `before` than concerns those alone who have the room in sight."""
        old, new = before.look(View.WHOLE).value, self.look(View.WHOLE).value
        return any(old[name] != value for name, value in new.items() if name not in _NO_NEWS | _FOR_SIGHT)
