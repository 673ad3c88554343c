"""The rooms of one of several processes: what it does when rooms become its own, and when they are another's.

Put together of the leases, what is heard at the broker, the hand-over of requests, and what the others have noticed.
A process that gains rooms reads what earlier owners have left before it answers these rooms, forgets all that it knew
of them itself, and asks them to say again at once what nobody has receipted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from ssl import SSLContext
from typing import Protocol

import structlog
from fastapi import FastAPI
from sqlalchemy import event

from server.ingest.floods import FLOOD
from server.ingest.mqtt import CenterBroker
from server.ingest.room_tokens import Tokens
from server.ingest.signed_publisher import SignedPublisher
from server.ingest.uploads.tus_folder import UploadFolder
from server.leases.forward_bounds import ForwardBounds
from server.leases.forward_pass import PassSealer
from server.leases.lease_keeper import LeaseKeeper
from server.leases.left_transactions import bound_session
from server.leases.room_forwarder import RoomForwarder
from server.leases.room_subscriptions import RoomSubscriptions
from server.leases.shared_alarms import SharedAlarms
from server.leases.stored_elsewhere import StoredElsewhere
from server.live.hub import LiveHub
from server.rooms import TWICE, KnownRoom, Rooms
from server.store.database import Database
from sync.errors import StorageError
from sync.ledger.messages.receipts import Receipts
from sync.runtime.listeners import Listeners
from sync.runtime.process.service import cancel_and_wait, every

log = structlog.get_logger(__name__)

AGAIN_S = 0.5
ALARMS_S = 2.0
POLL_S = 1.0
LOOK_S = 1.0
"""The folder of uploads is not looked through more often for who plays a hearing of another process's room."""
NOT_TAKEN_OVER = (
    "中心的这一进程未能接管其法庭，正在重试，请检查数据库和数据目录 (this process of the center cannot take its rooms "
    "over and tries again: look at the database and the data folder)"
)
OVER_BY_THEMSELVES = frozenset({FLOOD, TWICE})
"""Alarms that whoever takes a room over notices again, or not any more."""


class Forgetful(Protocol):
    """What knows something of rooms that is old once another process has had them."""

    def forget(self) -> None:
        """Know nothing any more."""


class RoomShare:
    """All methods belong to one event loop."""

    def __init__(
        self,
        keeper: LeaseKeeper,
        subscriptions: RoomSubscriptions,
        alarms: SharedAlarms,
        elsewhere: StoredElsewhere,
        rooms: Rooms,
        uploads: UploadFolder,
        publisher: SignedPublisher,
        forgetful: Sequence[Forgetful],
        link: Listeners[[bool]],
        learn_signing: Callable[[], Awaitable[None]],
        tell: Callable[[KnownRoom], object],
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`forgetful`: what is told when rooms come; `link`: told whether the broker is there; `learn_signing()`: read
        of which rooms nothing unsigned is taken any more; `tell(room)`: tell a room that is there what an owner has to
        tell it."""
        self._tell = tell
        self._learn_signing = learn_signing
        self.keeper = keeper
        self.subscriptions = subscriptions
        self.elsewhere = elsewhere
        self._alarms = alarms
        self._rooms = rooms
        self._uploads = uploads
        self._publisher = publisher
        self._forgetful = forgetful
        self._monotonic_s = monotonic_s
        self.forwarding = ForwardBounds()
        self.take_overs = 0
        """How often rooms became this process's own."""
        self.take_overs_failed = 0
        """How often what earlier owners have left of them could not be read; it is tried again."""
        self._preparing: dict[str, object] = {}
        """room -> which turn of reading will make it ready."""
        keeper.preparing = self._preparing.keys()
        self._adoptions: set[asyncio.Task[None]] = set()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Ends with the error of a take-over that could not be foreseen: its rooms would wait for ever."""
        self._why_not = ""
        """Why rooms that are this process's were not made ready when that was tried last."""
        self._looked_s = float("-inf")
        self._looking = asyncio.Lock()
        link.add(self._broker_is_there)
        keeper.gained.add(self._gained)
        keeper.lost.add(self._lost)
        rooms.added.add(self._added)
        rooms.removed.add(self._removed)

    @property
    def lacks(self) -> str:
        """What keeps this process from rooms that it owns and nobody else can answer: empty when nothing does."""
        return self._why_not if self._preparing else ""

    async def freshen(self, room: str) -> None:
        """See to it that uploads of a room are known as they are now: another process may be taking them."""
        if self.keeper.owns(room):
            return
        async with self._looking:
            if self._monotonic_s() - self._looked_s >= LOOK_S:
                await asyncio.to_thread(self._uploads.look_again)
                self._looked_s = self._monotonic_s()

    def install(self, app: FastAPI, tokens: Tokens, sealer: PassSealer, tls: SSLContext | None) -> None:
        """Hand requests of other processes' rooms on from now on; `tls`: for connections to those."""
        app.add_middleware(
            RoomForwarder,
            tokens=tokens,
            owners=self.keeper,
            sealer=sealer,
            here=self.keeper.mine.address,
            tls=tls,
            bounds=self.forwarding,
            source=self.keeper.mine.source,
        )

    async def start(self) -> None:
        """Become the owner of what is free, before anything is heard. `ConfigError` where this process runs already."""
        await self.keeper.start()

    def stop_acting(self) -> None:
        """Own nothing any more; what is under way ends as it may."""
        self.keeper.stop_acting()

    async def stop(self) -> None:
        """Let the others take over at once."""
        await cancel_and_wait(*self._adoptions)
        await self.keeper.stop()

    def tasks(self) -> list[asyncio.Task[None]]:
        """What runs while the center runs."""
        make = asyncio.get_running_loop().create_task

        async def fail() -> None:
            await self.failed

        async def poll() -> None:
            self.subscriptions.poll()

        return [
            make(self.keeper.run(), name="leases"),
            make(fail(), name="take-overs"),
            make(self.elsewhere.run(), name="stored-elsewhere"),
            make(every(ALARMS_S, self._alarms.poll), name="alarms"),
            make(every(POLL_S, poll), name="subscriptions"),
        ]

    def _gained(self, rooms: Collection[str]) -> None:
        self.take_overs += 1
        turn = object()
        self._preparing.update(dict.fromkeys(rooms, turn))
        task = asyncio.get_running_loop().create_task(self._prepare(turn))
        self._adoptions.add(task)
        task.add_done_callback(self._prepared)

    def _added(self, room: KnownRoom) -> None:
        self.subscriptions.add(room.address)
        self.keeper.add(room.address)

    def _removed(self, room: KnownRoom) -> None:
        self.keeper.remove(room.address)
        self.subscriptions.remove(room.address)

    def _prepared(self, task: asyncio.Task[None]) -> None:
        self._adoptions.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self.failed.done():
            self.failed.set_exception(error)

    def _ask_again(self, rooms: Collection[str]) -> None:
        """Behind the subscription, on one connection: what the rooms say now is heard."""
        text = Receipts(again=True).model_dump_json()
        for room in rooms:
            self._publisher.tell(room, "receipts", text, qos=1)

    def _broker_is_there(self, connected: bool) -> None:
        if connected:
            self._ask_again([room for room in self._rooms.current if self.keeper.owns(room)])

    def _lost(self, rooms: Collection[str]) -> None:
        for room in rooms:
            self._preparing.pop(room, None)
        self.subscriptions.disown(rooms)
        self._alarms.lost(rooms)

    async def _prepare(self, turn: object) -> None:
        """Read what earlier owners have left of the rooms of a turn, then act for those that are still ours."""
        while turn in self._preparing.values():
            try:
                await self._read_what_was_left()
                self._why_not = ""
                break
            except (StorageError, OSError) as error:
                self.take_overs_failed += 1
                log.error("rooms_not_taken_over", why=str(error), next="it is tried again")
                self._why_not = NOT_TAKEN_OVER
                await asyncio.sleep(AGAIN_S)
        for one in self._forgetful:
            one.forget()
        rooms = [room for room, whose in self._preparing.items() if whose is turn]
        for room in rooms:
            del self._preparing[room]
        self._alarms.gained(rooms, without=OVER_BY_THEMSELVES)
        self.subscriptions.own(rooms)
        self._ask_again(rooms)
        for room in rooms:
            if self._rooms.states[room].heard:
                self._tell(self._rooms.states[room])  # the owner before may have had no time for it

    async def _read_what_was_left(self) -> None:
        await asyncio.to_thread(self._uploads.look_again)
        await self._alarms.read()
        await self._learn_signing()


def share_rooms(
    keeper: LeaseKeeper,
    database: Database,
    broker: CenterBroker,
    rooms: Rooms,
    live: LiveHub,
    uploads: UploadFolder,
    publisher: SignedPublisher,
    elsewhere: StoredElsewhere,
    forgetful: Sequence[Forgetful],
    learn_signing: Callable[[], Awaitable[None]],
    tell: Callable[[KnownRoom], object],
) -> RoomShare:
    """The share of one process in the rooms of a center; what it writes of them is fenced from now on."""
    database.fence = keeper.fence
    event.listen(database.engine, "connect", lambda connection, _record: bound_session(connection, keeper.mine))
    database.engine.dispose()  # connections that were made before
    gateway = live.gateway
    subscriptions = RoomSubscriptions(broker, rooms, gateway.audience, lambda: gateway.tabs)
    live.looked_at.add(subscriptions.look)
    live.visited.add(subscriptions.visit)
    alarms = SharedAlarms(database, rooms, keeper.owns)
    link = broker.link
    return RoomShare(
        keeper, subscriptions, alarms, elsewhere, rooms, uploads, publisher, forgetful, link, learn_signing, tell
    )
