"""Everything beside the center: the processes of rooms and inspectors, started, settled, read and stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from sync.errors import WutongError
from sync.media.tracks import MICROPHONES, MIX
from wutong.bench.center import floor_listener_process, wall_process
from wutong.bench.center.measured_center import BenchedRoom, MeasuredCenter
from wutong.bench.center.orders import RoomOrders, RoomsOrders, WallOrders
from wutong.bench.center.orders_line import OrderedProcess
from wutong.bench.center.point import MeasuredPoint
from wutong.bench.center.record_size import RecordSize
from wutong.bench.center.rooms import floor_rooms_process, rooms_process
from wutong.bench.center.rooms.reel_making import CAMERAS
from wutong.bench.center.samples import SamplesReport, joined
from wutong.bench.center.usage import BROKER, CENTER, ROOMS, WALL, UsageLook, UsedBetween

PHASES_S = 275.0
"""Over so much of the script the rooms begin: the first one closes its hearing soon, and opens another."""
GOLDEN = 0.6180339887
STAGGER_S = 0.1
"""Rooms of one process begin so far apart."""
TABS_A_PROCESS = 10
START_S = 240.0
WATCHED = (*(camera for camera, _ in CAMERAS), MIX, MICROPHONES)
"""Tracks in the order in which they are watched: first one camera of each room."""


def watched_tracks(rooms: Sequence[BenchedRoom], count: int) -> list[str]:
    """`court/room/track` of `count` tracks, each once."""
    return [f"{rooms[n % len(rooms)].address}/{WATCHED[n // len(rooms)]}" for n in range(count)]


class CenterLoad:
    """All methods belong to one event loop. `stop` ends what was started."""

    def __init__(
        self,
        center: MeasuredCenter,
        folder: Path,
        reel: Path,
        console: Console,
        *,
        watched: int,
        inspectors: int,
        segment_s: float,
        rooms_a_process: int,
    ) -> None:
        self._center = center
        self._folder = folder
        self._reel = reel
        self._console = console
        self._watched = watched_tracks(center.rooms, watched)
        self._inspectors = inspectors
        self._segment_s = segment_s
        self._rooms_a_process = rooms_a_process
        self._rooms: list[OrderedProcess] = []
        self._walls: list[OrderedProcess] = []
        self._started = 0
        self._tabs = 0
        self._watching = 0

    async def start_rooms(self, until: int, *, module: Any = rooms_process) -> None:
        """Start those of the center's rooms up to number `until` that are not started yet, and wait for them."""
        while self._started < until:
            first, last = self._started, min(self._started + self._rooms_a_process, until)
            path = self._folder / f"rooms-{len(self._rooms)}-{module.__name__.rpartition('.')[2]}.json"
            rooms = [self._orders(number) for number in range(first, last)]
            RoomsOrders(self._center.wires, str(self._reel), self._segment_s, rooms).write(path)
            self._rooms.append(await OrderedProcess.start(module.__name__, path))
            self._started = last
        await self._until("the rooms", self._rooms, "settled", lambda found: found >= until)

    def _orders(self, number: int) -> RoomOrders:
        room = self._center.rooms[number]
        names = [name.rpartition("/") for name in self._watched]
        share = number * GOLDEN % 1
        return RoomOrders(
            room.address,
            str(room.data),
            round((1 - share) * PHASES_S, 2),
            round(max(share, 1 / 60), 3),
            round(number % self._rooms_a_process * STAGGER_S, 2),
            [track for address, _, track in names if address == room.address],
            room.token,
            room.password,
        )

    async def start_wall(self, inspectors: int) -> None:
        """Start so many inspectors more, who look at the wall; and who asks for answers, if nobody does yet."""
        shares = [self._watched[n :: self._inspectors] for n in range(self._tabs, self._tabs + inspectors)]
        pieces = [shares[n : n + TABS_A_PROCESS] for n in range(0, len(shares), TABS_A_PROCESS)] or [[]]
        for piece in pieces:
            path = self._folder / f"wall-{len(self._walls)}.json"
            orders = WallOrders(
                self._center.wires, self._center.code, str(self._center.authority), piece, not self._walls
            )
            orders.write(path)
            self._walls.append(await OrderedProcess.start(wall_process.__name__, path))
        self._tabs += inspectors
        await self._until("the inspectors", self._walls, "tabs", lambda found: found >= self._tabs, order="flowing")

    async def watch(self) -> None:
        """Have the inspectors watch their tracks, and wait until media of all of them comes."""
        for wall in self._walls:
            await wall.ask("watch")
        self._watching = len(self._watched)
        await self._until("the pictures", self._walls, "flowing", lambda found: found >= self._watching)

    async def measure(self, seconds: float, what: str) -> MeasuredPoint:
        """Forget what was, look for so long, and tell."""
        everybody = [*self._rooms, *self._walls]
        if self._center.center.pid is None:
            raise WutongError(f"the center has ended: {self._center.center.last_words()}")
        size = await asyncio.to_thread(RecordSize.of, self._center.data)
        for one in everybody:
            await one.ask("begin")
        before = UsageLook.now(self._parts())
        await self._wait(seconds, what)
        after = UsageLook.now(self._parts())
        reports = [await one.ask("report") for one in everybody]
        pending = sum(int(report.pop("pending", 0)) for report in reports)
        grown = await asyncio.to_thread(RecordSize.of, self._center.data)
        used = UsedBetween.of(before, after)
        seen = joined(reports)
        return MeasuredPoint(self._started, self._watching, self._tabs, used, seen, pending, size, grown)

    async def measure_floor(self, seconds: float) -> tuple[SamplesReport, UsedBetween]:
        """The same traffic to a plain subscriber; when center and rooms are gone. What was seen, and used."""
        path = self._folder / "listener.json"
        self._center.listener().write(path)
        listener = await OrderedProcess.start(floor_listener_process.__name__, path)
        self._walls.append(listener)
        await self._until("the plain subscriber", [listener], "settled", bool)
        await self.start_rooms(len(self._center.rooms), module=floor_rooms_process)
        await asyncio.sleep(2)
        for one in (listener, *self._rooms):
            await one.ask("begin")
        parts = {**self._parts(), CENTER: [listener.pid]}
        before = UsageLook.now(parts)
        await self._wait(seconds, "the same through the broker alone")
        after = UsageLook.now(parts)
        reports = [await listener.ask("report"), *[await one.ask("report") for one in self._rooms]]
        return joined(reports), UsedBetween.of(before, after)

    async def stop(self) -> None:
        """End the processes of rooms and inspectors."""
        ending, self._rooms, self._walls = [*self._walls, *self._rooms], [], []
        self._started = self._tabs = self._watching = 0
        await asyncio.gather(*(one.stop() for one in ending))

    def _parts(self) -> dict[str, list[int]]:
        center = self._center.center.pid
        brokers: list[int] = []
        for child in self._center.broker.children:
            if child.pid is None:
                raise WutongError(f"the broker has ended: {child.last_words()}")
            brokers.append(child.pid)
        return {
            CENTER: [] if center is None else [center],
            BROKER: brokers,
            ROOMS: [one.pid for one in self._rooms],
            WALL: [one.pid for one in self._walls],
        }

    async def _wait(self, seconds: float, what: str) -> None:
        begun = time.monotonic()
        for _ in track(range(int(seconds)), what, console=self._console, transient=True):
            await asyncio.sleep(1)
        await asyncio.sleep(max(begun + seconds - time.monotonic(), 0))

    async def _until(
        self, what: str, processes: Sequence[OrderedProcess], key: str, enough: Callable[[int], bool], order: str = ""
    ) -> None:
        deadline = time.monotonic() + START_S
        while True:
            answers = [await one.ask(order or key) for one in processes]
            found = sum(int(answer[key]) for answer in answers)
            if enough(found):
                return
            if time.monotonic() > deadline:
                raise WutongError(
                    f"{what} were not there within {START_S:g} s (only {found}): this machine cannot carry so many"
                    f" beside what else it does; the center's last words: {self._center.center.last_words(1)[:300]}"
                )
            await asyncio.sleep(0.25)
