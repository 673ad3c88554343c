"""The MQTT topics between rooms and their center (docs/protocol.md): `court/v1/<court>/<room>/<topic>`."""

from __future__ import annotations

import json

PREFIX = "court/v1"

# What a room says.
STATUS = "status"
EVENTS = "events"
CHECKPOINTS = "checkpoints"
CAPTION = "caption"
LEVELS = "levels"
# What a room is told.
RECEIPTS = "receipts"
WITNESS = "witness"
DEMAND = "demand"
DOCKET = "docket"
NOTICES = "notices"
"""What is not for everybody's sight of a hearing: `sync.record.notice`."""
AUDIT_HEAD = "audit-head"
"""Heads of the center's audit log, which the room keeps."""
# The last part of `live/<track>/…`.
INIT = "init"
FRAGMENT = "frag"
THUMBNAIL = "thumb"


def offline(session: str) -> bytes:
    """The last will of a room: what its status is when it is gone without a word, and which uplink that was."""
    return json.dumps({"online": False, "session": session}).encode()


def live(track: str, what: str) -> str:
    """The topic of one track's `INIT`, `FRAGMENT` or `THUMBNAIL` messages."""
    return f"live/{track}/{what}"


FROM_ROOMS = (
    (STATUS, 1),
    (EVENTS, 1),
    (CHECKPOINTS, 1),
    (CAPTION, 0),
    (LEVELS, 0),
    (live("+", INIT), 0),
    (live("+", FRAGMENT), 0),
    (live("+", THUMBNAIL), 0),
)
"""What a center subscribes to of every room, each with its quality of service."""


ROOM_WRITES = tuple(topic for topic, _ in FROM_ROOMS)
"""What a broker's access list lets a room write, below its own part, and not read."""
ROOM_READS = (DEMAND, RECEIPTS, WITNESS, DOCKET, NOTICES, AUDIT_HEAD)
"""What it lets a room read, and not write."""


def of_room(address: str) -> str:
    """The part of all topics of the room `court/room`."""
    return f"{PREFIX}/{address}"


def split(topic: str) -> tuple[str, str] | None:
    """Which room (`court/room`) a topic is of, and its rest; None when it is no room's."""
    parts = topic.split("/", 4)
    return (f"{parts[2]}/{parts[3]}", parts[4]) if len(parts) == 5 else None
