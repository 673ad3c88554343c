"""The live side of a center without store, broker and sockets: many rooms, many tabs, and how much work they make."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

from server.config import RoomEntry
from server.live.hub import LiveHub
from server.rooms import Rooms
from sync.http.live.tab import LiveTab
from sync.media.envelope import Envelope, Kind
from sync.runtime.listeners import Listeners


def address(number: int) -> str:
    """The address of a room."""
    return f"court1/c{number:05}"


class WallHub:
    """A hub for `count` rooms, none of which has said anything, on a clock that stands still."""

    def __init__(self, count: int) -> None:
        self.now_s = 0.0
        self.demanded: list[str] = []
        """The rooms that were told what is wanted of them."""
        self.withheld: set[str] = set()
        """Hearings that may not be seen."""
        self.asked = 0
        """How often it was asked whether somebody may watch a room."""
        entries = [RoomEntry(court="court1", room=f"c{n:05}", token_sha256=f"{n:064}") for n in range(count)]
        self.rooms = Rooms(entries, monotonic_s=lambda: self.now_s)
        self.sealing = SimpleNamespace(changed=Listeners[[str]](), of=lambda hearing: [])
        self.classifications = SimpleNamespace(changed=Listeners[[frozenset[str]]]())
        broker = SimpleNamespace(link=Listeners[[bool]](), connected=True)

        def tell(room: str, topic: str, text: str, *, before: object) -> bool:
            self.demanded.append(room)
            return True

        parts: Any = (self.classifications, self.sealing, broker, SimpleNamespace(tell=tell))
        self.hub = LiveHub(self.rooms, *cast("tuple[Any, Any, Any, Any]", parts))
        self.hub.wall._monotonic_s = lambda: self.now_s

    def tab(self, sight: list[int] | None = None) -> LiveTab:
        """A tab that is told what is new and takes nothing by itself, with these rooms in sight."""

        def may_watch(name: str) -> bool:
            self.asked += 1
            return self.rooms.states[name.rpartition("/")[0]].live_id not in self.withheld

        tab = LiveTab(may_watch=may_watch, may_see=lambda hearing: hearing not in self.withheld)
        self.hub.gateway.join(tab, [])
        self.hub.joined(tab)
        if sight is not None:
            self.see(tab, sight)
        return tab

    def see(self, tab: LiveTab, sight: list[int]) -> None:
        """The tab says what it has in sight."""
        self.hub.gateway.hear(tab, {"sight": [address(n) for n in sight]})

    def status(self, number: int, **more: Any) -> None:
        """A room says its status."""
        case = {"case_no": f"{number}号", "public": True}
        said: dict[str, Any] = {
            "online": True,
            "room_ns": 1,
            "hearing": {"id": f"h{number}", "state": "open", "pause": None, "case": case, "opened_utc_ns": 1},
            "recorder": {"at_ns": 1, "tracks": [], "hearing": f"h{number}", "disk": {}, "alarms": []},
        }
        self.rooms.status(address(number), json.dumps({**said, **more}).encode())

    def thumbnail(self, number: int, sequence: int = 1) -> None:
        """A room sends a still picture."""
        packed = Envelope(Kind.THUMBNAIL, 1, sequence, sequence, sequence, 0, b"jpeg" * 100).pack()
        self.hub.media(address(number), "bench", "thumb", packed)

    def caption(self, number: int, text: str) -> None:
        """Somebody speaks in a room."""
        said = {"id": "c1", "text": text, "start_ns": 1, "end_ns": 2}
        self.hub.caption(address(number), json.dumps(said).encode())


async def take_all(tab: LiveTab) -> list[dict[str, Any] | bytes]:
    """All that waits for a tab, as it leaves now."""
    tab.text({"type": "end"})
    got: list[dict[str, Any] | bytes] = []
    while tab._texts or tab._media:
        message = await tab.next()
        got.append(json.loads(message) if isinstance(message, str) else message)
    return [one for one in got if one != {"type": "end"}]


async def texts(tab: LiveTab, kind: str) -> list[dict[str, Any]]:
    """The messages of one kind that wait for a tab; all others are taken with them."""
    return [one for one in await take_all(tab) if isinstance(one, dict) and one["type"] == kind]
