"""What rooms say over MQTT, each message to the part of the center that it is for; nothing that it contains raises."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from server.ingest.message_pace import MessagePace
from server.ingest.mishaps import Mishaps
from server.ingest.receipts import Ingest
from server.live.hub import LiveHub
from server.rooms import Rooms
from sync import topics
from sync.errors import WutongError

log = structlog.get_logger(__name__)

MOST_UNKNOWN = 1000
"""So many rooms that are not in the configuration are named in the log."""
_FOR_THE_OWNER = frozenset({topics.EVENTS, topics.CHECKPOINTS})


class RoomMessages:
    """All methods belong to one event loop."""

    def __init__(
        self,
        rooms: Rooms,
        ingest: Ingest,
        witness: Callable[[str, bytes], None],
        hub: LiveHub,
        mishaps: Mishaps,
        *,
        pace: MessagePace | None = None,
        is_shut: Callable[[str], bool] = lambda room: False,
        owns: Callable[[str], bool] = lambda room: True,
    ) -> None:
        """`witness(room, payload)` takes what rooms say on `checkpoints`; `CenterError` when it is malformed.
        `is_shut(room)`: nothing is taken from this room any more, its device was revoked. `owns(room)`: whether what
        it says for the record is taken here, of several processes."""
        self._owns = owns
        self._is_shut = is_shut
        self._pace = pace or MessagePace()
        self.shut_out = 0
        """Messages of rooms from which nothing is taken."""
        self._rooms = rooms
        self._hub = hub
        self._takers: dict[str, Callable[[str, bytes], None]] = {
            topics.STATUS: rooms.status,
            topics.EVENTS: ingest.offer,
            topics.CHECKPOINTS: witness,
            topics.CAPTION: hub.caption,
            topics.LEVELS: hub.levels,
        }
        self._unknown: set[str] = set()
        self._mishaps = mishaps

    def stored_elsewhere(self, taker: Callable[[str, bytes], None]) -> None:
        """`taker(room, payload)` takes what another process of the center has receipted."""
        self._takers[topics.RECEIPTS] = taker

    def take(self, room: str, topic: str, payload: bytes) -> None:
        """One message of the room `court/room`."""
        if room not in self._rooms:
            if len(self._unknown) < MOST_UNKNOWN and room not in self._unknown:
                self._unknown.add(room)
                log.warning("unknown_room", room=room[:80], next="add it on the administrator's page, or to [[rooms]]")
            return
        # Its checkpoints and batches are answered: the room itself is told why none is taken.
        if topic not in (topics.CHECKPOINTS, topics.EVENTS) and self._is_shut(room):
            self.shut_out += 1
            return
        if topic in _FOR_THE_OWNER and not self._owns(room):
            return  # its owner hears it, or whoever becomes that: the room says it until it is receipted
        if not self._pace.take(room, topic):
            return
        try:
            taker = self._takers.get(topic)
            if taker is not None:
                taker(room, payload)
            else:
                _, _, rest = topic.partition("/")
                track, _, what = rest.partition("/")
                self._hub.media(room, track, what, payload)
        except WutongError as error:
            self._mishaps.refuse(room, topic, error.message)
        except Exception as error:  # noqa: BLE001  # it is logged there
            self._mishaps.fail(room, topic, error)
