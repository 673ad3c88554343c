"""What the rooms say, by the same broker and of the same sizes at the same times, without a room behind it.

`python -m wutong.bench.center.rooms.floor_rooms_process ORDERS`: the orders of `rooms_process`, and the same answers.
Each message is eight bytes of this machine's monotonic clock and then nothing but its length. Uploads do not go by the
broker and are not here, and nothing comes down.
"""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sync import topics
from sync.media.envelope import HEADER_BYTES
from sync.mqtt import MqttConnection
from sync.runtime.units import NS_PER_S
from wutong.bench.center.orders import RoomOrders, RoomsOrders, Wires
from wutong.bench.center.orders_line import obey, serve
from wutong.bench.center.rooms.reel import Reel, ReelTrack, ns_of
from wutong.bench.center.rooms.replayed_track import (
    BETWEEN_S,
    LATE,
    STATUS_S,
    THUMBNAIL_S,
    ReplayedTrack,
    recorder_status,
)
from wutong.bench.center.rooms.script import HeldHearing, Script, ScriptCaption, ScriptFact
from wutong.bench.center.samples import Samples

CHECKPOINT_S = 3.0
CHECKPOINT_BYTES = 420
BATCH_BYTES = 420
"""What the signature of a batch adds to its events."""


class FloorRoom:
    """All methods belong to one event loop."""

    def __init__(self, orders: RoomOrders, wires: Wires, reel: Reel, script: Script, samples: Samples) -> None:
        self._orders = orders
        self._reel = reel
        self._script = script
        self._samples = samples
        self._prefix = topics.of_room(orders.address)
        self._broker = MqttConnection(orders.broker(wires, orders.identity(wires)))

    @property
    def connected(self) -> bool:
        """Whether the broker has taken it."""
        return self._broker.connected

    async def run(self) -> None:
        """Say it all for ever."""
        await asyncio.sleep(self._orders.after_s)
        self._broker.start()
        try:
            async with asyncio.TaskGroup() as group:
                for track in self._reel.tracks:
                    if track.id in self._orders.watched:
                        group.create_task(self._play(track))
                group.create_task(self._speak())
                group.create_task(self._every(STATUS_S, topics.STATUS, self._status_bytes(), qos=1))
                group.create_task(self._every(CHECKPOINT_S, topics.CHECKPOINTS, CHECKPOINT_BYTES, qos=1))
                for track in self._reel.tracks:
                    if track.thumbnails:
                        size = HEADER_BYTES + sum(map(len, track.thumbnails)) // len(track.thumbnails)
                        group.create_task(self._every(THUMBNAIL_S, topics.live(track.id, topics.THUMBNAIL), size))
        finally:
            await self._broker.stop()

    def _say(self, topic: str, size: int, qos: int = 0) -> None:
        payload = struct.pack(">Q", time.monotonic_ns()) + bytes(max(size - 8, 0))
        if not self._broker.publish(f"{self._prefix}/{topic}", payload, qos=qos):
            self._samples.count("not_taken")

    async def _every(self, seconds: float, topic: str, size: int, qos: int = 0) -> None:
        while True:
            await asyncio.sleep(seconds)
            self._say(topic, size, qos)

    async def _play(self, track: ReelTrack) -> None:
        topic, timescale = topics.live(track.id, topics.FRAGMENT), track.init.timescale
        begun_ns = time.monotonic_ns()
        while True:
            for one in track.live:
                due_ns = begun_ns + ns_of(one.starts + one.duration, timescale)
                await asyncio.sleep(max(due_ns - time.monotonic_ns(), 0) / NS_PER_S)
                self._say(topic, HEADER_BYTES + len(one.data))
                self._samples.since(LATE, due_ns)
            begun_ns += ns_of(track.ticks, timescale)

    async def _speak(self) -> None:
        """Captions and events at their times, hearing after hearing."""
        held = HeldHearing("20260101-090000-00000000", 0, 0)
        skip_s = self._orders.phase_s
        while True:
            begun_s = time.monotonic() - skip_s
            for moment in self._script.moments:
                if moment.at_s < skip_s:
                    continue
                await asyncio.sleep(max(begun_s + moment.at_s - time.monotonic(), 0))
                if isinstance(moment, ScriptCaption):
                    text = json.dumps({**moment.message(held, time.monotonic_ns()), "hearing": held.id}).encode()
                    self._say(topics.CAPTION, len(text))
                elif isinstance(moment, ScriptFact):
                    text = json.dumps(moment.body(held), ensure_ascii=False).encode()
                    self._say(topics.EVENTS, len(text) + BATCH_BYTES, qos=1)
            skip_s = 0.0
            await asyncio.sleep(BETWEEN_S)

    def _status_bytes(self) -> int:
        """How long the status of such a room is."""
        tracks = [ReplayedTrack(one, 60, 1, 0) for one in self._reel.tracks]
        opening = next(one for one in self._script.moments if isinstance(one, ScriptFact))
        case = opening.body(HeldHearing("20260101-090000-00000000", 0, 0))["case"]
        status = {
            **self._script.identity("r001"),
            "online": True,
            "hearing": {
                "id": case["id"],
                "state": "open",
                "pause": None,
                "case": case,
                "opened_utc_ns": time.time_ns(),
            },
            "recorder": recorder_status(tracks, time.monotonic_ns(), str(case["id"]), Path(self._orders.data)),
            "speaking": ["judge"],
            "alarms": [],
            "session": "0" * 16,
            "at_utc_ns": time.time_ns(),
            "room_ns": time.monotonic_ns(),
        }
        return len(json.dumps(status, ensure_ascii=False).encode())


async def main(path: Path) -> None:
    """Run the rooms until told to stop."""
    orders, samples = RoomsOrders.read(path), Samples()
    reel = Reel.load(Path(orders.reel))
    script = Script.of(reel)
    rooms = [FloorRoom(one, orders.wires, reel, script, samples) for one in orders.rooms]

    async def settled() -> Mapping[str, Any]:
        return {"settled": sum(room.connected for room in rooms)}

    await obey({"settled": settled}, samples, *(room.run() for room in rooms))


if __name__ == "__main__":
    serve(main)
