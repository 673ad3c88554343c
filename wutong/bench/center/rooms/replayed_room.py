"""One simulated room: the product's uplink, notary, log and feeds, and in the place of recorder, transcriber and clerk
the replay of one hearing after the other.

Room time is `CLOCK_MONOTONIC` here, so whoever receives something of this room on the same machine knows how old it is.
What is left out costs a center nothing: levels, which no wall asks for, and on the room's own feed the fragments of
tracks that nobody will watch. The device's key is in this process and not in a signer's.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.integrity.notary import Notary
from edge.state.shown import Words
from recorder.storage.recovery import segment_key
from sync.ledger.keys import load_key
from sync.ledger.signing_key import SigningKey
from sync.record.bodies.media import SegmentBody
from sync.record.event import Event
from sync.room.clock import RoomClock
from sync.room.feed import FeedServer
from sync.room.messages import SpeakingMessage
from sync.room.paths import RoomPaths, page_picture_name
from sync.runtime.units import NS_PER_S
from sync.uplink.service import UplinkConfig
from wutong.bench.center.orders import RoomOrders, Wires
from wutong.bench.center.rooms.observed import ObservedCheckpoints, ObservedLog, ObservedUplink
from wutong.bench.center.rooms.reel import Reel
from wutong.bench.center.rooms.replayed_track import (
    BETWEEN_S,
    LATE,
    STATUS_S,
    THUMBNAIL_S,
    ReplayedTrack,
    recorder_status,
)
from wutong.bench.center.rooms.script import HeldHearing, Moment, Script, ScriptCaption, ScriptFact
from wutong.bench.center.samples import Samples

WRITTEN_S = 0.5
"""Tracks that nobody watches are written so often, not fragment by fragment: the files grow as they do."""
DEVICE_KEY = "device.key"


class ReplayedRoom:
    """All methods belong to one event loop."""

    def __init__(
        self, orders: RoomOrders, wires: Wires, reel: Reel, script: Script, segment_s: float, samples: Samples
    ) -> None:
        self._orders = orders
        self._script = script
        self._reel = reel
        self._samples = samples
        self.layout = layout = RoomPaths(Path(orders.data))
        self._clock = RoomClock(0)
        utc_offset_ns = time.time_ns() - time.monotonic_ns()
        self._tracks = [ReplayedTrack(one, segment_s, orders.first_share, utc_offset_ns) for one in reel.tracks]
        self._log = ObservedLog(layout.log, samples)
        checkpoints = ObservedCheckpoints(layout.log, samples)
        self._feeds = {name: FeedServer(layout.feed(name)) for name in ("recorder", "transcriber", "edge")}
        key = load_key(layout.keys / DEVICE_KEY)
        self._config = self._uplink_config(wires, key)
        self._uplink = ObservedUplink(
            self._config, clock=self._clock, room_log=self._log, checkpoints=checkpoints, samples=samples
        )
        self._hearing: str | None = None
        self._open = False
        self._begun = asyncio.Event()
        self._complete = asyncio.Event()
        self._notary = Notary(
            orders.address,
            key,
            self._clock,
            self._log,
            checkpoints,
            words=lambda hearing: Words.BUSY if self._open and hearing == self._hearing else Words.DONE,
            said=lambda number: self._tell("edge", number),
        )

    def _uplink_config(self, wires: Wires, key: SigningKey) -> UplinkConfig:
        orders = self._orders
        court, room = orders.address.split("/")
        shown = orders.identity(wires)
        return UplinkConfig(
            court=court,
            room=room,
            identity=self._script.identity(room),
            layout=self.layout,
            key=key,
            center_url=wires.center_url,
            token=orders.token,
            broker=orders.broker(wires, shown),
            tls=shown,
        )

    async def settled(self) -> bool:
        """Whether a hearing is open and the center has receipted what was said at its opening."""
        return self._begun.is_set() and await asyncio.to_thread(self._log.pending_count) <= 3

    async def pending(self) -> int:
        """Events that the center has not receipted."""
        return await asyncio.to_thread(self._log.pending_count)

    async def run(self) -> None:
        """Hold hearings for ever."""
        await asyncio.sleep(self._orders.after_s)
        for feed in self._feeds.values():
            await feed.start()
        now_ns = self._clock.now_ns()
        for track in self._tracks:
            track.begin(now_ns)
            hello = track.init_message(now_ns, self._clock.utc_now_ns())
            self._feeds["recorder"].publish(f"init/{track.reel.id}", hello, retain=True)
        self._feeds["edge"].publish_json("alarms", [], retain=True)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._uplink.run(lambda: None))
                group.create_task(self._notary.run())
                group.create_task(self._hold())
                for track in self._tracks:
                    group.create_task(self._play(track))
                group.create_task(self._tell_status())
                group.create_task(self._show_stills())
        finally:
            for feed in self._feeds.values():
                await feed.stop()

    # Facts

    def _tell(self, service: str, number: int) -> None:
        self._feeds[service].publish_json("log", {"number": number})

    async def _append(self, service: str, kind: str, body: Mapping[str, Any], key: str | None = None) -> Event:
        event = await asyncio.to_thread(
            self._log.append,
            kind,
            body,
            hearing=self._hearing,
            room_ns=self._clock.now_ns(),
            utc_ns=self._clock.utc_now_ns(),
            key=key,
        )
        self._tell(service, event.number)
        return event

    async def _hold(self) -> None:
        skip_s = self._orders.phase_s
        while True:
            await self._hold_one(skip_s)
            skip_s = 0.0
            await asyncio.sleep(BETWEEN_S)

    async def _hold_one(self, skip_s: float) -> None:
        """One hearing, from `skip_s` of the script on: what was before did not happen, but for what the rest needs."""
        utc_ns = self._clock.utc_now_ns()
        name = f"bench-{utc_ns}-{secrets.token_hex(4)}"
        await asyncio.to_thread(self._lay_out_files, name)
        held = HeldHearing(name, self._clock.now_ns() - round(skip_s * NS_PER_S), utc_ns)
        self._hearing, self._open = name, True
        self._complete.clear()
        for moment in self._script.moments:
            if moment.at_s >= skip_s or (isinstance(moment, ScriptFact) and moment.always):
                await self._until(held.ns(moment.at_s))
                await self._act(moment, held)
        await self._complete.wait()  # all files are closed and said

    async def _until(self, at_ns: int) -> None:
        wait_ns = at_ns - self._clock.now_ns()
        if wait_ns > 0:
            await asyncio.sleep(wait_ns / NS_PER_S)

    async def _act(self, moment: Moment, held: HeldHearing) -> None:
        words = self._feeds["transcriber"]
        if isinstance(moment, ScriptCaption):
            words.publish_json("caption", moment.message(held, self._clock.now_ns()))
            self._samples.count("captions")
        elif isinstance(moment, ScriptFact):
            service = "transcriber" if moment.kind in ("utterance", "revision") else "edge"
            event = await self._append(service, moment.kind, moment.body(held))
            if moment.line:
                held.numbers[moment.line] = event.number
            self._follow(event, held)
        else:
            said: SpeakingMessage = {"at_ns": self._clock.now_ns(), "seats": list(moment.seats)}
            words.publish_json("speaking", said)

    def _follow(self, event: Event, held: HeldHearing) -> None:
        """What a recorder does at an opening and at a close."""
        if event.kind == "open":
            for track in self._tracks:
                track.begin(event.room_ns)
                track.keep(self.layout.track(held.id, track.reel.id))
            self._begun.set()
        elif event.kind == "close":
            self._open = False
            for track in self._tracks:
                track.keep_until(event.room_ns)

    def _lay_out_files(self, hearing: str) -> None:
        """The exhibits and their pages, as the reader leaves them."""
        folder = self.layout.exhibits(hearing)
        folder.mkdir(parents=True, exist_ok=True)
        for exhibit in self._reel.exhibits:
            shutil.copyfile(exhibit.file, folder / exhibit.sha256)
            pages = self.layout.pages(hearing, exhibit.sha256)
            pages.mkdir(parents=True, exist_ok=True)
            for picture in exhibit.pictures:
                name = page_picture_name(picture["page"], picture["scale"])
                shutil.copyfile(self._reel.page(exhibit, picture), pages / name)

    # Media

    async def _play(self, track: ReplayedTrack) -> None:
        watched = track.reel.id in self._orders.watched
        topic, feed = f"frag/{track.reel.id}", self._feeds["recorder"]
        while True:
            if watched:
                await self._until(track.due_ns)
            else:
                await asyncio.sleep(WRITTEN_S)
            while (due_ns := track.due_ns) <= (now_ns := self._clock.now_ns()):
                kept = track.is_kept
                fragment, closed = track.take()
                if watched:
                    feed.publish(topic, fragment.message(now_ns, self._clock.utc_now_ns(), kept=kept))
                    self._samples.since(LATE, due_ns)
                for body in closed:
                    await self._say_closed(body)
                    if not any(one.is_kept for one in self._tracks):
                        self._complete.set()
            track.flush()

    async def _say_closed(self, body: SegmentBody) -> None:
        assert self._hearing is not None
        self._samples.count("segments")
        await self._append("recorder", "segment", body, segment_key(self._hearing, body["track"], body["index"]))

    async def _show_stills(self) -> None:
        cameras = [track for track in self._tracks if track.reel.thumbnails]
        number = 0
        while True:
            for track in cameras:
                await asyncio.sleep(THUMBNAIL_S / len(cameras))
                still = track.thumbnail(number, self._clock.now_ns(), self._clock.utc_now_ns())
                self._feeds["recorder"].publish(f"thumb/{track.reel.id}", still, retain=True)
                self._samples.count("thumbnails")
            number += 1

    async def _tell_status(self) -> None:
        while True:
            hearing = self._hearing if self._open else None
            status = recorder_status(self._tracks, self._clock.now_ns(), hearing, self.layout.data)
            self._feeds["recorder"].publish_json("status", status, retain=True)
            await asyncio.sleep(STATUS_S)
